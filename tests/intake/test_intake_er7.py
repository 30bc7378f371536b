"""The splitter: every line a segment, every message alone, nothing cut, delimiters as declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import H0, OTHER, context
from message_cases import DOTTED, Writer, batch, hl7_bytes, oul_lines
from reading_cases import fault_of, read_message, reading_of

from scheduler.intake.readers import Fault
from scheduler.intake.readers.er7 import Delimiters, lines_of, unescape
from scheduler.intake.readers.messages import messages_of
from scheduler.intake.rules.validate import validate

RESULTS = frozenset({("ORU", "R01"), ("OUL", "R22")})
MARKS = Delimiters("|", "^", "~", "\\", "&")
TEXT = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30)
ONE = hl7_bytes()
TWO = hl7_bytes([{**row, "subject_id": OTHER, "specimen_id": "X-" + row["specimen_id"]} for row in DOTTED])


# --- beside the libraries, on well-formed messages


@settings(deadline=None)
@given(st.lists(TEXT, min_size=3, max_size=3), st.sampled_from(["|^~\\&", "#!*?%", "|~^\\&"]))
def test_every_field_is_the_one_python_hl7_finds(texts: list[str], marks: str) -> None:
    rows = [{**row, "comment": f"v {text} f"} for row, text in zip(DOTTED, texts, strict=True)]
    content = hl7_bytes(rows, marks=marks)
    (message,) = messages_of(content, RESULTS).messages
    theirs = hl7.parse(content.decode())
    ours = [message.header, *message.segments]
    assert [one.name for one in ours] == [str(one[0]) for one in theirs]
    for segment, other in zip(ours, theirs, strict=True):
        fields = [str(field) for field in other]
        assert segment.fields[2:] == fields[2:]


@settings(deadline=None)
@given(TEXT)
def test_texts_are_what_they_were_before_they_were_escaped(text: str) -> None:
    assert unescape(Writer().escape(text), MARKS) == text
    assert hl7.parse(ONE.decode()).unescape(Writer().escape(text)) == text


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.2"])
def test_hl7apy_strict_finds_the_same_results(version: str) -> None:
    content = hl7_bytes(version=version, charset="")
    # SPM and MSH-9.3 came later than 2.3; from 2.8 on the library takes an ORC for the group of another order
    left_out = "SPM" if version < "2.5" else "ORC" if version >= "2.8" else "-"
    kept = [line for line in content.decode().split("\r") if not line.startswith(left_out)]
    content = "\r".join(kept).encode()
    if version < "2.5":
        content = content.replace(b"ORU^R01^ORU_R01", b"ORU^R01")
    parsed = parse_message(content.decode(), validation_level=VALIDATION_LEVEL.STRICT, find_groups=True)
    by_name = [(one.name, one) for one in _segments(parsed)]
    specimens = [one.obr_3.to_er7() for name, one in by_name if name == "OBR"]
    observed = [(one.obx_5, one.obx_6, one.obx_11) for name, one in by_name if name == "OBX"]
    found = [
        (number, *(f.to_er7() for f in fields)) for number, fields in zip(specimens, observed, strict=True)
    ]
    columns = ("specimen_id", "value", "unit", "status")
    assert found == [tuple(one.text(column) for column in columns) for one in reading_of(content).candidates]
    assert len(found) == 3


def _segments(element: Any) -> Iterator[Any]:
    for child in element.children:
        if child.classname == "Segment":
            yield child
        else:
            yield from _segments(child)


# --- lines and messages


@pytest.mark.parametrize("newline", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n"])
def test_the_ends_of_lines_and_a_byte_order_mark_do_not_matter(newline: str, before: bytes) -> None:
    found = reading_of(before + hl7_bytes(newline=newline))
    assert [one.cells for one in found.candidates] == [one.cells for one in reading_of(ONE).candidates]


def test_a_row_has_the_number_of_its_line() -> None:
    assert [one.row for one in reading_of(ONE).candidates] == [5, 9, 13]
    assert ONE.split(b"\r")[4].startswith(b"OBX")


def test_transport_frames_are_taken_off_and_must_be_closed() -> None:
    framed = b"".join(b"\x0b" + one + b"\x1c\r" for one in (ONE, TWO))
    assert len(reading_of(framed).candidates) == 6
    assert fault_of(b"\x0b" + ONE).reason.code == "F-11.frame"
    for cut in range(1, len(b"\x0b" + ONE + b"\x1c")):
        assert isinstance(read_message((b"\x0b" + ONE + b"\x1c\r")[:cut]), Fault)


@settings(deadline=None)
@given(st.permutations([ONE, TWO, hl7_bytes([{**H0, "specimen_id": "late"}])]))
def test_messages_one_after_the_other_never_mix(messages: list[bytes]) -> None:
    together = reading_of(b"".join(messages)).candidates
    alone = [one for message in messages for one in reading_of(message).candidates]
    assert [one.cells for one in together] == [one.cells for one in alone]


def test_python_hl7_would_have_merged_them() -> None:
    """Why the reader is our own."""
    merged = hl7.parse((ONE + TWO).decode())
    assert len(merged.segments("OBX")) == 6
    assert str(merged.segment("PID")(3)).startswith("MPA-0042-7")


def test_a_wrapped_message_is_refused_at_every_width() -> None:
    lines = ONE.decode().split("\r")
    for width in range(5, max(len(line) for line in lines)):
        wrapped = [line[i : i + width] for line in lines for i in range(0, len(line), width)]
        found = read_message(("\r".join(wrapped) + "\r").encode())
        assert isinstance(found, Fault), width
        assert validate(found, context()).rows == ()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("suite du commentaire", "F-15"),
        ("obx|1|NM", "F-15"),
        ("OBX^1^NM", "F-15"),
        ("OB|1", "F-15"),
        ("XYZ|1", "F-15"),
        ("PV1", "F-15"),
        (" OBX|1", "F-15"),
        ("MSH|^~\\&", "F-07.version"),
        ("MSH|^^^^|GLIMS", "F-15.delimiters"),
        ("MSH|^~|GLIMS", "F-15.delimiters"),
        ("MSH|^~\\&#!|GLIMS", "F-15.delimiters"),
        ("MSHA^~\\&AGLIMS", "F-15.delimiters"),
        ("MSH", "F-15.delimiters"),
        ("BTS|1", "F-11.batch"),
        ("FTS|1", "F-11.batch"),
        ("FHS|^~\\&", "F-11.batch"),
        ("BHS|^~\\&", "F-11.batch"),
    ],
)
def test_a_line_that_cannot_stand_there_refuses_the_file(line: str, code: str) -> None:
    kept = line if line != "MSH|^~\\&" else "MSH|^~\\&|GLIMS|X|||20260115||ORU^R01|1|P"
    assert fault_of(ONE + kept.encode() + b"\r").reason.code == code


def test_segments_of_a_site_and_of_the_standard_are_let_through() -> None:
    lines = ONE.decode().split("\r")
    lines[2:2] = ["ZPI|own", "PV1|1|O", "SFT|Maker", "PD1|1"]
    assert len(reading_of("\r".join(lines).encode()).candidates) == 3


def test_delimiters_that_are_not_declared_divide_nothing() -> None:
    lines = ONE.decode().replace("^~\\&", "^~\\", 1).replace("mg/L", "mg&L").split("\r")
    assert reading_of("\r".join(lines).encode()).candidates[0].text("unit") == "mg&L"


def test_a_fifth_delimiter_is_for_truncation() -> None:
    lines = ONE.replace(b"^~\\&", b"^~\\&#", 1).replace(b"mg/L", b"mg\\P\\L")
    assert reading_of(lines).candidates[0].text("unit") == "mg#L"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\F\\S\\R\\E\\T", "|^~\\\\T"),
        (r"a\.br\b", "a\nb"),
        (r"\X41\\X0D\ ", "A\r "),
        (r"\H\bold\N\ ", "bold "),
        (r"\Xzz\ ", r"\Xzz" + "\\ "),
        (r"\XFF\ ", r"\XFF" + "\\ "),
        (r"\Z01\ ", r"\Z01" + "\\ "),
        ("a\\", "a\\"),
        ("\\", "\\"),
        ("\\\\", "\\\\"),
    ],
)
def test_sequences_that_are_not_known_stay_as_they_stand(escaped: str, text: str) -> None:
    assert unescape(escaped, MARKS) == text


# --- batches and truncation


@pytest.mark.parametrize("lines", [None, oul_lines])
def test_a_batch_cut_at_any_byte_is_refused(lines: object) -> None:
    messages = [ONE, TWO] if lines is None else [hl7_bytes(lines=lines)]
    whole = batch(messages)
    assert reading_of(whole).complete
    for cut in range(len(whole)):
        assert isinstance(read_message(whole[:cut]), Fault), cut


def test_a_message_without_batch_cut_at_any_byte_is_never_taken_for_complete() -> None:
    for cut in range(len(ONE) + 1):
        found = read_message(ONE[:cut])
        if not isinstance(found, Fault):
            assert ONE[:cut].endswith(b"\r")
            assert not found.complete
            assert "F-11.unbatched" in [note.code for note in found.notes]


def test_a_message_that_stops_in_the_middle_of_a_segment_is_refused() -> None:
    found = fault_of(ONE.rstrip(b"\r"))
    assert (found.reason.code, found.reason.get("row")) == ("F-11.segment", 14)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (batch([ONE], count="2"), "F-11.count"),
        (batch([ONE, TWO], count="1"), "F-11.count"),
        (batch([ONE], count="un"), "F-11.count"),
        (batch([ONE]).replace(b"FTS|1", b"FTS|2"), "F-11.count"),
        (batch([ONE]).replace(b"FTS|1\r", b""), "F-11.open"),
        (batch([ONE]).replace(b"BTS|1\r", b""), "F-11.batch"),
        (batch([ONE]) + TWO, "F-11.after"),
        (batch([ONE]) + b"BHS|^~\\&\r", "F-11.after"),
        (batch([ONE]) + b"NTE|1\r", "F-15"),
        (b"BHS|^~\\&\r" + batch([ONE]), "F-11.batch"),
        (b"BHS|^~\\&\r" + ONE + b"BTS|1\r" + TWO, "F-11.after"),
        (b"FHS|^~\\&\rFTS|1\r", "F-16"),
        (b"FHS|\r", "F-15.delimiters"),
        (b"BTSx|1\r", "F-06"),
    ],
)
def test_what_a_batch_announces_binds(content: bytes, code: str) -> None:
    assert fault_of(content).reason.code == code


@pytest.mark.parametrize("count", ["", "1", " 1 "])
def test_a_batch_without_count_still_has_an_end(count: str) -> None:
    assert reading_of(batch([ONE], count=count)).complete
    assert reading_of(b"BHS|^~\\&\r" + ONE + b"BTS|" + count.encode() + b"\r").complete
    assert reading_of(b"FHS|^~\\&\r" + ONE + b"FTS|" + count.encode() + b"\r").complete


# --- characters


@pytest.mark.parametrize("charset", ["8859/1", "8859/15", "UNICODE UTF-8", ""])
def test_characters_are_read_as_the_header_says(charset: str) -> None:
    rows = [{**row, "unit": "\u00b5g/mL", "comment": "prélevé à côté"} for row in DOTTED]
    found = reading_of(hl7_bytes(rows, charset=charset))
    assert found.candidates[0].text("unit") == "\u00b5g/mL"
    assert found.candidates[0].text("comment") == "prélevé à côté"


def test_a_sign_of_8859_15_is_not_taken_for_one_of_8859_1() -> None:
    rows = [{**DOTTED[0], "comment": "\u20ac"}]
    assert reading_of(hl7_bytes(rows, charset="8859/15")).candidates[0].text("comment") == "\u20ac"


def test_without_a_declared_set_the_rule_of_the_csv_holds() -> None:
    cp1252 = hl7_bytes([{**DOTTED[0], "comment": "\u20ac é"}], charset="").decode().encode("cp1252")
    found = reading_of(cp1252)
    assert (found.encoding, found.candidates[0].text("comment")) == ("cp1252", "\u20ac é")
    wide = ONE.decode().encode("utf-16")
    assert [one.cells for one in reading_of(wide).candidates] == [o.cells for o in reading_of(ONE).candidates]


@pytest.mark.parametrize(
    ("charset", "content", "code"),
    [
        ("ASCII", "é".encode(), "F-08.declared"),
        ("UNICODE UTF-8", b"\xe9", "F-08.declared"),
        ("8859/1", b"\x80", "F-08.declared"),
        ("UNICODE UTF-8", b"\x00", "F-08.declared"),
        ("", b"\x00", "F-08"),
        ("", b"\xef\xbf\xbd", "F-08"),
        ("ISO IR87", b"x", "F-08.charset"),
        ("8859/5", b"x", "F-08.charset"),
    ],
)
def test_characters_that_are_not_what_they_are_said_to_be(charset: str, content: bytes, code: str) -> None:
    message = hl7_bytes([{**DOTTED[0], "comment": "QQQ"}], charset=charset).replace(b"QQQ", content)
    assert fault_of(message).reason.code == code


def test_each_message_has_its_own_set() -> None:
    rows = [{**DOTTED[0], "comment": "à"}]
    latin = hl7_bytes(rows, charset="8859/1")
    found = reading_of(latin + hl7_bytes([{**rows[0], "specimen_id": "other"}]))
    assert [one.text("comment") for one in found.candidates] == ["à", "à"]


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_lines_are_found_in_anything(content: bytes) -> None:
    found = read_message(b"MSH|^~\\&|" + content)
    assert isinstance(found, Fault)
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")) and not set(content) & {0x0B, 0x1C}:
        lines, _ = lines_of(content + b"\n")
        assert all(line.strip() and b"\r" not in line for _, line in lines)
