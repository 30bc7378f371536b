"""Making a study again from a backup, in an empty place, after everything in the backup was verified."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from scheduler.domain.reason import because
from scheduler.engine.backup import (
    CONFIG,
    DATABASE,
    FOLDER,
    FORMAT,
    MANIFEST,
    BackupRefusedError,
    digest_of,
    files_below,
    sync_folder,
)
from scheduler.store import audit
from scheduler.store.copying import copy_study
from scheduler.store.database import Database
from scheduler.store.restored import mark_restored
from scheduler.store.revision import knows_revision
from scheduler.store.schema import migrate

__all__ = ["Restoration", "check_backup", "restore"]


@dataclass(frozen=True, slots=True)
class Restoration:
    """What was restored. `config` is None when the configuration of the backup was left where it is."""

    backup_at: datetime
    rows: int
    head: str
    possibly_sent: int
    files: int
    config: Path | None


def restore(source: Path, db: Database, folder: Path, config: Path, actor: str, now: datetime) -> Restoration:
    """Make the study again from the backup `source`: database, drop folder, and the configuration where there is none.

    Raises BackupRefusedError, with nothing written, unless the backup is whole and the place is empty. Mails that may
    have left since the backup are held.
    """
    manifest = check_backup(source)
    _refuse_full(db, folder)
    backup_at = datetime.fromisoformat(manifest["made_at"])
    with tempfile.TemporaryDirectory(prefix="mpa-restore-") as room:
        draft = Path(room) / DATABASE
        shutil.copyfile(source / DATABASE, draft)
        with closing(Database(f"sqlite:///{draft}", writer_thread=False)) as copy:
            _verify_database(copy, manifest)
            copy.fold()
            if not db.is_sqlite:
                copy_study(copy, db, now)
        if db.is_sqlite:
            _put(draft, Path(str(db.url.database)))
    files = _put_tree(source / FOLDER, folder)
    made = None
    if not any(config.rglob("*.toml")):
        _put_tree(source / CONFIG, config)
        made = config
    rows, head = manifest["audit"]["rows"], manifest["audit"]["head"]

    def step(session: Session) -> int:
        held = mark_restored(session, backup_at, now)
        detail = {"backup_at": backup_at.isoformat(), "rows": rows, "head": head, "possibly_sent": held}
        audit.append(session, now, "restored", "database", "-", detail, actor=actor, source="cli")
        return held

    return Restoration(backup_at, rows, head, db.transact(step), files, made)


def check_backup(source: Path) -> dict[str, Any]:
    """The manifest of a backup whose files are all there, unchanged, and no others. Raises BackupRefusedError."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text("utf-8"))
        listed, made = manifest["files"], manifest["format"]
        datetime.fromisoformat(manifest["made_at"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupRefusedError(because("refused_restore_no_backup", path_id=str(source))) from error
    if made != FORMAT:
        raise BackupRefusedError(because("refused_restore_newer"))
    there = set(files_below(source))
    for name, entry in listed.items():
        path = source / name
        if name not in there or path.is_symlink():
            raise BackupRefusedError(because("refused_restore_missing", file_id=name))
        if path.stat().st_size != entry["size"] or digest_of(path) != entry["sha256"]:
            raise BackupRefusedError(because("refused_restore_changed", file_id=name))
    for name in sorted(there - set(listed)):
        raise BackupRefusedError(because("refused_restore_added", file_id=name))
    return manifest


def _refuse_full(db: Database, folder: Path) -> None:
    if db.is_sqlite:
        path = Path(str(db.url.database))
        if path.exists():
            raise BackupRefusedError(because("refused_restore_database", path_id=str(path)))
    else:
        db.ping()  # whether it is empty is seen when it is written to
    if any(path.is_file() for path in folder.rglob("*")):
        raise BackupRefusedError(because("refused_restore_folder", path_id=str(folder)))


def _verify_database(copy: Database, manifest: dict[str, Any]) -> None:
    if not knows_revision(copy):
        raise BackupRefusedError(because("refused_restore_newer"))
    answers = copy.read(lambda session: session.execute(text("PRAGMA quick_check")).scalars().all())
    if answers != ["ok"]:
        raise BackupRefusedError(because("refused_restore_damaged", why="; ".join(map(str, answers))[:200]))
    migrate(copy)  # the chain is read with the columns of this program
    count, head, breaks = copy.read(audit.verify)
    if breaks:
        raise BackupRefusedError(because("refused_backup_chain", row=breaks[0].seq, why=breaks[0].why))
    if (count, head) != (manifest["audit"]["rows"], manifest["audit"]["head"]):
        raise BackupRefusedError(because("refused_restore_other"))


def _put(source: Path, target: Path) -> None:
    """Copies a file for the owner alone; it and its name outlive a power cut."""
    for folder in reversed([one for one in (target.parent, *target.parent.parents) if not one.exists()]):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
    draft = target.with_name(target.name + ".tmp")
    shutil.copyfile(source, draft)
    draft.chmod(0o600)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.rename(target)
    sync_folder(target.parent)


def _put_tree(source: Path, target: Path) -> int:
    """Copies the files of a tree into another, for the owner alone; how many."""
    count = 0
    for path in sorted(source.rglob("*")):
        if path.is_file():
            _put(path, target / path.relative_to(source))
            count += 1
    return count
