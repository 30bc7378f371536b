"""The exposures of the study once a month: when, to whom, only with something new, and nobody named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path

import pytest
from engine_desk import SUBJECT, VALUES, Desk, at, speaker
from engine_members import cohort, member

from config.language import Language
from notifications.delivery.maildir import MaildirTransport
from notifications.delivery.step import Mailroom, delivery_step
from notifications.outbox.calm import mail_site
from notifications.outbox.queue import Calm
from notifications.words.letter import Letterhead
from pk.pictures.cohort import CohortLine
from pk.pictures.image import png
from scheduler.clock import ManualClock
from scheduler.engine.due.exposure_month import exposure_months, next_month_at
from scheduler.engine.picture.cohort import Charted, CohortSketch, cohort_of, cohort_sketch
from scheduler.engine.picture.curve import make_curve_of
from scheduler.engine.recheck import make_recheck
from scheduler.engine.study import Study
from scheduler.engine.target.member import PRIMARY, Member
from scheduler.engine.target.set import analysis_set

OCTOBER = at(7, 30, 1, 10)  # a Wednesday; the digest's hour
NOVEMBER = at(7, 30, 3, 11)  # the 1st is a Saturday and a holiday


def due(desk: Desk, now: datetime, decided: frozenset[str] = frozenset()) -> frozenset[str]:
    desk.now = now
    return desk.db.transact(
        partial(exposure_months, study=desk.study, now=now, handle=desk.handle, decided=decided)
    )


@pytest.fixture
def measured(desk: Desk) -> Desk:
    """One subject with one AUC."""
    desk.sampled()
    desk.lab()
    return desk


def test_a_month_is_due_on_its_first_open_day_at_the_hour_of_the_digest_on_the_clock_of_the_site(
    study: Study,
) -> None:
    assert next_month_at(study, at(7, 31, 1, 9)) == OCTOBER
    assert next_month_at(study, OCTOBER) == NOVEMBER
    assert next_month_at(study, NOVEMBER - timedelta(seconds=1)) == NOVEMBER
    assert timedelta(days=33, hours=1) == NOVEMBER - OCTOBER  # summer time ended


def test_the_investigator_is_told_once_and_again_only_when_there_is_something_new(measured: Desk) -> None:
    assert due(measured, OCTOBER - timedelta(seconds=1)) == frozenset()
    assert due(measured, OCTOBER) == {"exposure_month|cochin|2025-10"}
    due(measured, OCTOBER + timedelta(days=2))
    (mail,) = measured.mails("exposure_month")
    assert (mail.staff_id, mail.subject, mail.expires_at) == (
        "investigator-1", None, OCTOBER + timedelta(days=7),
    )  # fmt: skip
    assert {name: mail.facts[name] for name in ("subjects", "aucs", "new")} == {
        "subjects": 1, "aucs": 1, "new": 1,
    }  # fmt: skip
    assert due(measured, NOVEMBER) == {"exposure_month|cochin|2025-11"}
    assert len(measured.mails("exposure_month")) == 1  # nothing was computed since
    measured.lab({**VALUES, "H2": "9.10"}, status="C")
    due(measured, at(7, 30, 1, 12))
    first, second = measured.mails("exposure_month")
    assert (second.facts["aucs"], second.facts["new"]) == (1, 1)
    assert first.topic != second.topic


def test_after_a_stop_it_is_still_told_within_a_week_and_not_later(measured: Desk) -> None:
    assert due(measured, OCTOBER + timedelta(days=7)) == frozenset()
    assert measured.mails("exposure_month") == []
    assert due(measured, OCTOBER + timedelta(days=7, seconds=-1))
    assert len(measured.mails("exposure_month")) == 1


def test_what_was_decided_needs_no_second_look(measured: Desk) -> None:
    decided = frozenset({"exposure_month|cochin|2025-10"})
    assert due(measured, OCTOBER, decided) == frozenset()
    assert measured.mails("exposure_month") == []


def test_what_is_computed_after_its_hour_belongs_to_the_next_month_also_after_a_restart(desk: Desk) -> None:
    """A daemon that was started again has not decided anything yet, and decides the same."""
    desk.sampled()
    assert due(desk, OCTOBER) == {"exposure_month|cochin|2025-10"}
    desk.now = OCTOBER + timedelta(hours=3)
    desk.lab()
    assert due(desk, OCTOBER + timedelta(days=1), decided=frozenset()) == {"exposure_month|cochin|2025-10"}
    assert desk.mails("exposure_month") == []
    due(desk, NOVEMBER)
    (mail,) = desk.mails("exposure_month")
    assert mail.key.startswith("exposure_month|cochin|2025-11")


def test_without_an_auc_there_is_no_mail(desk: Desk) -> None:
    desk.sampled()
    assert due(desk, OCTOBER) == {"exposure_month|cochin|2025-10"}
    assert desk.mails("exposure_month") == []


@pytest.mark.parametrize("picture", [True, False])
async def test_the_mail_shows_the_picture_names_nobody_and_says_no_value(
    measured: Desk, tmp_path: Path, picture: bool
) -> None:
    study = measured.study
    sites = {name: mail_site(file, study.calendars[name]) for name, file in study.sites.items()}
    assert measured.handle is not None
    room = Mailroom(
        letterhead=Letterhead("mpa@study.example", "mpa@study.example", "study.example"),
        calm=Calm(sites, 60),
        protocol_of=study.protocol_of,
        handle=measured.handle,
        recheck=make_recheck(study),
        owner="test",
        sentences=speaker(study).sentences,
        curve_of=make_curve_of(study) if picture else None,
    )
    due(measured, OCTOBER)
    clock = ManualClock(OCTOBER + timedelta(hours=2))
    await delivery_step(measured.db, MaildirTransport(tmp_path), clock, room, everyone=True)
    (mail,) = [one for one in _sent(tmp_path) if "expositions de l'étude" in str(one["Subject"])]
    images = [one for one in mail.walk() if one.get_content_type() == "image/png"]
    assert len(images) == picture
    for one in mail.walk():
        if one.get_content_maintype() == "text":
            said = one.get_content()
            assert SUBJECT not in said and not any(value in said for value in VALUES.values())
            assert "mpa-monitor target --out" in said
            assert ("Les valeurs ne sont pas transmises par courriel." in said) is not picture


def _sent(folder: Path) -> list[EmailMessage]:
    found = [message_from_bytes(one.read_bytes(), policy=SMTP) for one in folder.rglob("new/*")]
    return [one for one in found if isinstance(one, EmailMessage)]


@pytest.mark.parametrize("language", list(Language))
def test_the_picture_names_nobody_and_its_bands_as_borrowed(study: Study, language: Language) -> None:
    members = cohort(30, effect=20)
    sketch = sketched(members, study, language)
    picture = sketch.picture()
    words = [
        picture.words.title,
        picture.words.remark,
        picture.words.subject,
        *(one.label for one in picture.bands),
    ]
    assert not any(one.code in " ".join(words) for one in members)
    borrowed = {Language.EN: "(borrowed)", Language.FR: "(emprunté)"}[language]
    assert picture.bands and all(borrowed in one.label for one in picture.bands)
    assert "35" in picture.words.remark and "45" in picture.words.remark and "{" not in picture.words.remark
    assert (len(picture.lines), len(sketch.pairs)) == (30, 30)


def test_who_is_who_cannot_be_told_from_the_order(study: Study) -> None:
    members = cohort(12)
    renamed = tuple(replace(one, code=f"X-{i}") for i, one in enumerate(reversed(members)))
    one, other = (sketched(of, study, Language.EN) for of in (members, renamed))
    assert one == other and hash(one) == hash(other)
    assert png(one.picture()) == png(other.picture())


def test_with_two_patients_nothing_is_planned(study: Study) -> None:
    sketch = sketched((member(1, 38.0, True, -8), member(2, 52.0, False, 1)), study, Language.EN)
    assert "cannot be said" in sketch.picture().words.remark


def test_nobody_with_an_auc_gives_no_picture(study: Study) -> None:
    assert cohort_of((), study, speaker(study)) is None


def test_the_picture_is_of_the_analysis_set(measured: Desk) -> None:
    """It is drawn from what the report of the study's question is made from, without those who have no AUC."""
    measured.enrol("MPA-0002-1")
    told = speaker(measured.study)
    members = measured.db.read(lambda session: analysis_set(session, measured.study, told))
    found = measured.db.read(lambda session: cohort_sketch(session, measured.study, told))
    assert (len(members), len([one for one in members if one.exposures["days"]])) == (2, 1)
    assert found == sketched([one for one in members if one.exposures["days"]], measured.study, Language.EN)


def sketched(members: Sequence[Member], study: Study, language: Language) -> CohortSketch:
    found = cohort_of(map(charted, members), study, speaker(study, language))
    assert found is not None
    return found


def charted(one: Member) -> Charted:
    line = CohortLine(tuple(day / 7 for day in one.exposures["days"]), tuple(one.exposures["aucs"]))
    return Charted(line, one.exposure(PRIMARY), one.response)
