"""The worklist: what the daily mail says, in its order, each with one action; whatever is settled is gone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from console_cases import OPERATOR, SUBJECT, House
from sqlmodel import Session, select

from config.language import Language
from notifications.words.digest import digest_context
from scheduler.console.actions import action_for
from scheduler.domain.civil import local_date
from scheduler.domain.facts import Enrolled, FlagAcknowledged, Formulation, Regimen, Source
from scheduler.domain.flags import FlagCode
from scheduler.domain.reason import because
from scheduler.engine.account.accounts import Role
from scheduler.engine.recording.record import enrol
from scheduler.store.database import Database
from scheduler.store.flags import open_site_flag
from scheduler.store.subjects import add_fact
from scheduler.store.tables import AcknowledgementRow, FlagRow, ProtocolVersionRow, SiteRow, SubjectRow
from scheduler.store.worklist import Wanted, count_flags, worklist


def _digest(house: House) -> list[str]:
    now = house.clock.now()
    today = local_date(now, house.study.calendars["cochin"].zone)
    found = house.db.read(lambda session: digest_context(session, "cochin", today, now))
    return [str(one["id"]) for one in found["flags"]]


def _shown(page: str) -> list[str]:
    """The numbers of the matters in their order."""
    return re.findall(r'data-flag="(\d+)"', page)


def test_the_worklist_has_the_rows_of_the_daily_mail_in_its_order(furnished: House) -> None:
    browser = furnished.signed_in()
    expected = _digest(furnished)
    assert len(expected) > 1
    page = browser.get("/").text
    assert _shown(page) == expected
    assert f"{len(expected)} matters to see to." in page


def test_filters_keep_what_is_asked_for(furnished: House) -> None:
    browser = furnished.signed_in()
    by_kind = _shown(browser.get("/?kind=rows_held").text)
    flags = furnished.db.read(lambda session: session.exec(select(FlagRow)).all())
    assert by_kind == [str(one.id) for one in flags if one.code == "rows_held"]
    assert by_kind and _shown(browser.get("/?for=laboratory").text) == by_kind
    of_subject = _shown(browser.get(f"/?subject={SUBJECT.lower()}").text)
    assert of_subject and not set(of_subject) & set(by_kind)
    assert _shown(browser.get("/?kind=nonsense").text) == []


def test_late_evidence_clears_a_matter(furnished: House) -> None:
    browser = furnished.signed_in()
    zone = furnished.study.calendars["cochin"].zone
    before = _shown(browser.get(f"/?subject={SUBJECT}").text)
    missed = furnished.db.read(
        lambda session: session.exec(select(FlagRow).where(FlagRow.code == "visit_missed")).first()
    )
    assert missed is not None and str(missed.id) in before
    path = f"/subjects/{SUBJECT}/visits/{missed.visit}/attend"
    at = (furnished.clock.now().astimezone(zone)).strftime("%Y-%m-%dT08:00")
    browser.send(path, path, at=at)
    assert str(missed.id) not in _shown(browser.get("/").text)


def test_the_daemon_that_is_silent_is_told_of(furnished: House) -> None:
    browser = furnished.signed_in()
    assert "The service has never run on this database" in browser.get("/").text


@pytest.mark.parametrize("code", list(FlagCode))
def test_every_matter_has_one_action(code: FlagCode) -> None:
    reason = because("status_incomplete", missing=(because("missing_assessment", item="fvc"),))
    for role in Role:
        action = action_for(code, 7, SUBJECT, "W6", reason, [role])
        assert action.url.startswith(("/flags/7", f"/subjects/{SUBJECT}/visits/W6/"))


def _crowd(house: House, count: int, code: FlagCode = FlagCode.FILE_QUARANTINED, age_days: int = 0) -> None:
    """More matters of a kind, each a minute older than the one before."""
    now = house.clock.now() - timedelta(days=age_days)

    def step(session: Session) -> None:
        for number in range(count):
            reason = because(
                "flag_file_quarantined", name=f"{number}.csv", why=because("warned_no_eligibility")
            )
            key = f"site:cochin|-|{code}|{number}-{age_days}"
            open_site_flag(session, code, key, "cochin", reason, now - timedelta(minutes=number))

    house.db.transact(step)


def test_a_long_worklist_is_read_page_by_page_and_every_count_is_of_all_of_it(furnished: House) -> None:
    _crowd(furnished, 120)
    browser, expected = furnished.signed_in(), _digest(furnished)
    seen, path = [], "/"
    for _ in range(3):
        page = browser.get(path).text
        assert f"{len(expected)} matters to see to." in page
        seen += _shown(page)
        after = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = unescape(after[1]) if after else ""
    assert seen == expected and not path
    assert _shown(browser.get("/?page=99").text) == expected[100:]
    for nonsense in ("0", "-1", "x", "9" * 30, "²"):
        assert _shown(browser.get(f"/?page={nonsense}").text) == expected[:50]


def test_the_links_to_other_pages_keep_the_filters(furnished: House) -> None:
    _crowd(furnished, 120)
    browser = furnished.signed_in()
    page = browser.get("/?kind=file_quarantined&page=2").text
    assert "Shown by the filters: 120." in page
    links = re.findall(r'<a href="([^"]+)" rel="(?:prev|next)"', page)
    assert [unescape(one) for one in links] == [f"/?kind=file_quarantined&page={number}" for number in (1, 3)]
    assert len(_shown(browser.get(unescape(links[1])).text)) == 20


def test_what_is_only_for_information_and_older_is_a_list_of_its_own(furnished: House) -> None:
    _crowd(furnished, 60, FlagCode.VISIT_OUT_OF_WINDOW, age_days=5)
    browser, expected = furnished.signed_in(), _digest(furnished)
    page = browser.get("/").text
    assert _shown(page) == expected
    assert "60 older matters are" in page and "/?show=older" in page
    older = [browser.get(f"/?show=older&page={number}").text for number in (1, 2)]
    assert [len(_shown(one)) for one in older] == [50, 10]
    assert not {*_shown(older[0]), *_shown(older[1])} & set(expected)


def test_one_older_matter_is_spoken_of_as_one(furnished: House) -> None:
    _crowd(furnished, 1, FlagCode.VISIT_OUT_OF_WINDOW, age_days=5)
    english, french = furnished.signed_in(), furnished.signed_in("fabienne", language=Language.FR)
    assert "1 older matter is for information only; the list shows it." in english.get("/").text
    assert "1 point plus ancien, pour information seulement" in french.get("/").text


@pytest.mark.parametrize("which", ["coming", "held", "mails", "nonsense"])
def test_each_other_list_has_a_page_of_its_own(furnished: House, which: str) -> None:
    assert furnished.signed_in().get(f"/?show={which}").status_code == 200


def test_an_acknowledgement_counts_however_it_was_recorded_until_the_matter_comes_again(db: Database) -> None:
    """By its own row, or by a record of the subject; on both databases."""
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    hour = timedelta(hours=1)

    def step(session: Session) -> list[str]:
        session.add(SiteRow(id="cochin", name="Cochin", zone="Europe/Paris"))
        session.add(ProtocolVersionRow(sha256="0", protocol="P", version="1", text="", recorded_at=now))
        session.flush()
        session.add(SubjectRow(code="A", site_id="cochin", protocol_sha256="0", enrolled_at=now))
        session.flush()
        for key in ("A|row", "A|record", "A|again", "A|other"):
            open_site_flag(session, FlagCode.SUBJECT_PARKED, key, "cochin", because("x"), now, subject="A")
        for key, at in (("A|row", now + hour), ("A|again", now - hour)):
            session.add(AcknowledgementRow(flag_key=key, by="marie", reason="seen", at=at))
        session.flush()
        add_fact(session, "A", FlagAcknowledged("A|record", "seen"), now, "marie", Source.CLI)
        found = worklist(session, "cochin", now + 2 * hour)
        counts = count_flags(session, Wanted(["cochin"]), now + 2 * hour)
        assert [(one.code, one.told, one.older) for one in counts] == [(FlagCode.SUBJECT_PARKED, 2, 0)]
        return [flag.key for flag in found.flags]

    assert db.transact(step) == ["A|again", "A|other"]


def test_a_row_says_until_when_it_can_be_seen_to_where_the_protocol_sets_it(house: House) -> None:
    """The window of W6 closed a week ago, as in `tests/domain/test_domain_due.py`."""
    now, handle = house.clock.now(), house.desk.handle
    week_6 = local_date(now, house.study.calendars["cochin"].zone) - timedelta(days=52)
    what = Enrolled(week_6, None, Regimen(Formulation.MMF, 1000, 12))
    house.db.transact(
        lambda session: enrol(session, house.study, SUBJECT, "cochin", what, OPERATOR, now, handle)
    )
    page = house.signed_in().get(f"/?kind=visit_overdue&subject={SUBJECT}").text
    assert "at the latest</span>" in page and "raised with others on" in page
    missed = house.signed_in().get("/?kind=visit_missed").text
    assert "at the latest" not in missed
