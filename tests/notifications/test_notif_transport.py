"""The ways out: what both promise, and what a mail server can do to us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from notif_peer import CERTIFICATE, DROP, Peer, listening, server_context

from notifications.delivery.maildir import MaildirTransport, read_maildir
from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport
from notifications.delivery.transport import Parcel, Transport
from notifications.outbox.states import Phase
from notifications.outbox.verdict import Ending, Outcome

TO = "nurse@cochin.example"
BODY = b"Message-ID: <1@x>\r\nSubject: x\r\n\r\nhello\r\n.hidden dot\r\n"


def parcel(recipient: str = TO, number: int = 1) -> Parcel:
    return Parcel("bounces@study.example", recipient, f"<{number}@study.example>", BODY)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def plain(peer: Peer) -> SmtpTransport:
    return SmtpTransport(SmtpServer("127.0.0.1", peer.port, Security.PLAIN, timeout_s=5, final_timeout_s=5))


def names_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def send(transport: Transport, *parcels: Parcel) -> list[Outcome]:
    async with transport.burst() as burst:
        return [await burst.send(one, yes) for one in parcels]


@asynccontextmanager
async def _smtp_way() -> AsyncIterator[tuple[Transport, Peer]]:
    async with listening(Peer()) as peer:
        yield plain(peer), peer


@asynccontextmanager
async def _maildir_way(root: Path) -> AsyncIterator[tuple[Transport, Path]]:
    yield MaildirTransport(root), root


Way = AbstractAsyncContextManager[tuple[Transport, Peer | Path]]


@pytest.fixture(params=["smtp", "maildir"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    return _smtp_way() if request.param == "smtp" else _maildir_way(tmp_path / "mail")


def arrived(place: Peer | Path, address: str = TO) -> list[bytes]:
    if isinstance(place, Peer):
        return [content for to, content in place.kept if address in to]
    return [bytes(one) for one in read_maildir(place, address)]


# --- the contract of both ways --------------------------------------------------------------------------------


async def test_an_accepted_mail_has_arrived(way: Way) -> None:
    async with way as (transport, place):
        (outcome,) = await send(transport, parcel())
        assert outcome.accepted
        assert outcome.code == 250
        (content,) = arrived(place)
        assert b"hello" in content
        assert b"\n.hidden dot" in content.replace(b"\r\n", b"\n")


async def test_the_attempt_is_announced_before_the_mail_is_handed_over(way: Way) -> None:
    async with way as (transport, place):
        seen: list[int] = []

        async def before_data() -> bool:
            seen.append(len(arrived(place)) if isinstance(place, Peer) or place.exists() else 0)
            return True

        async with transport.burst() as burst:
            await burst.send(parcel(), before_data)
        assert seen == [0]


async def test_a_mail_whose_lease_was_lost_is_not_handed_over_and_the_next_one_is(way: Way) -> None:
    async with way as (transport, place):
        async with transport.burst() as burst:
            lost = await burst.send(parcel(), no)
            kept = await burst.send(parcel("other@cochin.example", 2), yes)
        assert lost.ending is Ending.ABANDONED
        assert kept.accepted
        assert isinstance(place, Path) or arrived(place) == []
        assert len(arrived(place, "other@cochin.example")) == 1


async def test_many_mails_go_in_one_burst(way: Way) -> None:
    async with way as (transport, place):
        outcomes = await send(transport, *(parcel(number=n) for n in range(5)))
        assert all(one.accepted for one in outcomes)
        assert len(arrived(place)) == 5
        assert not isinstance(place, Peer) or place.connections == 1


# --- Maildir --------------------------------------------------------------------------------------------------


async def test_the_same_mail_delivered_twice_replaces_itself(tmp_path: Path) -> None:
    box = MaildirTransport(tmp_path)
    await send(box, parcel(), parcel())
    assert len(read_maildir(tmp_path, TO)) == 1


async def test_a_mail_that_was_read_is_replaced_where_it_lies(tmp_path: Path) -> None:
    box = MaildirTransport(tmp_path)
    await send(box, parcel())
    (new,) = (tmp_path / TO / "new").iterdir()
    new.rename(tmp_path / TO / "cur" / f"{new.name}:2,S")
    await send(box, parcel())
    assert len(read_maildir(tmp_path, TO)) == 1


async def test_an_address_cannot_leave_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "mail"
    await send(MaildirTransport(root), parcel("../../evil/x@y"))
    assert names_in(tmp_path) == ["mail"]


async def test_a_folder_that_cannot_be_written_holds_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    (outcome,) = await send(MaildirTransport(tmp_path / "mail"), parcel())
    assert (outcome.phase, outcome.ending) == (Phase.CONNECT, Ending.UNREACHABLE)


# --- SMTP and its faults --------------------------------------------------------------------------------------


async def test_a_refused_recipient_does_not_block_the_next() -> None:
    async with listening(Peer()) as peer:
        peer.refused["gone@cochin.example"] = "550 5.1.1 no such user"
        refused, accepted = await send(plain(peer), parcel("gone@cochin.example"), parcel())
        assert (refused.phase, refused.code, refused.enhanced) == (Phase.RCPT, 550, "5.1.1")
        assert accepted.accepted
        assert peer.connections == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
async def test_a_connection_lost_before_data_was_not_handed_over(verb: str) -> None:
    async with listening(Peer()) as peer:
        peer.on[verb] = [DROP]
        lost, after = await send(plain(peer), parcel(), parcel(number=2))
        assert lost.ending is Ending.LOST
        assert lost.phase is Phase[verb]
        assert after.accepted
        assert peer.connections == 2


@pytest.mark.parametrize(("fault", "kept"), [("DATA", 0), ("KEPT", 1)])
async def test_a_connection_lost_after_data_looks_the_same_whether_the_mail_was_kept(
    fault: str, kept: int
) -> None:
    async with listening(Peer()) as peer:
        peer.on[fault] = [DROP]
        (outcome,) = await send(plain(peer), parcel())
        assert (outcome.phase, outcome.ending) == (Phase.DATA, Ending.LOST)
        assert len(peer.kept) == kept


async def test_a_refusal_after_data_is_an_answer() -> None:
    async with listening(Peer()) as peer:
        peer.on["DATA"] = ["552 5.3.4 too big"]
        (outcome,) = await send(plain(peer), parcel())
        assert (outcome.phase, outcome.ending, outcome.code) == (Phase.REPLIED, Ending.REPLIED, 552)


async def test_a_server_that_leaves_is_left() -> None:
    async with listening(Peer()) as peer:
        peer.on["RCPT"] = ["421 4.3.2 shutting down"]
        left, after = await send(plain(peer), parcel(), parcel(number=2))
        assert left.code == 421
        assert after.accepted
        assert peer.connections == 2


async def test_nobody_listening_is_an_unreachable_server() -> None:
    async with listening(Peer()) as peer:
        port = peer.port
    server = SmtpServer("127.0.0.1", port, Security.PLAIN, timeout_s=5)
    (outcome,) = await send(SmtpTransport(server), parcel())
    assert (outcome.phase, outcome.ending) == (Phase.CONNECT, Ending.UNREACHABLE)


async def test_a_silent_server_is_an_unreachable_server() -> None:
    async with listening(Peer()) as peer:
        server = SmtpServer("127.0.0.1", peer.port, Security.TLS, timeout_s=0.2)
        (outcome,) = await send(SmtpTransport(server), parcel())
        assert outcome.phase is Phase.CONNECT
        assert outcome.ending in (Ending.UNREACHABLE, Ending.UNTRUSTED)


async def test_mail_goes_encrypted_when_the_certificate_holds() -> None:
    async with listening(Peer(), tls_context=server_context(), require_starttls=True) as peer:
        server = SmtpServer("localhost", peer.port, ca_file=str(CERTIFICATE), timeout_s=5)
        (outcome,) = await send(SmtpTransport(server), parcel())
        assert outcome.accepted


async def test_a_certificate_that_does_not_hold_stops_all_mail() -> None:
    async with listening(Peer(), tls_context=server_context()) as peer:
        (outcome,) = await send(SmtpTransport(SmtpServer("localhost", peer.port, timeout_s=5)), parcel())
        assert (outcome.phase, outcome.ending) == (Phase.CONNECT, Ending.UNTRUSTED)
        assert peer.kept == []


async def test_a_server_without_starttls_gets_no_mail() -> None:
    async with listening(Peer()) as peer:
        (outcome,) = await send(SmtpTransport(SmtpServer("localhost", peer.port, timeout_s=5)), parcel())
        assert (outcome.phase, outcome.ending) == (Phase.CONNECT, Ending.UNTRUSTED)
        assert peer.kept == []


async def test_a_server_that_knows_no_login_gets_no_mail() -> None:
    async with listening(Peer()) as peer:
        server = SmtpServer("127.0.0.1", peer.port, Security.PLAIN, "user", "secret", timeout_s=5)
        (outcome,) = await send(SmtpTransport(server), parcel())
        assert outcome.ending is Ending.UNTRUSTED
        assert peer.kept == []


async def test_a_refused_login_is_told_apart() -> None:
    refuse = {"auth_require_tls": False, "auth_callback": lambda *_: False}
    async with listening(Peer(), **refuse) as peer:
        server = SmtpServer("127.0.0.1", peer.port, Security.PLAIN, "user", "secret", timeout_s=5)
        (outcome,) = await send(SmtpTransport(server), parcel())
        assert (outcome.ending, outcome.code) == (Ending.LOGIN_REFUSED, 535)
        assert "secret" not in outcome.text


async def test_an_address_that_smtp_cannot_carry_is_not_tried() -> None:
    async with listening(Peer()) as peer:
        odd, good = await send(plain(peer), parcel("infirmière@cochin.example"), parcel())
        assert odd.ending is Ending.UNSENDABLE
        assert good.accepted


def test_mail_to_another_machine_must_be_encrypted() -> None:
    with pytest.raises(ValueError, match="must be encrypted"):
        SmtpServer("smtp.example", 25, Security.PLAIN)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(SmtpServer("smtp.example", 587, username="u", password="secret"))
