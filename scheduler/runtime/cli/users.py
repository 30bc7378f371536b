"""Accounts of the console. A password is shown once or read from the standard input; it is never an argument."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from sqlmodel import Session

from config.language import Language
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.account import accounts as engine
from scheduler.engine.account.accounts import Role
from scheduler.engine.account.passwords import made_up
from scheduler.runtime.cli.output import AsJson, console, json_out, program_of, refusing, table
from scheduler.runtime.cli.recording import recorder
from scheduler.runtime.program import Program
from scheduler.store.accounts import accounts
from scheduler.store.tables import AccountRow

__all__ = ["add", "disable", "enable", "list_", "reset"]

Name = Annotated[str, typer.Argument(help="Name of the account, as it is typed at the sign-in.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the standard input, one line.")
]


def add(
    context: typer.Context,
    name: Name,
    role: Annotated[list[Role], typer.Option(help="What the person does in the study; may be repeated.")],
    site: Annotated[str | None, typer.Option(help="Site; all sites if absent.")] = None,
    full_name: Annotated[str, typer.Option(help="Name as it is shown.")] = "",
    speaks: Annotated[Language, typer.Option(help="Language of the pages: fr or en.")] = Language.FR,
    password_stdin: FromInput = False,
) -> None:
    """Make an account; the password is to be changed at the first sign-in."""
    program = program_of(context)
    with refusing(program):
        password = _password(password_stdin)

        def step(session: Session) -> None:
            engine.add_account(
                session,
                program.study,
                name,
                full_name,
                site,
                role,
                speaks,
                password,
                recorder(None),
                program.clock.now(),
            )

        program.database.transact(step)
        _say_password(program, name, password, shown=not password_stdin)


def reset(
    context: typer.Context,
    name: Name,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Take the second factor off too: the device is lost.")
    ] = False,
    password_stdin: FromInput = False,
) -> None:
    """Give an account another password; it is signed out everywhere."""
    program = program_of(context)
    with refusing(program):
        password = _password(password_stdin)
        program.database.transact(
            lambda session: engine.reset_account(
                session, name, password, recorder(None), program.clock.now(), second_factor=second_factor
            )
        )
        _say_password(program, name, password, shown=not password_stdin)


def disable(context: typer.Context, name: Name) -> None:
    """Close an account; it is signed out everywhere."""
    program = program_of(context)
    with refusing(program):
        program.database.transact(
            lambda session: engine.disable_account(session, name, recorder(None), program.clock.now())
        )
    typer.echo(program.speaker().text("Account {name_id} is disabled.", name_id=name))


def enable(context: typer.Context, name: Name) -> None:
    """Open a closed account again, with the password that it had."""
    program = program_of(context)
    with refusing(program):
        program.database.transact(
            lambda session: engine.enable_account(session, name, recorder(None), program.clock.now())
        )
    typer.echo(program.speaker().text("Account {name_id} can be used again.", name_id=name))


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """The accounts with their roles and sites."""
    program = program_of(context)
    with refusing(program):
        rows = program.database.read(accounts)
    if as_json:
        json_out([_row(row) for row in rows])
        return
    speaker = program.speaker()
    made = table(program, "Accounts", ["Account", "Name", "Site", "Roles", "Second factor", "State"], [])
    for row in rows:
        state = "disabled" if row.disabled_at is not None else "active"
        made.add_row(
            row.id,
            row.name,
            row.site_id or speaker.text("all"),
            ", ".join(speaker.status(role) for role in row.roles),
            speaker.text("yes") if row.totp_since is not None else speaker.text("no"),
            speaker.text(state),
        )
    console().print(made)


def _row(row: AccountRow) -> dict[str, object]:
    return {
        "account": row.id,
        "name": row.name,
        "site": row.site_id,
        "roles": row.roles,
        "language": row.language,
        "second_factor": row.totp_since is not None,
        "must_change_password": row.must_change,
        "created": row.created_at,
        "disabled": row.disabled_at,
    }


def _password(from_input: bool) -> str:
    if not from_input:
        return made_up()
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise RefusedError([because("refused_password_empty")])
    return line


def _say_password(program: Program, name: str, password: str, *, shown: bool) -> None:
    speaker = program.speaker()
    if shown:
        words = "Account {name_id}, password {password_id}: it is shown this once, and is to be changed at the sign-in."
        typer.echo(speaker.text(words, name_id=name, password_id=password))
    else:
        typer.echo(
            speaker.text("Account {name_id}: the password is to be changed at the sign-in.", name_id=name)
        )
