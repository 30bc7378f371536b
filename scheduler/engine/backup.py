"""A backup: a folder with the database at one moment, the drop folder, the configuration, and a manifest of it all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from config.secrecy import secrets_in
from scheduler.domain.reason import Reason, because
from scheduler.store import audit
from scheduler.store.copying import snapshot_study
from scheduler.store.database import Database
from scheduler.store.revision import check_schema, revision_of

__all__ = [
    "DATABASE",
    "FORMAT",
    "MANIFEST",
    "Backup",
    "BackupRefusedError",
    "back_up",
    "digest_of",
    "files_below",
    "sync_folder",
]

FORMAT = 1
MANIFEST, DATABASE, FOLDER, CONFIG = "manifest.json", "study.db", "lab", "config"
_FLOW = ("in", "work", "archive", "quarantine", "receipts", "duplicates")
"""The rooms in the order in which a file moves: one that moves meanwhile is met at least once."""
_SETTINGS = "settings.toml"


class BackupRefusedError(Exception):
    """Nothing was backed up or restored."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.code)


@dataclass(frozen=True, slots=True)
class Backup:
    """What was backed up. `left_out` names the files that hold a secret."""

    path: Path
    files: int
    bytes: int
    rows: int
    head: str
    left_out: tuple[str, ...]


def back_up(db: Database, folder: Path, config: Path, out: Path, now: datetime) -> Backup:
    """Write a backup to `out`, which must not exist; whole under its name, or not there. Raises BackupRefusedError.

    The service may go on meanwhile. Only the owner can read what is written.
    """
    if out.exists() or out.is_symlink():
        raise BackupRefusedError(because("refused_backup_exists", path_id=str(out)))
    check_schema(db)
    draft = out.with_name(f".{out.name}.partial-{os.getpid()}")
    draft.mkdir(mode=0o700, parents=False)
    try:
        rows, head = _save_database(db, draft / DATABASE)
        _save_rooms(folder, draft / FOLDER)
        left_out = _save_config(config, draft / CONFIG)
        found = {name: _entry(draft / name) for name in files_below(draft)}
        manifest = {
            "format": FORMAT, "made_at": now.isoformat(), "program": audit.APP_VERSION, "schema": revision_of(db),
            "database": "sqlite" if db.is_sqlite else "postgresql", "audit": {"rows": rows, "head": head},
            "left_out": left_out, "files": found,
        }  # fmt: skip
        _write(draft / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode())
        if out.exists():  # meanwhile
            raise BackupRefusedError(because("refused_backup_exists", path_id=str(out)))
        for made in (path for path in draft.rglob("*") if path.is_dir()):
            sync_folder(made)
        sync_folder(draft)
        draft.rename(out)
        sync_folder(out.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Backup(out, len(found), sum(one["size"] for one in found.values()), rows, head, tuple(left_out))


def files_below(root: Path) -> list[str]:
    """The files of a backup by their names in it, without the manifest."""
    found = (path for path in root.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(name for path in found if (name := path.relative_to(root).as_posix()) != MANIFEST)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        made = sha256()
        while part := file.read(1 << 20):
            made.update(part)
    return made.hexdigest()


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": digest_of(path), "size": path.stat().st_size}


def _save_database(db: Database, path: Path) -> tuple[int, str]:
    """The database at one moment as a SQLite file, its audit chain verified; how many audit rows, and the head."""
    path.touch(mode=0o600)
    if db.is_sqlite:
        db.back_up_to(path)
    with closing(Database(f"sqlite:///{path}", writer_thread=False)) as copy:
        if not db.is_sqlite:
            snapshot_study(db, copy)
        count, head, breaks = copy.read(audit.verify)
        if breaks:
            raise BackupRefusedError(because("refused_backup_chain", row=breaks[0].seq, why=breaks[0].why))
        copy.fold()
    return count, head


def _save_rooms(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for room in _FLOW:
        for path in _files(source / room):
            _copy(path, target / path.relative_to(source))


def _save_config(source: Path, target: Path) -> list[str]:
    """Copies the configuration; a settings file that holds a secret stays where it is."""
    target.mkdir(mode=0o700)
    left_out = []
    for path in _files(source):
        name = path.relative_to(source)
        if path.suffix != ".toml":
            continue
        if path.name == _SETTINGS and secrets_in(path):
            left_out.append(name.as_posix())
            continue
        _copy(path, target / name)
    return left_out


def _files(root: Path) -> Iterator[Path]:
    """The ordinary files below a folder; no link is followed."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _copy(source: Path, target: Path) -> None:
    """Copies a file for the owner alone; one that has just moved on is met again where it went."""
    try:
        content = source.read_bytes()
    except FileNotFoundError:
        return
    for folder in reversed(target.relative_to(target.anchor).parents):
        made = Path(target.anchor) / folder
        if not made.exists():
            made.mkdir(mode=0o700)
    _write(target, content)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
