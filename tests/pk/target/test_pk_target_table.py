"""A CSV file as a spreadsheet writes it, read strictly."""

from typing import Any

import pytest

from pk.target.data.table import MISSING, Column, Table, numbers_of, read_table
from pk.values.reason import Reason

FRENCH = (
    "\ufeffid;AUC (mg·h/L);réponse;ΔmRSS\r\n1;35,5;1;-6\r\n2;28,25;0;1,5\r\n3;;1;-7\r\n4;61;1;-5\r\n;;;\r\n"
)


def column(content: bytes, name: str) -> Any:
    found = read_table(content)
    assert isinstance(found, Table), found
    return numbers_of(found, name)


def codes(found: Any) -> list[str]:
    assert isinstance(found, tuple), found
    return [one.code for one in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_french_spreadsheet_is_read_as_written(encoding: str) -> None:
    content = FRENCH.removeprefix("\ufeff" if encoding == "utf-16" else "").encode(encoding)
    assert column(content, "AUC (mg·h/L)") == Column("AUC (mg·h/L)", (35.5, 28.25, None, 61.0), (2, 3, 4, 5))
    assert column(content, "réponse").numbers == (1.0, 0.0, 1.0, 1.0)


def test_windows_1252_is_read() -> None:
    assert column("réponse;x\n1;2\n".encode("cp1252"), "réponse").numbers == (1.0,)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_that_of_the_header(delimiter: str) -> None:
    assert column(f'a{delimiter}b\n1{delimiter}"2,5"\n'.encode(), "b").numbers == (2.5,)


@pytest.mark.parametrize("text", [*sorted(MISSING), "Na", " NULL "])
def test_what_stands_for_a_missing_value(text: str) -> None:
    assert column(f"a;b\n1;{text}\n".encode(), "b").numbers == (None,)


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "<5",
        "1 234",
        "12%",
        "1.234,5",
        "1,2,3",
        "0x10",
        "1_000",
        "inf",
        "٣",
        "--1",
        "5-",
        "1e",
    ],
)
def test_what_is_not_a_number_is_refused_with_its_line(text: str) -> None:
    (problem,) = column(f"a;b\n1;2\n2;{text}\n".encode(), "b")
    assert problem.code == "target_cell_not_number" and dict(problem.params)["line"] == 3


@pytest.mark.parametrize("text", ["1e999", "-2e9", "1e-300"])
def test_numbers_beyond_all_sense_are_refused(text: str) -> None:
    (problem,) = column(f"a;b\n1;{text}\n".encode(), "b")
    assert problem.code == "target_cell_out_of_range"


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("+1.5", 1.5), ("-,5", -0.5), ("1e3", 1000.0), ("2.", 2.0)]
)
def test_what_is_a_number(text: str, value: float) -> None:
    assert column(f"a;b\n1;{text}\n".encode(), "b").numbers == (value,)


def test_points_and_commas_in_one_column_are_refused() -> None:
    (problem,) = column(b"a;b\n1;2,5\n1;3.5\n", "b")
    assert (problem.code, dict(problem.params)["line"], dict(problem.params)["other"]) == (
        "target_decimals_mixed", 2, 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "target_file_empty"),
        (b"\n ; \n", "target_file_empty"),
        (b"a;b\n1\n", "target_file_ragged"),
        (b"a;b\n1;2;3\n", "target_file_ragged"),
        (b'a;b\n1;"2\n', "target_file_quotes"),
        (b'a;b\n1;"2"x\n', "target_file_quotes"),
        (b"a;b\n1;\0\n", "target_file_not_text"),
        (b"a;b\n\x81\x8d;1\n", "target_file_not_text"),
    ],
)
def test_a_file_that_is_no_table_is_refused(content: bytes, code: str) -> None:
    found = read_table(content)
    assert isinstance(found, Reason) and found.code == code


def test_trailing_empty_fields_and_blank_lines_are_no_fault() -> None:
    assert column(b"\r\na;b\r\n\r\n1;2;;\r\n;\r\n", "b") == Column("b", (2.0,), (4,))


def test_columns_are_found_by_their_exact_names() -> None:
    assert codes(column(b"a;b;a\n1;2;3\n", "a")) == ["target_column_repeated"]
    assert codes(column(b"a;b\n1;2\n", "A")) == ["target_column_unknown"]
