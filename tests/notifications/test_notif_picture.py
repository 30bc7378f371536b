"""The picture in mails about an AUC: who gets it, how the HTML names it, and that the words stay as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from pathlib import Path
from typing import Any

import notif_cases as cases
import pytest
from PIL import Image
from sqlalchemy import insert
from sqlmodel import Session

from config.language import Language
from notifications.delivery.maildir import MaildirTransport
from notifications.delivery.step import delivery_step
from notifications.delivery.writing import still_to_draw, write
from notifications.outbox.queue import Claim, Claimed
from notifications.outbox.verdict import Attempt
from notifications.words.context import Memo
from notifications.words.inline import CurveOf, InlinePicture
from notifications.words.letter import write_letter
from notifications.words.render import Rendered
from pk.pictures.curve import ConcentrationCurve, CurveWords, DrawnSample
from scheduler.domain.exposure import Exposure, VisitExposures
from scheduler.domain.pictures import TitledAuc, curve_words
from scheduler.domain.plan import ExposureChange
from scheduler.domain.protocol import Event
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.store.exposures import exposure_rows
from scheduler.store.tables import ExposureRow, OutboxRow

VALUES = ("45.2", "45,2", "38.1", "38,1")


@dataclass(frozen=True)
class Sketched:
    """A curve of three points; or one that cannot be drawn."""

    words: CurveWords
    fails: bool = False

    def picture(self) -> ConcentrationCurve:
        if self.fails:
            raise ArithmeticError("no picture")
        return ConcentrationCurve(
            times_h=(0.0, 1.0, 12.0),
            individual_mg_l=(1.8, 12.0, 1.7),
            interval_h=12.0,
            samples=(DrawnSample("H0", -0.1, 1.85),),
            words=self.words,
        )


def curve_of(session: Session, row: OutboxRow, speaker: Speaker) -> Sketched:
    assert row.subject is not None and row.visit is not None
    return Sketched(curve_words(speaker, row.subject, row.visit, TitledAuc(None, 45.2, (38.1, 54.0))))


def broken_curve_of(session: Session, row: OutboxRow, speaker: Speaker) -> Sketched:
    return replace(curve_of(session, row, speaker), fails=True)


def no_sketch(session: Session, row: OutboxRow, speaker: Speaker) -> Sketched:
    raise LookupError("the visit is gone")


def row_of(desk: cases.Study, event: Event, staff: str = "investigator") -> OutboxRow:
    desk.tell(cases.exposure(event))
    return desk.mails(staff_id=staff)[-1]


def written(desk: cases.Study, row: OutboxRow, **changes: Any) -> tuple[bytes, EmailMessage]:
    """The mail as it is written once its picture was drawn, between two transactions."""
    room, memo = cases.room(**changes), Memo()
    mail = Claimed(row.id or 0, "", "", "", "", "", "", "", Attempt("", 0, cases.NOW, None, False, False))
    claim = Claim((mail,), 0, {row.id or 0: row})
    missing = desk.do(lambda session: still_to_draw(session, room, claim, memo))
    room.album.draw(missing.values(), cases.DOMAIN)
    content: bytes = desk.do(lambda session: write(session, row, room, cases.NOW, memo))
    message = message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert not any(one.defects for one in message.walk())
    return content, message


def types(message: EmailMessage) -> list[str]:
    return [one.get_content_type() for one in message.walk()]


@pytest.mark.parametrize("event", [Event.AUC_AVAILABLE, Event.AUC_AMENDED])
def test_the_html_shows_the_picture_that_comes_with_it(desk: cases.Study, event: Event) -> None:
    content, message = written(desk, row_of(desk, event), curve_of=curve_of)
    assert types(message) == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    (image,) = [one for one in message.walk() if one.get_content_type() == "image/png"]
    (html,) = [one.get_content() for one in message.walk() if one.get_content_type() == "text/html"]
    assert image["Content-Disposition"].startswith("inline")
    assert re.findall(r'<img src="cid:([^"]+)"', html) == [str(image["Content-ID"]).strip("<>")]
    assert 'alt="MPA-0042-7 · 6 semaines · AUC0-12 45,2 mg·h/L · intervalle' in html
    assert Image.open(BytesIO(image.get_content())).format == "PNG"
    assert content.isascii() and max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_the_text_names_no_value_and_claims_none_is_sent_only_when_it_is_so(desk: cases.Study) -> None:
    row = row_of(desk, Event.AUC_AVAILABLE)
    texts = []
    for room in ({"curve_of": curve_of}, {}):
        _, message = written(desk, row, **room)
        (text,) = [one.get_content() for one in message.walk() if one.get_content_type() == "text/plain"]
        assert not any(value in text for value in VALUES)
        texts.append(text)
    with_picture, without = texts
    words = "Les valeurs ne sont pas transmises par courriel."
    assert words in without and words not in with_picture
    assert with_picture.split() == without.replace(words, "").split()


def test_without_a_curve_the_mail_is_as_before(desk: cases.Study) -> None:
    row = row_of(desk, Event.AUC_AVAILABLE)
    plain, message = written(desk, row)
    assert types(message) == ["multipart/alternative", "text/plain", "text/html"]
    assert written(desk, row, curve_of=lambda *_: None)[0] == plain


@pytest.mark.parametrize("fails", [broken_curve_of, no_sketch])
def test_a_picture_that_fails_keeps_no_mail_from_going(desk: cases.Study, fails: CurveOf) -> None:
    row = row_of(desk, Event.AUC_AVAILABLE)
    assert written(desk, row, curve_of=fails)[0] == written(desk, row)[0]


def test_other_mails_and_the_laboratory_get_no_picture(desk: cases.Study) -> None:
    withdrawn = row_of(desk, Event.AUC_WITHDRAWN)
    assert "image/png" not in types(written(desk, withdrawn, curve_of=curve_of)[1])
    available = row_of(desk, Event.AUC_AVAILABLE)
    available.facts = {**available.facts, "roles": ["laboratory"]}
    assert "image/png" not in types(written(desk, available, curve_of=curve_of)[1])
    desk.tell(cases.rebooked())
    assert "image/png" not in types(written(desk, desk.mails()[0], curve_of=curve_of)[1])


def test_the_same_mail_has_the_same_bytes(desk: cases.Study) -> None:
    row = row_of(desk, Event.AUC_AVAILABLE)
    assert written(desk, row, curve_of=curve_of)[0] == written(desk, row, curve_of=curve_of)[0]


def test_a_content_id_can_add_no_header(desk: cases.Study) -> None:
    row = row_of(desk, Event.AUC_AVAILABLE)
    evil = InlinePicture(b"", "x\r\nBcc: a@b.example", "")
    with pytest.raises(ValueError, match="header"):
        write_letter(row, Rendered("s", "t\n", "h\n"), cases.HEAD, "A", None, cases.NOW, evil)


async def test_delivery_draws_between_two_transactions_and_then_sends(
    desk: cases.Study, tmp_path: Path
) -> None:
    drawn: list[bool] = []

    @dataclass(frozen=True)
    class Watched(Sketched):
        def picture(self) -> ConcentrationCurve:
            drawn.append(desk.db.transact(lambda _session: True))  # would wait for ever inside another one
            return super().picture()

    def watched(session: Session, row: OutboxRow, speaker: Speaker) -> Watched:
        return Watched(curve_of(session, row, speaker).words)

    desk.tell(cases.exposure())
    desk.tell(cases.rebooked())
    report = await delivery_step(
        desk.db, MaildirTransport(tmp_path), desk.clock, cases.room(curve_of=watched), everyone=True
    )
    assert report.sent == len(desk.mails()) == len(desk.mails(state="sent"))
    assert drawn == [True]  # investigator and pharmacist read the same picture
    assert _pictures_in(tmp_path) == 2
    assert {attempt.outbox_id for attempt in desk.attempts()} == {row.id for row in desk.mails()}
    assert len(desk.attempts()) == len(desk.mails())


def _pictures_in(folder: Path) -> int:
    return sum(b"image/png" in file.read_bytes() for file in folder.rglob("new/*"))


@pytest.mark.parametrize("language", [Language.EN, Language.FR])
def test_the_mail_tells_method_and_disagreement_and_no_value(desk: cases.Study, language: Language) -> None:
    desk.do(_estimated)
    row = row_of(desk, Event.AUC_AVAILABLE)
    row.language = language.value
    _, message = written(desk, row)
    said = {
        Language.EN: ("Method: average of the models.", "From 2 of 3 samples only (H0, H2)", "is 25% above"),
        Language.FR: (
            "Méthode\u202f: moyenne des modèles.",
            "2 prélèvements sur 3 seulement",
            "de 25\u202f%",
        ),
    }[language]
    for part in (one for one in message.walk() if one.get_content_maintype() == "text"):
        content = part.get_content()
        assert [one for one in said if one not in content] == []
        assert not re.search(r"\b(44|40|50)[.,]", content)


def _estimated(session: Session) -> None:
    remark = (because("auc_fewer_samples", count=2, expected=3, points="H0, H2"),)
    values = (("average", 44.0, remark), ("map_a", 40.0, ()), ("map_b", 50.0, ()))
    exposures = tuple(
        Exposure(name, "AUC0-12", one, None, None, "mg·h/L", (0.0, 12.0), (), notes)
        for name, one, notes in values
    )
    found = VisitExposures("h", exposures, "{}")
    rows = exposure_rows(cases.SUBJECT, ExposureChange(cases.VISIT, 1, found), cases.NOW)
    session.connection().execute(insert(ExposureRow), rows)
