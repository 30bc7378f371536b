"""Puts files into folders without ever overwriting one, and writes files that are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["move_new", "write_whole"]

_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def move_new(source: Path, folder: Path, name: str) -> str:
    """Moves a file to `folder` under `name`, or with a number added when that name is taken by other content.

    Interrupted and done again it leaves exactly one copy.
    """
    attempt = 1
    while True:
        target = folder / (name if attempt == 1 else _numbered(name, attempt))
        try:
            _link(source, target)
        except FileExistsError:
            if not _same_content(source, target):
                attempt += 1
                continue
        source.unlink()
        _sync_folder(folder)
        return target.name


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name, then renames it; writing it again is safe."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS or source.is_symlink():
            raise
        _copy_new(source, target)


def _copy_new(source: Path, target: Path) -> None:
    """For shares without hard links, and across file systems: a copy under a new name, verified."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "exists", str(target))
    write_whole(target, source.read_bytes())


def _same_content(source: Path, target: Path) -> bool:
    """Whether the target is the same file, or a copy from an interrupted move."""
    if source.is_symlink() or target.is_symlink() or not target.is_file() or not source.is_file():
        return os.path.samestat(source.lstat(), target.lstat())
    if source.samefile(target):
        return True
    return source.stat().st_size == target.stat().st_size and source.read_bytes() == target.read_bytes()


def _numbered(name: str, number: int) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}-{number}{dot}{suffix}" if stem else f"{name}-{number}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
