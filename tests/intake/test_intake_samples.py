"""Files as a French hospital exports them, and the dry run over them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from intake_cases import NOW, SAMPLES, SUBJECT, Bench, a_study

from config.language import LOCALE_DIR, Language
from scheduler.intake.check import check_file
from scheduler.intake.layout.columns import COLUMNS
from scheduler.store.lab.results import accepted_versions

# sample → verdict, code, accepted, held, ignored
EXPECTED = {
    "MPA-AUC_CCH-PHARMACO_20260115T143000_001.csv": ("accepted", "", 3, 0, 0),
    "excel_cp1252_colonnes_vides.csv": ("accepted", "", 3, 0, 0),
    "excel_texte_unicode.txt": ("accepted", "", 3, 0, 0),
    "excel_csv_utf8.csv": ("accepted", "", 3, 0, 0),
    "non_exploitables.csv": ("accepted", "", 3, 0, 0),
    "correction_C.csv": ("held", "R-44", 0, 1, 0),
    "lignes_en_attente.csv": ("held", "R-02", 0, 3, 0),
    "colonnes_trop_etroites.csv": ("quarantined", "F-14", 0, 0, 0),
    "fichier_tronque.csv": ("quarantined", "F-11", 0, 0, 0),
    "avec_identite.csv": ("accepted", "", 3, 0, 0),
    "virgule_partout.csv": ("quarantined", "F-10", 0, 0, 0),
    "glims_oru_r01.hl7": ("accepted", "", 3, 0, 0),
    "glims_oul_r22_lot.hl7": ("accepted", "", 3, 0, 0),
    "hprim_sante_oru.hpr": ("accepted", "", 3, 0, 0),
    "oru_coupe.hl7": ("quarantined", "F-11", 0, 0, 0),
    "oru_lignes_repliees.hl7": ("quarantined", "F-15", 0, 0, 0),
    "oru_test.hl7": ("quarantined", "F-18", 0, 0, 0),
    "oru_autre_hopital.hl7": ("ignored", "F-17", 0, 0, 0),
    "adt_a01.hl7": ("ignored", "F-16", 0, 0, 0),
    "excel_classeur.xlsx": ("accepted", "", 3, 0, 0),
    "modele_rempli.xlsx": ("accepted", "", 3, 0, 0),
    "excel_formule.xlsx": ("quarantined", "F-14", 0, 0, 0),
    "excel_valeur_en_date.xlsx": ("quarantined", "F-14", 0, 0, 0),
    "fhir_transaction.json": ("accepted", "", 3, 0, 0),
    "fhir_rapport.json": ("accepted", "", 3, 0, 0),
    "fhir_une_entree_fausse.json": ("held", "F-15", 2, 1, 0),
    "fhir_coupe.json": ("quarantined", "F-11", 0, 0, 0),
    "fhir_autre_hopital.json": ("ignored", "F-17", 0, 0, 0),
}
ACCEPTED = [name for name, expected in EXPECTED.items() if expected[2] == 3]


def test_every_sample_has_an_expectation() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_dry_run_and_the_intake_agree(bench: Bench, name: str) -> None:
    before = (bench.files(), bench.names("in"))
    dry = bench.db.transact(lambda s: check_file(SAMPLES / name, bench.study, NOW, Language.FR, s))
    assert (bench.files(), bench.names("in")) == before
    shutil.copy(SAMPLES / name, bench.root / "in")
    bench.step()
    (file,) = bench.files()
    found = (file.verdict, file.code or "", file.accepted, file.held, file.ignored)
    assert found == EXPECTED[name]
    assert tuple(dry[key] for key in ("verdict", "code", "accepted", "held", "ignored")) == found
    assert list(dry)[:7] == ["file", "verdict", "code", "reason", "accepted", "held", "ignored"]
    assert bool(dry["reason"]) == (file.verdict != "accepted")
    again = bench.db.transact(lambda s: check_file(SAMPLES / name, bench.study, NOW, Language.FR, s))
    assert (again["verdict"], again["code"]) == ("ignored", "F-05")


@pytest.mark.parametrize(
    "name",
    [name for name in ACCEPTED if name.startswith(("MPA", "excel", "modele", "glims", "hprim", "fhir"))],
)
def test_the_same_results_in_every_form_excel_saves_are_the_same(bench: Bench, name: str) -> None:
    shutil.copy(SAMPLES / name, bench.root / "in")
    bench.step()
    versions = bench.db.transact(lambda s: accepted_versions(s, SUBJECT))
    assert [(v.visit, v.timepoint, str(v.conc_mg_l)) for v in versions] == [
        ("W6", "H0", "1.85"),
        ("W6", "H30", "14.2"),
        ("W6", "H2", "6.40"),
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_dry_run_works_without_a_database(name: str) -> None:
    answer = check_file(SAMPLES / name, a_study(), NOW, Language.EN)
    expected = EXPECTED[name] if name != "correction_C.csv" else ("accepted", "", 1, 0, 0)
    assert tuple(answer[key] for key in ("verdict", "code", "accepted", "held", "ignored")) == expected
    json.dumps(answer)


def test_the_dry_run_tells_the_reason_in_the_language_asked() -> None:
    path = SAMPLES / "fichier_tronque.csv"
    assert "incomplete" in str(check_file(path, a_study(), NOW, Language.EN)["reason"])
    assert "incomplet " in str(check_file(path, a_study(), NOW, Language.FR)["reason"])


@pytest.mark.parametrize("size", [0, 5_000_001])
def test_the_dry_run_judges_empty_and_huge_files(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * size)
    assert check_file(path, a_study(), NOW, Language.FR)["code"] == ("F-04" if size else "F-03")


def test_no_receipt_tells_names_values_or_comments(bench: Bench) -> None:
    shutil.copy(SAMPLES / "avec_identite.csv", bench.root / "in")
    bench.step()
    for name in bench.names("receipts"):
        text = (bench.root / "receipts" / name).read_text("utf-8-sig")
        assert "D-01" in text
        assert not [word for word in ("DUPONT", "Anne", "1970", "1,85", "14,2", "répété") if word in text]


def test_a_quarantined_file_has_its_reason_beside_it_in_both_languages(bench: Bench) -> None:
    shutil.copy(SAMPLES / "colonnes_trop_etroites.csv", bench.root / "in")
    bench.step()
    (note,) = [name for name in bench.names("quarantine") if name.endswith(".reason.txt")]
    lines = (bench.root / "quarantine" / note).read_text("utf-8").splitlines()
    french, english = (line for line in lines if line.startswith("- F-14"))
    assert (
        "Ligne 2, colonne « date_heure_prelevement »".replace(" »", "\u00a0»").replace("« ", "«\u00a0")
        in french
    )
    assert 'Row 2, column "date_heure_prelevement"' in english
    assert lines.index(french) < lines.index(english)


@pytest.mark.parametrize("page", ["lab-files", "for-laboratories.fr", "for-laboratories.en"])
def test_the_example_in_the_documentation_is_accepted(page: str, tmp_path: Path) -> None:
    text = (LOCALE_DIR.parent.parent / "docs" / f"{page}.md").read_text("utf-8")
    example = text.split("```csv\n")[1].split("```")[0]
    path = tmp_path / "example.csv"
    path.write_text(example, "cp1252")
    answer = check_file(path, a_study(), NOW, Language.FR)
    assert (answer["verdict"], answer["accepted"]) == ("accepted", example.count("MPA-0042-7"))
    assert answer["notes"] == []


def test_the_documentation_names_every_column() -> None:
    text = (LOCALE_DIR.parent.parent / "docs" / "lab-files.md").read_text("utf-8")
    french, english = text.split("# Laboratory result files")
    assert [names[0] for names in COLUMNS.values() if f"`{names[0]}`" not in french] == []
    assert [name for name in COLUMNS if name not in english] == []
