"""What pydantic finds wrong is said in sentences of our own, in both languages; a defect can be kept and shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from config.defects import ConfigurationInvalidError, Defect
from config.language import Language
from config.said import said
from config.schema import LabFile, ProtocolFile, SiteFile
from config.schema.shapes import FORMS
from config.settings import ConsoleSettings, MailSettings, Settings, language_to_fail_in
from config.shape_defects import TYPES, shape_defects

# Whatever TOML, or a variable, can hold where another thing is wanted.
VALUES: tuple[Any, ...] = (
    True, 2, 0, -1, 10**30, 1.5, float("inf"), -1.5, "", "x y", "P", "com1", "https://a.example/b",
    "http://a.example", "https://[a", "9" * 5000,
    [], [""], ["x y"], [0], [9], [{}], [True], {}, {"x": 1}, dt.date(2026, 1, 1),
    dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC), [dt.datetime(2026, 1, 1, 8, tzinfo=dt.UTC)], dt.time(8),
)  # fmt: skip


def shapes(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A shape and every one inside it."""
    yield root
    for field in root.model_fields.values():
        waiting = [field.annotation]
        while waiting:
            one = waiting.pop()
            waiting.extend(get_args(one))
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from shapes(one)


def errors() -> Iterator[ValidationError]:
    """One for each field of each shape and each value that it does not take."""
    for shape in {one for root in (ProtocolFile, SiteFile, LabFile, Settings) for one in shapes(root)}:
        contents: list[dict[str, Any]] = [{"unknown": 1}]
        for name, field in shape.model_fields.items():
            if name != "config":  # where the settings are, which is asked before them
                contents += [{field.alias or name: value} for value in VALUES]
        if shape is MailSettings:
            contents.append({"transport": "smtp", "security": "none", "host": "mail.example"})
        for content in contents:
            try:
                TypeAdapter(shape).validate_python(content)
            except ValidationError as error:
                yield error


def test_whatever_pydantic_finds_has_its_sentences_and_there_are_no_others() -> None:
    found, patterns = set[str](), set[str]()
    for error in errors():
        for item in error.errors():
            found.add(item["type"])
            patterns.add(item.get("ctx", {}).get("pattern", ""))
        for defect in shape_defects("a.toml", error):
            french = defect.line(Language.FR)
            assert french.startswith("a.toml\u202f: ") and french != str(defect)
            assert "{" not in str(defect.problem) + str(defect.remedy)
    assert found == set(TYPES)
    assert patterns - {""} == set(FORMS)


def test_what_pydantic_may_find_one_day_is_said_in_its_own_words() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(dict[str, UUID]).validate_python({"id": "x"})
    (defect,) = shape_defects("a.toml", caught.value)
    assert str(defect).startswith("a.toml: id: It cannot be used: Input should be a valid UUID")
    assert "Cette valeur ne peut pas être utilisée\u202f: Input should be" in defect.line(Language.FR)


def test_no_value_of_a_file_is_repeated_where_it_may_be_a_secret_or_a_person() -> None:
    for shape, content in (
        (MailSettings, {"password": 4711}),
        (ConsoleSettings, {"url": "https://u:4711@h/p"}),
    ):
        with pytest.raises(ValidationError) as caught:
            shape.model_validate(content)
        assert "4711" not in " ".join(map(str, shape_defects("settings", caught.value)))


@pytest.mark.parametrize(
    "defect",
    [
        Defect("sites/a.toml", "zone", said("'{name}' is not a time zone.", name="É{x}"), said("Add it.")),
        Defect(
            "models/a.toml",
            "typical.CL",
            said("missing."),
            said("Give {wanted}.", wanted=said("one of {known}", known="a, b")),
        ),
    ],
)
def test_a_defect_that_was_kept_is_the_same_in_both_languages(defect: Defect) -> None:
    again = Defect.from_json(defect.to_json())
    assert again == defect
    assert [again.line(one) for one in Language] == [defect.line(one) for one in Language]


def test_a_phrase_inside_a_sentence_is_put_into_words_too() -> None:
    wanted = said("Give {wanted}.", wanted=said("one of {known}", known="a, b"))
    defect = Defect("regressions.toml", "file", said("missing."), wanted)
    assert str(defect) == "regressions.toml: file: missing. Give one of a, b."
    assert defect.line(Language.FR) == (
        "regressions.toml\u202f: fichier\u202f: Cette clé manque. Indiquez l'une de ces valeurs\u202f: a, b."
    )


def test_a_key_that_is_called_as_a_place_stays_as_it_is() -> None:
    taken = Defect("labs/a.toml", "folder", said("It is missing."), said("Add it."))
    empty = Defect("labs/", "folder", said("There is no .toml file here."), said("Use another."))
    assert taken.line(Language.FR).startswith("labs/a.toml\u202f: folder\u202f: ")
    assert empty.line(Language.FR).startswith("labs/\u202f: dossier\u202f: ")
    lines = ConfigurationInvalidError([taken, empty]).told(Language.FR).splitlines()
    assert lines == [empty.line(Language.FR), taken.line(Language.FR)]


@pytest.mark.parametrize(
    ("given", "variable", "on_file", "language"),
    [
        (None, None, None, Language.EN),
        (None, None, 'language = "fr"\nhurry = 1\n', Language.FR),
        (None, None, 'language = "fr"\nhurry = \n', Language.EN),  # it cannot be read
        (None, None, 'language = ["fr"]\n', Language.EN),
        (None, "en", 'language = "fr"\n', Language.EN),
        (None, "de", 'language = "fr"\n', Language.FR),
        ("fr", "en", 'language = "en"\n', Language.FR),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_the_language_that_they_ask_for_none_the_less(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    variable: str | None,
    on_file: str | None,
    language: Language,
) -> None:
    if variable is not None:
        monkeypatch.setenv("MPA_LANGUAGE", variable)
    if on_file is not None:
        (tmp_path / "settings.toml").write_text(on_file, "utf-8")
    assert language_to_fail_in(given, tmp_path) is language
