"""Composition root and command line of mpa-monitor: puts scheduler, notifications and settings together."""

from __future__ import annotations

import gc

gc.disable()  # while all is loaded, which stays: going through it again and again takes a quarter of the start

import getpass
import os
import sys
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from config.defects import ConfigurationInvalidError
from config.language import Language
from config.logs import configure_logs
from config.settings import MailSettings, Settings, load_settings
from notifications import commands as mail_commands
from notifications.calm import MailSite, mail_site
from notifications.channel import Channel
from notifications.delivery import Mailroom, delivery_step
from notifications.digest import digest_step, mail_trouble, next_digest_at
from notifications.handlers import make_handler
from notifications.ledger import backlog, list_outbox
from notifications.letter import Letterhead
from notifications.maildir import MaildirTransport
from notifications.outbox import Calm
from notifications.render import template_names
from notifications.sentences import MAIL_SENTENCES
from notifications.smtp import Security, SmtpServer, SmtpTransport
from notifications.transport import Transport
from scheduler.clock import SystemClock
from scheduler.domain.reason import Reason, because
from scheduler.domain.speech import Speaker, plain_speaker
from scheduler.engine.due.anchor import anchor_step, next_anchor_at
from scheduler.engine.due.exposure_month import exposure_months, next_month_at
from scheduler.engine.due.laboratory_lists import laboratory_lists, next_list_at
from scheduler.engine.picture.curve import make_curve_of
from scheduler.engine.recheck import make_foresee, make_recheck
from scheduler.engine.reconcile import Handle
from scheduler.engine.study import Study
from scheduler.runtime.cli import (
    auc,
    audit,
    backup,
    databases,
    eligibility,
    export,
    lab,
    operate,
    overview,
    protocol,
    read,
    record,
    report,
    target,
    trial,
    users,
)
from scheduler.runtime.cli.localise import language_asked, localise
from scheduler.runtime.cli.output import BAD_INPUT, FAILURE, fail, program_of, refusing
from scheduler.runtime.program import Program
from scheduler.runtime.work import DELIVERY, DIGEST, Work
from scheduler.runtime.works import housekeeping_work, intake_work, reconcile_work
from scheduler.store.database import StoreError
from scheduler.store.postgresql import only_one

if TYPE_CHECKING:
    from scheduler.console.desk import Desk

__all__ = ["app", "main", "make_desk", "make_program"]

gc.enable()


def make_program(settings: Settings) -> Program:
    """The program for these settings: the one place that knows all packages."""
    return Program(
        settings=settings,
        templates=template_names,
        make_handle=_make_handle,
        make_works=make_works,
        mail_backlog=_mail_backlog,
        mail_rows=_mail_rows,
        sentences=dict(MAIL_SENTENCES),
        clock=SystemClock(),
    )


def _make_handle(settings: Settings, study: Study) -> Handle:
    return make_handler(study.protocol_of, settings.mail.domain)


def make_works(program: Program) -> list[Work]:
    """All the work of the service, in the order in which data flows."""
    study, settings = program.study, program.settings
    sites = {name: mail_site(file, study.calendars[name]) for name, file in study.sites.items()}
    room = Mailroom(
        letterhead=_letterhead(settings.mail, settings.console.url),
        calm=Calm(sites, settings.mail.per_recipient_per_hour),
        protocol_of=study.protocol_of,
        handle=program.handle,
        recheck=make_recheck(study),
        foresee=make_foresee(study),
        owner=f"{os.uname().nodename}:{os.getpid()}:{uuid4().hex[:8]}",
        sentences=program.all_sentences,
        curve_of=make_curve_of(study) if settings.mail.auc_picture else None,
    )
    return [
        intake_work(program),
        reconcile_work(program),
        _digest_work(program, sites),
        _delivery_work(program, room, make_transport(settings.mail, durable=not program.rehearses)),
        housekeeping_work(program),
    ]


def _letterhead(mail: MailSettings, console: str | None) -> Letterhead:
    return Letterhead(
        mail.sender,
        mail.reply_to or parseaddr(mail.sender)[1],
        mail.domain,
        mail.envelope_from or "",
        console or "",
    )


def make_transport(mail: MailSettings, *, durable: bool = True) -> Transport:
    """The way out that the settings name; `durable` as of a Maildir."""
    if mail.transport == "maildir":
        return MaildirTransport(mail.maildir, durable=durable)
    security = Security.PLAIN if mail.security == "none" else Security(mail.security)
    return SmtpTransport(
        SmtpServer(
            host=mail.host,
            port=mail.port,
            security=security,
            username=mail.username,
            password=mail.password.get_secret_value() if mail.password is not None else None,
            ca_file=str(mail.ca_file) if mail.ca_file is not None else None,
            timeout_s=mail.timeout_s,
        )
    )


