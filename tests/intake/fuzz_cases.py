"""What fuzzing starts from, how files are damaged, and what must hold of every one of them: exactly one verdict, its
reason with a sentence in both languages, never an exception."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO

from fhir_cases import fhir_bytes
from hypothesis import strategies as st
from intake_cases import THREE, context, csv_bytes, csv_text
from message_cases import DOTTED, batch, hl7_bytes, hprim_bytes, oul_lines
from reading_cases import read_message, usual_study
from workbook_cases import SHEET, as_excel_writes, workbook_bytes

from config.language import Language
from scheduler.intake.findings import Verdict
from scheduler.intake.readers import Fault, Reading, workbook, xlsx
from scheduler.intake.readers.reading import FaultError
from scheduler.intake.receipts import receipt_csv, receipt_json, receipt_of, speakers
from scheduler.intake.rules.validate import validate
from scheduler.intake.sentences import SENTENCES

_QUALITY = {"specimen_quality": "HEM", "comment": "v\\|^ & ~ é", "lloq": "0.1"}
ER7_SEEDS = (
    hl7_bytes(),
    hl7_bytes([{**row, **_QUALITY} for row in DOTTED], charset="8859/15", newline="\r\n"),
    batch([hl7_bytes(lines=oul_lines), hl7_bytes(lines=oul_lines, number="M2")]),
    b"\x0b" + hl7_bytes() + b"\x1c\r",
    hprim_bytes(),
    hprim_bytes([{**row, **_QUALITY} for row in DOTTED], marks="|^~&\\", width=60, encoding="utf-8"),
)
CSV_SEEDS = (
    csv_bytes(),
    csv_text([{**row, "lloq": "0,1", "comment": '"à ""relire"" ; vite"'} for row in THREE]).encode(
        "utf-8-sig"
    ),
    csv_text(DOTTED, delimiter=",", decimal=".", french=False, newline="\n").encode(),
    csv_text(delimiter="\t", trailer=False).encode("utf-16"),
    csv_bytes([{**row, "value": "<0,1", "status": "validé", "specimen_quality": "HEM"} for row in THREE]),
)
FHIR_SEEDS = tuple(fhir_bytes(form=form) for form in ("transaction", "urn", "report"))
XLSX_SEEDS = (workbook_bytes(THREE), as_excel_writes(workbook_bytes(DOTTED, typed=True, french=False)))
SEEDS: Mapping[str, Sequence[bytes]] = {"er7": ER7_SEEDS, "csv": CSV_SEEDS, "fhir": FHIR_SEEDS}

PIECES = {
    "er7": (
        b"", b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"MSH|", b"OBX|", b'""', b"\x00", b"\x0b", b"\xe9", b"9",
        b"-",
    ),
    "csv": (
        b"", b";", b",", b"\t", b'"', b"\r", b"\n", b"#FIN", b"=", b"<", b"\x00", b"\xe9", b"\xc3\xa9", b"\xff\xfe",
        b"9", b"-", b"E+",
    ),
    "xml": (
        b"", b"<", b">", b"/", b'"', b"<c/>", b'r="A9"', b's="7"', b't="s"', b"<v>9</v>", b"<f>1</f>", b"&#0;",
        b"&x;", b"9", b"-",
    ),
}  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes], pieces: Sequence[bytes] = PIECES["er7"]) -> bytes:
    """One of the seeds with pieces cut out, doubled, moved and put in."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from((*pieces, content[start:end] * 2)))
        content = content[:start] + piece + content[end:]
    return content


@st.composite
def damaged_workbook(draw: st.DrawFn) -> bytes:
    """A workbook of which one part was damaged before it was packed, so that the sums of the package are right."""
    content = draw(st.sampled_from(XLSX_SEEDS))
    with zipfile.ZipFile(BytesIO(content)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    likely = [name for name in parts if name in (SHEET, "xl/sharedStrings.xml", "xl/styles.xml")]
    name = draw(st.sampled_from([*likely, *parts]))
    parts[name] = draw(damaged([parts[name]], PIECES["xml"]))
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for each, part in parts.items():
            package.writestr(each, part)
    return out.getvalue()


def read_workbook(content: bytes) -> Reading | Fault:
    """What `read_xlsx` makes of a workbook, without a process of its own for each of thousands."""
    answer = json.loads(json.dumps(workbook._answer(content, workbook.LIMITS)))
    try:
        if "fault" in answer:
            raise FaultError(answer["fault"], **answer["params"])  # noqa: TRY301
        sheet, _ = xlsx._one_sheet(answer["sheets"])
        return xlsx._Sheet(sheet).read({})
    except FaultError as error:
        return error.fault


def one_verdict(content: bytes, found: Reading | Fault | None = None) -> Reading | Fault:
    """The reading, after everything that is said of it has been put into words."""
    found = read_message(content) if found is None else found
    now = context(study=usual_study())
    verdict = validate(found, now)
    assert verdict.verdict in set(Verdict)
    receipt = receipt_of("x", "0" * 64, now.now, found, verdict)
    say = speakers(usual_study().home_zone)
    receipt_csv(receipt, say)
    receipt_json(receipt, say)
    said = [verdict.decisive] if verdict.decisive is not None else []
    for reason in (*said, *verdict.notes, *(f.reason for row in verdict.rows for f in row.findings)):
        assert reason.code in SENTENCES
        assert reason.code not in say.en.say(reason) and say.en.language is Language.EN
    assert (verdict.verdict is Verdict.ACCEPTED) or verdict.decisive is not None or not verdict.rows
    return found
