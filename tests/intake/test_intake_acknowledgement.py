"""The ACK of an HL7 file: what it answers, in what words, and that other readers of HL7 understand it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import OTHER, Bench, a_study, enrol, found_site, lab_file
from message_cases import DOTTED, hl7_bytes, hprim_bytes
from test_intake_er7 import MARKS
from test_intake_review import decide, waiting

from scheduler.intake.acknowledgement import _escaped
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.held.review import Decision
from scheduler.intake.readers.er7 import unescape
from scheduler.store.database import Database

UNIT = {**DOTTED[1], "unit": ""}
STRANGER = {**DOTTED[2], "subject_id": OTHER}


def a_lab(**changes: Any) -> dict[str, Any]:
    hl7_table = lab_file().hl7
    assert hl7_table is not None
    return {"hl7": hl7_table.model_copy(update={"acknowledge": True, **changes})}


@pytest.fixture
def asking(bench: Bench) -> Bench:
    """A laboratory that wants its messages answered."""
    bench.study = a_study(**a_lab())
    return bench


def acks(bench: Bench) -> list[bytes]:
    return [
        (bench.root / "receipts" / name).read_bytes()
        for name in bench.names("receipts")
        if name.endswith(".hl7")
    ]


def answer(bench: Bench, *messages: bytes) -> list[hl7.Message]:
    """The ACKs of a file with these messages, as python-hl7 reads them."""
    bench.drop("m.hl7", b"".join(messages))
    bench.step()
    (content,) = acks(bench)
    assert content.endswith(b"\r")
    assert b"\n" not in content
    single = [b"MSH" + part for part in content.split(b"MSH")[1:]]
    return [hl7.parse(one, encoding="utf-8") for one in single]


def msa(message: hl7.Message) -> tuple[str, str]:
    return str(message.segment("MSA")[1]), str(message.segment("MSA")[2])


# --- what it says ---------------------------------------------------------------------------------------------


def test_an_accepted_message_is_answered_with_AA_from_its_receiver_to_its_sender(asking: Bench) -> None:
    content = hl7_bytes(number="LAB-77").replace(b"|CCH-PHARMACO|||", b"|CCH-PHARMACO|MPA|STUDY|", 1)
    (ack,) = answer(asking, content)
    msh = ack.segment("MSH")
    assert [str(msh[no]) for no in (3, 4, 5, 6)] == ["MPA", "STUDY", "GLIMS", "CCH-PHARMACO"]
    assert [str(msh[no]) for no in (9, 11, 12, 18)] == ["ACK^R01^ACK", "P", "2.5.1", "UNICODE UTF-8"]
    assert msa(ack) == ("AA", "LAB-77")
    assert len(ack) == 2


def test_a_held_result_is_AE_with_its_rule_and_sentence(asking: Bench) -> None:
    (ack,) = answer(asking, hl7_bytes([DOTTED[0], UNIT]))
    assert msa(ack) == ("AE", "M1")
    err = ack.segment("ERR")
    assert str(err[3]).startswith("101^")
    assert [str(err[no]) for no in (4, 5)] == ["E", "R-15"]
    assert "l'unité manque" in str(err[8]) or "unité" in str(err[8])


@pytest.mark.parametrize(("then", "code", "said"), [("enrol", "AA", ""), ("reject", "AE", "settled")])
def test_a_held_result_that_is_settled_is_answered_anew(
    asking: Bench, then: str, code: str, said: str
) -> None:
    """Under the same name, as another message: who keeps the numbers of messages must not take it for the first."""
    (before,) = answer(asking, hl7_bytes([STRANGER]))
    assert msa(before) == ("AE", "M1")
    if then == "enrol":
        enrol(asking.db, OTHER)
    else:
        decide(asking, waiting(asking)[0].number, Decision.REJECT)
    asking.step()
    (content,) = acks(asking)
    after = hl7.parse(content, encoding="utf-8")
    assert msa(after) == (code, "M1")
    assert str(after.segment("MSH")[10]) == f"{before.segment('MSH')[10]}-1"
    assert said in content.decode()


def test_an_answer_whose_message_was_deleted_stays_as_it_was(asking: Bench) -> None:
    answer(asking, hl7_bytes([STRANGER]))
    before = acks(asking)
    (original,) = (asking.root / "archive").iterdir()
    original.unlink()
    enrol(asking.db, OTHER)
    asking.step()
    assert acks(asking) == before
    assert asking.step().waiting == 0


def test_every_message_of_a_file_is_answered_by_itself(asking: Bench) -> None:
    found = answer(
        asking,
        hl7_bytes([DOTTED[0]], number="A"),
        hl7_bytes([UNIT], number="B"),
        hl7_bytes([STRANGER], number="C"),
        hl7_bytes([DOTTED[0]], number="D").replace(b"ORU^R01^ORU_R01", b"ADT^A01^ADT_A01"),
    )
    assert [msa(one) for one in found] == [("AA", "A"), ("AE", "B"), ("AE", "C"), ("AR", "D")]
    assert len({str(one.segment("MSH")[10]) for one in found}) == 4
    assert str(found[2].segment("ERR")[3]).startswith("204^")
    assert str(found[3].segment("ERR")[3]).startswith("200^")


def test_a_refused_file_is_AR_for_each_of_its_messages(asking: Bench) -> None:
    whole = hl7_bytes(number="A") + hl7_bytes(number="B")
    found = answer(asking, whole[: whole.rindex(b"OBX") + 9])
    assert [msa(one) for one in found] == [("AR", "A"), ("AR", "B")]
    assert {str(one.segment("ERR")[5]) for one in found} == {"F-11"}


def test_a_message_that_comes_again_is_known_and_accepted(asking: Bench) -> None:
    answer(asking, hl7_bytes())
    asking.drop("again.hl7", hl7_bytes(number="M2"))
    asking.step()
    assert [one.split(b"\r")[1] for one in acks(asking)] == [b"MSA|AA|M2", b"MSA|AA|M1"]


@pytest.mark.parametrize(
    ("wanted", "held", "answered"),
    [
        ("", False, True), ("AL", True, True), ("NE", True, False), ("NE", False, False), ("ER", True, True),
        ("ER", False, False), ("SU", True, False), ("SU", False, True),
    ],
)  # fmt: skip
def test_MSH_16_says_which_answers_are_wanted(asking: Bench, wanted: str, held: bool, answered: bool) -> None:
    content = hl7_bytes([UNIT if held else DOTTED[0]])
    content = content.replace(b"|2.5.1||||||UNICODE", f"|2.5.1|||AL|{wanted}||UNICODE".encode())
    asking.drop("m.hl7", content)
    asking.step()
    assert bool(acks(asking)) is answered


def test_nobody_is_answered_who_did_not_ask(bench: Bench, asking: Bench) -> None:
    asking.drop("csv.csv", hprim_bytes())
    asking.drop("other.hl7", hl7_bytes(facility="ELSEWHERE"))
    asking.step()
    assert acks(asking) == []
    bench.study = a_study()
    bench.drop("m.hl7", hl7_bytes())
    bench.step()
    assert acks(bench) == []


# --- how it is written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.2"])
@pytest.mark.parametrize("held", [False, True])
def test_hl7apy_strict_finds_nothing_wrong(asking: Bench, version: str, held: bool) -> None:
    content = hl7_bytes([UNIT if held else DOTTED[0]], version=version)
    answer(asking, content)
    text = acks(asking)[0].decode()
    parsed = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert parsed.msa.msa_1.to_er7() == ("AE" if held else "AA")
    parsed.validate()


@pytest.mark.parametrize(
    ("charset", "codec"), [("8859/1", "iso8859-1"), ("8859/15", "iso8859-15"), ("ASCII", "ascii")]
)
def test_the_answer_is_in_the_characters_of_the_message(asking: Bench, charset: str, codec: str) -> None:
    asking.drop("m.hl7", hl7_bytes([UNIT], charset=charset))
    asking.step()
    text = acks(asking)[0].decode(codec)
    assert f"|{charset}\r" in text
    assert ("unite" if codec == "ascii" else "unité") in text


def test_the_answer_has_the_delimiters_of_the_message(asking: Bench) -> None:
    asking.drop("m.hl7", hl7_bytes([UNIT], marks="#*+!%"))
    asking.step()
    msh, found, err = acks(asking)[0].decode().split("\r")[:3]
    assert msh.startswith("MSH#*+!%#")
    assert found == "MSA#AE#M1"
    assert err.split("#")[3].startswith("101*")


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])))
def test_a_sentence_is_what_it_was_before_it_was_escaped(text: str) -> None:
    assert unescape(_escaped(text, MARKS), MARKS) == "".join(
        one if one.isprintable() else " " for one in text
    )


# --- crash ----------------------------------------------------------------------------------------------------


class PowerCutError(BaseException):
    """Ends everything at once."""


@pytest.mark.parametrize("cut_at", [1, 2, 3])
def test_a_stop_while_the_receipts_are_written_gives_the_same_answer(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    found_site(sqlite_db)
    enrol(sqlite_db)
    bench = Bench(tmp_path / "drop", sqlite_db, a_study(**a_lab()))
    bench.drop("m.hl7", hl7_bytes([DOTTED[0], UNIT]))
    real, calls = DropFolder.write, 0

    def dies(folder: DropFolder, *args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == cut_at:
            raise PowerCutError
        real(folder, *args)

    with monkeypatch.context() as patched:
        patched.setattr(DropFolder, "write", dies)
        with pytest.raises(PowerCutError):
            bench.step()
    bench.restart()
    bench.look()
    (content,) = acks(bench)
    assert content.split(b"\r")[1] == b"MSA|AE|M1"
    assert len(bench.names("receipts")) == 3
