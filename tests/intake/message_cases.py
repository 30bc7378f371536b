"""Writes the rows of the study's layout as the messages that a laboratory sends: HL7 v2 and HPRIM Santé."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from intake_cases import H0, H2, H30, THREE, a_study, lab_file

from scheduler.intake.study import IntakeStudy

Row = Mapping[str, str]
DOTTED = tuple({**row, "value": row["value"].replace(",", ".")} for row in THREE)
_CODECS = {"": "utf-8", "ASCII": "ascii", "8859/1": "iso8859-1", "8859/15": "iso8859-15"}


def stamp(text: str) -> str:
    """15/01/2026 07:55 as 202601150755."""
    day, _, clock = text.partition(" ")
    return "".join(reversed(day.split("/"))) + clock.replace(":", "") if text else ""


class Writer:
    """Writes segments with given delimiters; what stands in the texts is escaped."""

    def __init__(self, marks: str = "|^~\\&") -> None:
        self.field, self.component, self.repetition, self.sign, self.part = marks

    def escape(self, text: str) -> str:
        letters = {
            self.sign: "E",
            self.field: "F",
            self.component: "S",
            self.repetition: "R",
            self.part: "T",
        }
        return "".join(
            f"{self.sign}{letters[one]}{self.sign}" if one in letters else one for one in text
        ).replace("\n", f"{self.sign}.br{self.sign}")

    def parts(self, *texts: str) -> str:
        return self.component.join(self.escape(text) for text in texts)

    def segment(self, name: str, fields: Mapping[int, str]) -> str:
        last = max(fields, default=0)
        return self.field.join([name, *(fields.get(place, "") for place in range(1, last + 1))])


def value_type(text: str) -> str:
    return "NM" if text.replace(".", "", 1).lstrip("+-").isdigit() else "ST"


def hl7_lines(rows: Iterable[Row], writer: Writer, **header: Any) -> list[str]:
    """The segments of one ORU^R01 for the rows of one subject."""
    rows = list(rows)
    out = [_msh(writer, "ORU^R01^ORU_R01".replace("^", writer.component), **header)]
    out.append(writer.segment("PID", {1: "1", 3: writer.parts(rows[0]["subject_id"], "", "", "MPA-AUC")}))
    for no, row in enumerate(rows, 1):
        out += [
            writer.segment("ORC", {1: "RE"}),
            _obr(writer, no, row),
            *_obx(writer, row),
            _spm(writer, row),
        ]
    return out


def oul_lines(rows: Iterable[Row], writer: Writer, **header: Any) -> list[str]:
    """The segments of one OUL^R22: the specimen before its order."""
    rows = list(rows)
    out = [_msh(writer, "OUL^R22^OUL_R22".replace("^", writer.component), **header)]
    out.append(writer.segment("PID", {1: "1", 3: writer.parts(rows[0]["subject_id"], "", "", "MPA-AUC")}))
    for no, row in enumerate(rows, 1):
        out += [
            _spm(writer, row),
            _obr(writer, no, row),
            writer.segment("ORC", {1: "RE"}),
            *_obx(writer, row),
        ]
    return out


def _msh(
    writer: Writer,
    kind: str,
    charset: str = "UNICODE UTF-8",
    version: str = "2.5.1",
    processing: str = "P",
    facility: str = "CCH-PHARMACO",
    number: str = "M1",
) -> str:
    signs = writer.component + writer.repetition + writer.sign + writer.part
    fields = {1: signs, 2: "GLIMS", 3: facility, 6: "20260115143000", 8: kind, 9: number}
    return writer.segment("MSH", {**fields, 10: processing, 11: version, 17: charset})


def _obr(writer: Writer, no: int, row: Row) -> str:
    return writer.segment(
        "OBR",
        {
            1: str(no),
            3: writer.escape(row["specimen_id"]),
            4: writer.parts(row["analyte"], "Mycophenolate", "LN"),
            7: stamp(row["collected_at"]),
            13: writer.escape(f"{row['visit']} {row['timepoint']}".strip()),
            14: stamp(row.get("received_at", "")),
            22: stamp(row["reported_at"]),
        },
    )


def _obx(writer: Writer, row: Row) -> list[str]:
    kind = value_type(row["value"])
    obx = writer.segment(
        "OBX",
        {
            1: "1",
            2: kind if row["value"] else "",
            3: writer.parts(row["analyte"], "Mycophenolate", "LN"),
            5: writer.escape(row["value"]),
            6: writer.escape(row["unit"]),
            11: row["status"],
            17: row["method"],
        },
    )
    return [obx, *(writer.segment("NTE", {1: "1", 3: writer.escape(note)}) for note in notes_of(row))]


def _spm(writer: Writer, row: Row) -> str:
    return writer.segment(
        "SPM",
        {
            1: "1",
            2: writer.parts("", row["specimen_id"]),
            4: row["matrix"],
            17: stamp(row["collected_at"]),
            24: row.get("specimen_quality", ""),
        },
    )


def notes_of(row: Row) -> list[str]:
    """What has no field of its own stands in notes under the name of its column."""
    limits = "; ".join(f"{name}: {row[name]}" for name in ("lloq", "uloq") if row.get(name))
    return [note for note in (limits, row.get("comment", "")) if note]


def hl7_bytes(
    rows: Iterable[Row] = DOTTED,
    newline: str = "\r",
    charset: str = "UNICODE UTF-8",
    marks: str = "|^~\\&",
    lines: Any = hl7_lines,
    **header: Any,
) -> bytes:
    """One message for the rows of one subject."""
    text = newline.join([*lines(rows, Writer(marks), charset=charset, **header), ""])
    return text.encode(_CODECS.get(charset, "utf-8"))


def batch(messages: Sequence[bytes], newline: bytes = b"\r", count: str | None = None) -> bytes:
    """The messages in one batch in one file, counted."""
    said = str(len(messages)) if count is None else count
    head = b"FHS|^~\\&|GLIMS" + newline + b"BHS|^~\\&|GLIMS" + newline
    return head + b"".join(messages) + b"BTS|" + said.encode() + newline + b"FTS|1" + newline


def hprim_bytes(
    rows: Iterable[Row] = DOTTED,
    newline: str = "\r",
    marks: str = "|~^\\&",
    encoding: str = "cp1252",
    version: str = "H2.2~C",
    width: int | None = None,
    processing: str = "P",
    kind: str = "ORU",
) -> bytes:
    """One HPRIM Santé message; lines longer than `width` go on in segments A."""
    rows, writer = list(rows), Writer(marks)
    signs = writer.component + writer.repetition + writer.sign + writer.part
    lines = [
        writer.segment(
            "H",
            {
                1: signs,
                2: "0001.HPR",
                4: writer.parts("CCH-PHARMACO", "Pharmacologie"),
                6: kind,
                9: "CCH",
                11: processing,
                12: version.replace("~", writer.component),
                13: "202601151430",
            },
        ),
        writer.segment("P", {1: "1", 2: rows[0]["subject_id"]}),
    ]
    for no, row in enumerate(rows, 1):
        lines += _hprim_row(writer, no, row)
    lines.append("L" + writer.field + "1")
    return (newline.join(_continued(lines, width, writer.field)) + newline).encode(encoding)


def _hprim_row(writer: Writer, no: int, row: Row) -> list[str]:
    times = {
        7: stamp(row["collected_at"]),
        14: stamp(row.get("received_at", "")),
        22: stamp(row["reported_at"]),
    }
    kind = value_type(row["value"])
    lines = [
        writer.segment("OBR", {1: str(no), 2: writer.escape(row["specimen_id"]), 15: row["matrix"], **times}),
        writer.segment(
            "OBX",
            {
                1: "1",
                2: kind if row["value"] else "",
                3: writer.parts(row["analyte"], "Mycophénolate", "L"),
                5: writer.escape(row["value"]),
                6: writer.escape(row["unit"]),
                11: row["status"],
                17: row["method"],
            },
        ),
    ]
    place = {"visite": row["visit"], "temps": row["timepoint"], "conformite": row.get("specimen_quality", "")}
    named = "; ".join(f"{name}: {text}" for name, text in place.items() if text)
    notes = [named, *notes_of(row)]
    return [*lines, *(writer.segment("C", {1: "1", 2: "L", 3: writer.escape(one)}) for one in notes if one)]


def _continued(lines: Iterable[str], width: int | None, field: str) -> Iterable[str]:
    for line in lines:
        if width is None:
            yield line
            continue
        yield line[:width]
        for start in range(width, len(line), width):
            yield f"A{field}{line[start : start + width]}"


# --- the same results in every form


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, str]]:
    """Three tubes with values, limits, units, states and comments as they occur, good and bad."""
    out = []
    for row in (H0, H30, H2):
        status = draw(st.sampled_from("PFCWX"))
        value = draw(st.sampled_from(["1.85", "14.20", "0", "<0.1", ">15", "51", "-1", "ND", "en cours", ""]))
        out.append(
            {
                **row,
                "value": value,
                "status": status,
                "unit": draw(st.sampled_from(["mg/L", "\u00b5g/mL", "ng/mL", "g/L", ""])),
                "received_at": draw(st.sampled_from(["", "15/01/2026 11:00"])),
                "specimen_quality": draw(st.sampled_from(["", "HEM", "QNS", "NR", "QQ"])),
                "lloq": draw(st.sampled_from(["", "0.1"])),
                "uloq": draw(st.sampled_from(["", "15"])),
                "method": draw(st.sampled_from(["LCMSMS", "EMIT", "", "autre chose"])),
                "matrix": draw(st.sampled_from(["PLASMA_EDTA", "SERUM", ""])),
                "visit": draw(st.sampled_from(["V2", "V1", "W6", ""])),
                "timepoint": draw(st.sampled_from([row["timepoint"], "T120", ""])),
                "comment": draw(st.sampled_from(["", "résultat erroné", "tube à moitié plein | ~ ^"])),
                "analyte": draw(st.sampled_from(["23905-3", "72667-9", "MPA"])),
            }
        )
    return out


# --- one HL7 message, changed

LINES = hl7_lines(DOTTED, Writer())


def message(**replaced: str) -> bytes:
    """The message of one row, with fields set as OBX_5="..."; a name without number is a further segment."""
    lines = hl7_lines([DOTTED[1]], Writer())
    for place, text in replaced.items():
        name, _, number = place.partition("_")
        if not number:
            lines.append(text)
            continue
        at = next(i for i, line in enumerate(lines) if line.startswith(name))
        fields = lines[at].split("|")
        index = int(number) - (name == "MSH")
        fields += [""] * (index + 1 - len(fields))
        fields[index] = text
        lines[at] = "|".join(fields)
    return "\r".join([*lines, ""]).encode()


def with_hl7(**changes: Any) -> IntakeStudy:
    own = lab_file().hl7
    assert own is not None
    return a_study(hl7=own.model_copy(update=changes))
