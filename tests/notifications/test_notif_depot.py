"""A way out that can be asked what arrived: whole batches between two commits, and no doubt after a stop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import notif_cases as cases
import pytest
from notif_peer import TO
from notif_way import Way, deliver
from sqlalchemy import event

from notifications.delivery.maildir import MaildirTransport, read_maildir
from notifications.delivery.transport import Parcel
from notifications.outbox import attempts
from notifications.outbox.states import Phase, State
from notifications.outbox.verdict import Ending, Outcome


def parcel(recipient: str = TO, number: int = 1) -> Parcel:
    return Parcel("us@cochin.example", recipient, f"<{number}@x>", b"Subject: hello\r\n\r\nhello\r\n")


class _StopsBefore(MaildirTransport):
    """Stops before anything is handed over."""

    async def send_all(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        raise RuntimeError("power cut")


def _cut(*_: object) -> None:
    raise RuntimeError("power cut")


# --- the batch ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("versions", [1, 5])
async def test_a_batch_of_any_size_takes_two_commits(
    desk: cases.Study, box: MaildirTransport, versions: int
) -> None:
    for version in range(1, versions + 1):
        desk.tell(cases.exposure(version=version))
    commits: list[object] = []
    event.listen(desk.db.engine, "commit", commits.append)
    report = await deliver(desk, box)
    assert (report.sent, len(commits)) == (2 * versions, 2)


async def test_what_a_depot_does_not_take_holds_the_way_and_keeps_its_turn(
    either: cases.Study, box: MaildirTransport
) -> None:
    box.root.mkdir()
    bad = box.root / "coordinator-fr@cochin.example"
    bad.write_text("a file where a folder should be")
    either.tell(cases.reminder())
    either.tell(cases.rebooked())
    report = await deliver(either, box)
    assert report.settled == {"sent": 1, "channel": 1}
    assert report.channel.failures == 1
    assert report.next_due == report.channel.held_until == cases.NOW + timedelta(seconds=30)
    assert sorted(row.state for row in either.mails()) == [State.PENDING] * 3 + [State.SENT]
    assert {row.attempts for row in either.mails(state=State.PENDING)} == {0}
    bad.unlink()
    either.later(seconds=30)
    assert (await deliver(either, box)).sent == 3


# --- a stop ---------------------------------------------------------------------------------------------------


async def test_after_a_stop_what_arrived_is_found_and_settled(
    either: cases.Study, box: MaildirTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    either.tell(cases.reminder())
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "settle_sent", _cut)
        with pytest.raises(RuntimeError):
            await deliver(either, box)
    assert {row.state for row in either.mails()} == {State.LEASED}
    report = await deliver(either, box, everyone=True)
    assert (report.rescued, report.settled) == (2, {})
    for row in either.mails():
        assert (row.state, row.uncertain, row.attempts, row.sent_at) == (State.SENT, False, 1, cases.NOW)
        assert [one.outcome for one in either.attempts(row.id)] == ["sent"]
        assert len(read_maildir(box.root, row.address)) == 1


async def test_after_a_stop_what_did_not_arrive_leaves_at_once_with_the_same_bytes(
    either: cases.Study, box: MaildirTransport
) -> None:
    either.tell(cases.reminder())
    with pytest.raises(RuntimeError):
        await deliver(either, _StopsBefore(box.root))
    written = {row.id: row.body for row in either.mails()}
    report = await deliver(either, box, everyone=True)
    assert (report.rescued, report.sent) == (2, 2)
    assert {row.id: row.body for row in either.mails()} == written
    assert {(row.state, row.uncertain, row.attempts) for row in either.mails()} == {(State.SENT, False, 1)}


async def test_without_a_restart_the_lease_ends_first(desk: cases.Study, box: MaildirTransport) -> None:
    desk.tell(cases.reminder())
    with pytest.raises(RuntimeError):
        await deliver(desk, _StopsBefore(box.root))
    assert (await deliver(desk, box)).sent == 0
    desk.later(minutes=2)
    assert (await deliver(desk, box)).sent == 2


async def test_a_mail_that_another_way_may_have_sent_stays_in_doubt(
    desk: cases.Study, box: MaildirTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell(cases.rebooked())
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "settle", _cut)
        with pytest.raises(RuntimeError):
            await deliver(desk, Way())
    await deliver(desk, box, everyone=True)
    assert [row.state for row in desk.mails() if row.uncertain] == [State.RETRY]


# --- Maildir --------------------------------------------------------------------------------------------------


async def test_those_before_the_first_that_fails_are_kept_and_those_after_it_not_tried(
    box: MaildirTransport,
) -> None:
    box.root.mkdir()
    (box.root / "bad@cochin.example").write_text("a file")
    parcels = [parcel(number=1), parcel("bad@cochin.example", 2), parcel(number=3)]
    kept, failed = await box.send_all(parcels)
    assert kept.accepted
    assert (failed.phase, failed.ending) == (Phase.CONNECT, Ending.UNREACHABLE)
    assert [message["Subject"] for message in read_maildir(box.root, TO)] == ["hello"]


async def test_a_mail_is_found_before_and_after_it_was_read(box: MaildirTransport) -> None:
    assert not box.has(TO, "<1@x>")
    await box.send_all([parcel()])
    assert box.has(TO, "<1@x>")
    assert not box.has(TO, "<2@x>")
    (new,) = (box.root / TO / "new").iterdir()
    new.rename(box.root / TO / "cur" / f"{new.name}:2,S")
    assert box.has(TO, "<1@x>")
