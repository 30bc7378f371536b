"""Many laboratories on one drop folder, each with a sub-folder of its own."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from intake_cases import H0, H30, THREE, Bench, csv_bytes, csv_text, lab_file, protocol

from config.defects import ConfigurationInvalidError
from config.schema import LabFile
from config.settings import DEFAULT_DIR, load_settings
from main import make_program
from notifications.words.render import template_names
from scheduler.engine.study import load_study
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.rooms import Limits
from scheduler.intake.replay import ReplayRefusedError, replay
from scheduler.intake.step import FileReport, intake_steps
from scheduler.intake.study import IntakeStudy, folder_studies
from scheduler.runtime.works import intake_work
from scheduler.store.flags import open_flags

PARIS, LYON = "CCH-PHARMACO", "LYON-PHARMACO"


class Hospital:
    """Two laboratories, two sites, one service; what one step reports is kept."""

    def __init__(self, bench: Bench, paris: str | None = None, lyon: str | None = "lyon") -> None:
        known: list[LabFile] = [
            lab_file(folder=paris),
            lab_file(code=LYON, site="lyon", folder=lyon, hl7=None, column_aliases={"value": ("dosage",)}),
        ]
        self.bench = bench
        self.studies = folder_studies(protocol(), known, "cochin")
        self.alerts: list[tuple[str, str]] = []
        self.restart()

    def restart(self) -> None:
        own = [one.folder for one in self.studies if one.folder]
        limits = Limits(settle_s=30, min_free_bytes=0, min_free_share=0)
        self.boxes: list[tuple[DropFolder, IntakeStudy]] = [
            (DropFolder(self.bench.root, limits, box=one.folder or "", boxes=own), one)
            for one in self.studies
        ]

    def drop(self, box: str, name: str, content: bytes) -> None:
        (self.bench.root / "in" / box / name).write_bytes(content)

    def step(self) -> dict[str, FileReport]:
        """Steps until what lay still has been taken."""
        bench, files = self.bench, {}
        for _ in range(5):
            bench.clock.move_to(bench.clock.now() + timedelta(seconds=10))
            found = intake_steps(self.boxes, bench.clock, bench.turn, bench.handle)
            for report in filter(None, found):
                files |= {one.name: one for one in report.files}
                self.alerts += [(alert.name, alert.reason.code) for alert in report.alerts]
        return files

    def receipts(self, box: str) -> list[str]:
        folder = self.bench.root / "receipts" / box
        return sorted(path.name.partition(".csv.")[0] for path in folder.iterdir() if path.is_file())


def of(lab: str) -> bytes:
    return csv_bytes([{**row, "laboratory": lab} for row in THREE])


@pytest.fixture
def hospital(bench: Bench) -> Hospital:
    return Hospital(bench)


def test_each_laboratory_has_its_folder_its_receipts_and_its_site(hospital: Hospital) -> None:
    hospital.drop("", "a.csv", csv_bytes([H0]))
    hospital.drop("lyon", "b.csv", csv_bytes([{**H30, "laboratory": LYON}]))
    found = hospital.step()
    assert [found[name].verdict for name in ("a.csv", "b.csv")] == ["accepted", "accepted"]
    assert (hospital.receipts(""), hospital.receipts("lyon")) == (["a", "a"], ["b", "b"])
    assert [(one.lab, one.site_id) for one in hospital.bench.files()] == [(PARIS, "cochin"), (LYON, "lyon")]
    assert len([name for name in hospital.bench.names("archive") if name.endswith(".csv")]) == 2
    assert hospital.alerts == []


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + b"x" * 50, b"", b"a;b\r\n1;2\r\n"])
def test_the_site_of_the_folder_is_told_of_what_names_no_laboratory(
    hospital: Hospital, content: bytes
) -> None:
    hospital.drop("lyon", "photo.csv", content)
    assert hospital.step()["photo.csv"].verdict == "quarantined"
    (file,) = hospital.bench.files()
    assert (file.lab, file.site_id) == (LYON, "lyon")
    assert [getattr(event, "site", None) for event in hospital.bench.events] == ["lyon"]
    assert hospital.receipts("lyon") == ["photo", "photo"]
    assert hospital.receipts("") == []


@pytest.mark.parametrize(("box", "lab", "right"), [("lyon", PARIS, ""), ("", LYON, "lyon")])
def test_F20_a_file_of_another_laboratory_is_refused_and_may_come_again_in_its_own_folder(
    hospital: Hospital, box: str, lab: str, right: str
) -> None:
    hospital.drop(box, "a.csv", of(lab))
    assert [(one.verdict, one.code) for one in hospital.step().values()] == [("quarantined", "F-20")]
    assert hospital.bench.versions() == []
    hospital.drop(box, "again.csv", of(lab))
    assert [(one.verdict, one.code) for one in hospital.step().values()] == [("duplicate", "F-05")]
    hospital.drop(right, "a.csv", of(lab))
    assert [one.verdict for one in hospital.step().values()] == ["accepted"]
    assert len(hospital.bench.versions()) == 3


def test_F20_is_judged_again_in_the_same_folder_and_may_then_still_come_in_its_own(
    hospital: Hospital,
) -> None:
    bench = hospital.bench
    hospital.drop("lyon", "a.csv", of(PARIS))
    hospital.step()

    def again(number: int) -> str:
        outcome = replay(
            hospital.boxes, bench.db.transact, number, "dr-a", "try", bench.clock.now(), bench.handle
        )
        return outcome.code

    assert again(1) == "F-20"
    with pytest.raises(ReplayRefusedError) as refused:
        again(1)
    assert [one.code for one in refused.value.reasons] == ["replay.done"]
    assert len(hospital.receipts("lyon")) == 4
    hospital.drop("", "a.csv", of(PARIS))
    assert hospital.step()["a.csv"].verdict == "accepted"


def test_F20_one_row_of_another_laboratory_is_enough(hospital: Hospital) -> None:
    hospital.drop("", "a.csv", csv_bytes([H0, {**H30, "laboratory": LYON}]))
    assert hospital.step()["a.csv"].code == "F-20"


def test_the_column_names_of_a_laboratory_are_understood_in_its_folder_only(hospital: Hospital) -> None:
    for box, lab in (("lyon", LYON), ("", PARIS)):
        text = csv_text([{**H0, "laboratory": lab, "specimen_id": f"{lab}-1"}])
        hospital.drop(box, f"{lab}.csv", text.replace("resultat", "dosage").encode("cp1252"))
    found = hospital.step()
    assert found[f"{LYON}.csv"].verdict == "accepted"
    assert found[f"{PARIS}.csv"].code == "F-09"


def test_without_a_folder_of_its_own_every_laboratory_uses_the_common_one(bench: Bench) -> None:
    hospital = Hospital(bench, lyon=None)
    hospital.drop("", "a.csv", csv_bytes([H0]))
    hospital.drop("", "b.csv", csv_bytes([{**H30, "laboratory": LYON}]))
    assert {one.verdict for one in hospital.step().values()} == {"accepted"}
    assert [one.site_id for one in bench.files()] == ["cochin", "lyon"]


def test_when_every_laboratory_has_its_folder_the_common_one_refuses_all(bench: Bench) -> None:
    hospital = Hospital(bench, paris="paris")
    hospital.drop("", "a.csv", csv_bytes())
    assert hospital.step()["a.csv"].code == "F-20"
    hospital.drop("paris", "a.csv", csv_bytes())
    assert hospital.step()["a.csv"].verdict == "accepted"


def test_an_unknown_sub_folder_is_told_once_and_nothing_in_it_is_touched(hospital: Hospital) -> None:
    stray = hospital.bench.root / "in" / "marseille"
    stray.mkdir()
    (stray / "a.csv").write_bytes(csv_bytes())
    for _ in range(3):
        assert hospital.step() == {}
    assert hospital.alerts == [("marseille", "folder.unknown")]
    shutil.rmtree(stray)
    hospital.step()
    stray.mkdir()
    hospital.step()
    assert hospital.alerts == [("marseille", "folder.unknown")] * 2


def test_a_file_left_in_work_is_finished_for_its_own_laboratory(hospital: Hospital) -> None:
    hospital.drop("lyon", "a.csv", of(LYON))
    folder = next(box for box, study in hospital.boxes if study.folder == "lyon")
    for seconds in (0, 10, 30):
        scan = folder.scan(hospital.bench.clock.now(), seconds)
    assert folder.claim(scan.ready[0]) is not None
    hospital.restart()
    assert hospital.step()["a.csv"].verdict == "accepted"
    assert hospital.receipts("lyon") == ["a", "a"]


async def test_what_is_wrong_with_a_folder_becomes_a_flag_of_its_site(
    sqlite_url: str, tmp_path: Path
) -> None:
    """With the work that the service runs, on a configuration with two laboratories."""
    directory = write(tmp_path / "c", 'folder = "lyon"')
    settings = load_settings(database=sqlite_url, config=directory, intake={"folder": tmp_path / "drop"})
    program = make_program(settings)
    work = intake_work(program)
    (tmp_path / "drop" / "in" / "marseille").mkdir()
    (tmp_path / "drop" / "in" / "lyon" / "link.csv").symlink_to(tmp_path / "nowhere")
    for _ in range(2):
        await work.step(program.clock.now())
    flags = program.database.transact(open_flags)
    assert sorted((one.code, one.site_id, one.key.rpartition("|")[2]) for one in flags) == [
        ("folder_trouble", "cochin", "lyon/link.csv:F-02"),
        ("folder_trouble", "cochin", "marseille:folder.unknown"),
    ]
    program.database.close()


# --- the configuration


def write(directory: Path, *labs: str) -> Path:
    shutil.copytree(DEFAULT_DIR, directory, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shipped = (directory / "labs" / "cch-pharmaco.toml").read_text("utf-8")
    for no, line in enumerate(labs):
        text = shipped.replace('code = "CCH-PHARMACO"', f'code = "LAB-{no}"\n{line}')
        (directory / "labs" / f"{no}.toml").write_text(text, "utf-8")
    return directory


def defects(directory: Path) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationInvalidError) as refused:
        load_study(directory, template_names())
    return [(one.file, one.key) for one in refused.value.defects]


def test_two_laboratories_of_one_folder_are_a_defect(tmp_path: Path) -> None:
    assert defects(write(tmp_path / "c", 'folder = "a"', 'folder = "b"', 'folder = "a"')) == [
        ("labs/2.toml", "folder")
    ]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", ".hidden", "", "Lyon", "a b", "é", "com1", "a" * 41, "a\\\\b"]
)
def test_an_unsafe_folder_name_is_a_defect(tmp_path: Path, name: str) -> None:
    assert defects(write(tmp_path / "c", f'folder = "{name}"')) == [("labs/0.toml", "folder")]


def test_laboratories_with_folders_of_their_own_are_read(tmp_path: Path) -> None:
    study = load_study(write(tmp_path / "c", 'folder = "lyon"', ""), template_names())
    assert [study.labs[code].folder for code in (PARIS, "LAB-0", "LAB-1")] == [None, "lyon", None]
