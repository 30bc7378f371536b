"""Puts the packages together: the works of the daemon, the way out of the mails, what the pages of the console need."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from sqlmodel import Session

from config.logs import configure_logs
from config.settings import MailSettings
from notifications.delivery.channel import Channel
from notifications.delivery.maildir import MaildirTransport
from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport
from notifications.delivery.step import Mailroom, delivery_step
from notifications.delivery.transport import Transport
from notifications.outbox.calm import MailSite, mail_site
from notifications.outbox.queue import Calm
from notifications.words.digest import digest_step, mail_trouble, next_digest_at
from notifications.words.letter import Letterhead
from scheduler.engine.due.anchor import anchor_step, next_anchor_at
from scheduler.engine.due.exposure_month import exposure_months, next_month_at
from scheduler.engine.due.laboratory_lists import laboratory_lists, next_list_at
from scheduler.engine.picture.curve import make_curve_of
from scheduler.engine.recheck import make_foresee, make_recheck
from scheduler.runtime.cli.output import program_of, refusing
from scheduler.runtime.program import Program
from scheduler.runtime.work import DELIVERY, DIGEST, Work
from scheduler.runtime.works import housekeeping_work, intake_work, reconcile_work
from scheduler.store.postgresql import only_one

if TYPE_CHECKING:
    from scheduler.console.desk import Desk

__all__ = ["make_desk", "make_transport", "make_works", "web"]


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
