"""A mailbox that is dead gets no more mail until somebody corrects its address or says that it works again."""

from __future__ import annotations

import asyncio
from typing import Any

import notif_cases as cases
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from notif_peer import TO, Peer, kept, listening, server
from notif_way import deliver
from sqlmodel import Session

from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport
from notifications.messages.message import Message
from notifications.outbox import ledger, posting
from notifications.outbox.backlog import backlog
from notifications.outbox.states import State
from scheduler.domain.reason import from_json
from scheduler.store.tables import OutboxRow, StaffRow

DEAD = "550 5.1.1 no such user"


def _mail_to(desk: cases.Study, *people: str, key: str) -> None:
    """A mail to these people only, in their role of coordinator."""
    message = Message("visit_overdue", ("coordinator",), key, key, cases.SUBJECT, "W6", "thread|x")

    def step(session: Session) -> None:
        found = [one for name in people if (one := session.get(StaffRow, name)) is not None]
        facts: dict[str, Any] = {"roles": ["coordinator"], "rule": "overdue"}
        posting.enqueue(session, message, found, lambda _: facts, "study.example", desk.clock.now())

    desk.db.transact(step)


def _rows(desk: cases.Study, key: str) -> dict[str, OutboxRow]:
    rows = desk.db.transact(ledger.list_outbox)
    return {row.staff_id: row for row in rows if row.key.startswith(f"{key}|")}


async def test_a_dead_mailbox_is_flagged_with_what_to_do_and_gets_no_further_mail(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = DEAD
        await deliver(desk, way)
        (flag,) = desk.flags()
        assert flag.reason["code"] == "flag_mailbox_dead"
        assert from_json(flag.reason).get("staff") == "coordinator-en"
        assert TO not in str(flag.reason)
        peer.refused.clear()  # it would be taken now: nobody tries
        _mail_to(desk, "coordinator-en", "coordinator-fr", key="next")
        await deliver(desk, way)
    rows = _rows(desk, "next")
    assert (rows["coordinator-en"].state, rows["coordinator-fr"].state) == (State.CANCELLED, State.SENT)
    assert "mail_suppressed" in (rows["coordinator-en"].reason or "")
    assert kept(peer) == []


async def test_the_mail_goes_to_another_person_of_the_same_role(desk: cases.Study) -> None:
    _mail_to(desk, "coordinator-en", key="first")
    async with server() as (peer, way):
        peer.refused[TO] = DEAD
        await deliver(desk, way)
        await deliver(desk, way)
        assert _rows(desk, "first")["coordinator-fr"].state == State.SENT
        _mail_to(desk, "coordinator-en", key="second")
        await deliver(desk, way)
        await deliver(desk, way)
        again = _rows(desk, "second")
        assert (again["coordinator-en"].state, again["coordinator-fr"].state) == (State.CANCELLED, State.SENT)
        assert len(kept(peer, "coordinator-fr@cochin.example")) == 2


async def test_a_corrected_address_gets_mail_again_and_the_flag_falls(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = DEAD
        await deliver(desk, way)

        def correct(session: Session) -> None:
            person = session.get(StaffRow, "coordinator-en")
            assert person is not None
            person.email = "new@cochin.example"
            session.add(person)

        desk.db.transact(correct)
        _mail_to(desk, "coordinator-en", key="next")
        await deliver(desk, way)
        assert len(kept(peer, "new@cochin.example")) == 1
    assert desk.flags() == []


async def test_a_released_mailbox_gets_mail_again(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    async with server() as (peer, way):
        peer.refused[TO] = DEAD
        await deliver(desk, way)
        peer.refused.clear()
        now = desk.clock.now()
        assert desk.db.transact(lambda session: ledger.release(session, "coordinator-en", now))
        assert not desk.db.transact(lambda session: ledger.release(session, "coordinator-en", now))
        _mail_to(desk, "coordinator-en", key="next")
        await deliver(desk, way)
        assert len(kept(peer)) == 1


async def test_a_server_that_limits_the_mails_of_a_connection_gets_the_rest_on_another(
    desk: cases.Study,
) -> None:
    _mail_to(desk, "coordinator-en", "coordinator-fr", "data-manager", key="x")
    async with server() as (peer, way):
        peer.on["MAIL"] = [
            "250 OK",
            "421 4.7.0 too many messages in this connection",
            "250 OK",
            "421 4.7.0 again",
        ]
        assert (await deliver(desk, way)).sent == 3
        assert peer.connections == 3
    assert len(peer.kept) == 3


class _Slow(Peer):
    """Keeps the mail and answers when nobody waits any more."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        self._keep(envelope)
        await self.gate.wait()
        return "250 2.0.0 OK"


async def test_an_answer_that_takes_too_long_is_uncertain_and_counted(desk: cases.Study) -> None:
    _mail_to(desk, "coordinator-en", key="x")
    async with listening(_Slow()) as peer:
        assert isinstance(peer, _Slow)
        way = SmtpTransport(
            SmtpServer("127.0.0.1", peer.port, Security.PLAIN, timeout_s=5, final_timeout_s=0.2)
        )
        await deliver(desk, way)
        row = _rows(desk, "x")["coordinator-en"]
        assert (row.state, row.uncertain) == (State.RETRY, True)
        peer.gate.set()
        desk.later(minutes=20)
        assert (await deliver(desk, way)).sent == 1
    found = desk.db.transact(lambda session: backlog(session, desk.clock.now()))
    assert (found.uncertain, found.left) == (1, 1)
    assert peer.kept[0][1] == peer.kept[1][1]