def _digest_work(program: Program, sites: dict[str, MailSite]) -> Work:
    study, newest = program.study, program.study.newest[1]
    decided: set[str] = set()  # lists, months and anchors that need no second look, with or without a mail

    def morning(session: Session, now: datetime, known: frozenset[str]) -> frozenset[str]:
        if not only_one(session, DIGEST):  # another daemon is at it
            return frozenset()
        digest_step(session, sites, newest, program.settings.mail.domain, now)
        lists = (
            due(session, study, now, program.handle, known)
            for due in (laboratory_lists, exposure_months, anchor_step)
        )
        return frozenset().union(*lists)

    async def step(now: datetime) -> datetime | None:
        decided.update(await program.database.run(partial(morning, now=now, known=frozenset(decided))))
        coming = [next_digest_at(site, newest.digest_at, now) for site in sites.values()]
        coming += [next_list_at(study, now), next_month_at(study, now), next_anchor_at(study, now)]
        return min((one for one in coming if one is not None), default=None)

    return Work(DIGEST, step, wakes=(DELIVERY,))


def _delivery_work(program: Program, room: Mailroom, transport: Transport) -> Work:
    channel: list[Channel] = []

    async def step(now: datetime) -> datetime | None:
        first = not channel
        state = channel.pop() if channel else Channel()
        only_we = first and program.database.is_sqlite
        report = await delivery_step(
            program.database, transport, program.clock, room, state, everyone=only_we
        )
        channel.append(report.channel)
        if report.next_due is None:
            return None
        return (
            max(report.next_due, now + timedelta(seconds=1))
            if not report.settled
            else max(report.next_due, now)
        )

    return Work(DELIVERY, step)


def _mail_backlog(session: Session, now: datetime) -> dict[str, object]:
    found = backlog(session, now)
    return {
        "waiting": found.waiting,
        "overdue": found.overdue,
        "oldest_due": found.oldest_due,
        "counts": found.counts,
        "left": found.left,
        "uncertain": found.uncertain,
    }


def _mail_rows(session: Session, speaker: Speaker) -> list[dict[str, object]]:
    return mail_commands.outbox_rows(list_outbox(session, limit=1_000_000), speaker)


app = typer.Typer(
    name="mpa-monitor",
    help="Visit scheduler and notification service for studies that follow drug exposure. "
    "Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    context: typer.Context,
    database: Annotated[str | None, typer.Option(help="Database URL; MPA_DATABASE.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration directory; MPA_CONFIG.")] = None,
    language: Annotated[Language | None, typer.Option(help="fr or en; MPA_LANGUAGE.")] = None,
) -> None:
    """Visit scheduler and notification service. Research software, not a medical device."""
    if context.resilient_parsing:
        return
    try:
        settings = load_settings(database=database, config=config, language=language)
    except ConfigurationInvalidError as error:
        fail(str(error), BAD_INPUT)
    context.obj = make_program(settings)


for commands in (
    record,
    read,
    overview,
    export,
    auc,
    report,
    protocol,
    lab,
    operate,
    backup,
    databases,
    audit,
    eligibility,
    trial,
    target,
    users,
):
    commands.add_commands(app)
mail_commands.add_commands(
    app,
    mail_commands.MailCommands(
        database=lambda context: program_of(context).database,
        speaker=lambda context: program_of(context).speaker(),
        now=lambda context: program_of(context).clock.now(),
        account=getpass.getuser,
    ),
)


def make_desk(program: Program) -> Desk:
    """What the pages of the console need."""
    from scheduler.console.desk import Desk  # the web's libraries are for whoever serves it

    return Desk(
        settings=program.settings,
        study=program.study,
        database=program.database,
        clock=program.clock,
        handle=program.handle,
        sentences=program.all_sentences,
        mail_trouble=mail_trouble,
    )


@app.command()
def web(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """The console: web pages for the team, until SIGTERM. Behind a TLS proxy when others than this machine use it."""
    from scheduler.console.server import serve

    program = program_of(context)
    configure_logs()
    with refusing(program):
        desk = make_desk(program)
        desk.database.transact(lambda session: desk.study.sync(session, desk.clock.now()))
    serve(desk, host, port)


def main() -> None:
    """The command `mpa-monitor`."""
    command = typer.main.get_command(app)
    localise(command, language_asked(sys.argv[1:]))
    try:
        command()
    except ConfigurationInvalidError as error:
        typer.echo(str(error), err=True)
        sys.exit(BAD_INPUT)
    except StoreError as error:
        _last_words(error.reason)
    except DBAPIError as error:  # the database failed in the middle of a command: nothing of it was kept
        _last_words(because("store_failed", error_id=str(error.orig).strip()))


def _last_words(reason: Reason) -> None:
    typer.echo(plain_speaker(language_asked(sys.argv[1:])).say(reason), err=True)
    sys.exit(FAILURE)


if __name__ == "__main__":
    main()
