"""The methods of the study: models checked with the rest of the configuration, the order in which they count."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from config_cases import PROTOCOL, changed_study, copy_of_config
from engine_desk import SUBJECT, Desk, at

from config.defects import ConfigurationInvalidError, Defect
from config.language import Language
from notifications.words.render import template_names
from pk.exposure import AVERAGE
from pk.models.population import PopulationModel
from pk.models.shipped import shipped_models
from pk.sentences import SENTENCES
from pk.values.origin import population_note
from scheduler.domain.reason import Reason
from scheduler.domain.speech import speaker_for
from scheduler.engine.study import Study, load_study
from scheduler.store.exposures import stored_exposures


def configured(folder: Path, change: Callable[[Path], object]) -> list[Defect]:
    """The defects of the shipped configuration after a change to its folder of models."""
    config = copy_of_config(folder / "config")
    change(config / "models")
    with pytest.raises(ConfigurationInvalidError) as caught:
        load_study(config, template_names())
    return caught.value.defects


def rewritten(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new), "utf-8")

    return change


def test_the_study_knows_its_models_default_first(study: Study) -> None:
    assert study.models == shipped_models()
    assert study.models[0].is_default


def test_a_defective_model_stops_the_start_with_file_key_and_remedy(tmp_path: Path) -> None:
    found = configured(tmp_path, rewritten("yu-2017.toml", "CL = 18.3", "CL = -18.3"))
    assert [(one.file, one.key, str(one.problem), str(one.remedy)) for one in found] == [
        ("models/yu-2017.toml", "typical.CL", "-18.3 cannot be used.", "Give a typical value above 0.")
    ]


def test_defects_of_several_files_are_reported_at_once(tmp_path: Path) -> None:
    def change(folder: Path) -> None:
        rewritten("yu-2017.toml", "prop = 0.158", "prop = 0")(folder)
        rewritten("mizaki-2023.toml", "n_transit = 6\n", "")(folder)
        (folder / "van-hest-2005.toml").write_text("id = ", "utf-8")

    found = [(defect.file, defect.key) for defect in configured(tmp_path, change)]
    assert found == [
        ("models/mizaki-2023.toml", "n_transit"),
        ("models/van-hest-2005.toml", "file"),
        ("models/yu-2017.toml", "error.prop"),
    ]


def test_two_defaults_and_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    def change(folder: Path) -> None:
        shutil.copy(folder / "mizaki-2023.toml", folder / "copy.toml")

    assert [(defect.file, defect.key) for defect in configured(tmp_path, change)] == [
        ("models/", "default"),
        ("models/", "id"),
    ]


def test_a_configuration_without_models_is_refused(tmp_path: Path) -> None:
    (defect,) = configured(tmp_path, shutil.rmtree)
    assert (defect.file, defect.key) == ("models/", "folder")


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.id)
def test_a_french_reader_meets_no_english_in_whom_a_model_describes(
    study: Study, model: PopulationModel
) -> None:
    assert model.population is not None
    note = population_note(model.name, model.population)
    calendar = next(iter(study.calendars.values()))
    said = {
        language: speaker_for(language, calendar.zone, study.newest[1], SENTENCES).say(
            Reason(note.code, note.params)
        )
        for language in Language
    }
    assert model.population.disease in said[Language.EN]
    assert model.population.disease not in said[Language.FR]
    assert said[Language.FR].startswith(f"{model.name} provient de {model.population.n} patients (")


# --- the order of the protocol ----------------------------------------------------------------------------------

BEFORE = "\n# --- reference bands"
PRIMARY = '\n[exposure]\nprimary = ["map_mizaki_2023", "average"]\n\n# --- reference bands'


def test_the_protocol_says_which_method_counts(sqlite_db: Any, tmp_path: Path) -> None:
    desk = Desk(sqlite_db, changed_study(tmp_path / "config", PROTOCOL, (BEFORE, PRIMARY)))
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    exposures = desk.db.read(lambda session: stored_exposures(session, SUBJECT, "INCLUSION", 1))
    assert exposures is not None
    assert [one.method for one in exposures.exposures[:3]] == ["map_mizaki_2023", "average", "pawinski_2002"]
    assert exposures.shown is not None and exposures.shown.method == "map_mizaki_2023"


def test_a_method_that_counts_and_does_not_exist_is_a_defect(tmp_path: Path) -> None:
    wrong = PRIMARY.replace('"average"', '"mean", "mean"')
    with pytest.raises(ConfigurationInvalidError) as caught:
        changed_study(tmp_path / "config", PROTOCOL, (BEFORE, wrong))
    assert [(one.file, one.key) for one in caught.value.defects] == [(PROTOCOL, "exposure.primary")]
    wrong = PRIMARY.replace('"average"', '"mean"')
    with pytest.raises(ConfigurationInvalidError) as caught:
        changed_study(tmp_path / "again", PROTOCOL, (BEFORE, wrong))
    (defect,) = caught.value.defects
    assert (defect.file, defect.key) == (PROTOCOL, "exposure.primary")
    assert "'mean'" in str(defect.problem) and "map_mizaki_2023" in str(defect.remedy)


def test_without_an_order_equations_come_first_then_the_average_then_the_models(study: Study) -> None:
    order = study.exposer.order(study.newest[1])
    assert order[0] == "pawinski_2002"
    average = order.index(AVERAGE)
    assert all(not one.startswith("map_") for one in order[:average])
    assert order[average + 1] == "map_mizaki_2023"
    assert len(order) == len(set(order)) == len(study.exposer.equations) + 1 + len(study.models)
