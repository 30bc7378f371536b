"""Reads and moves files: never through a link, never over another file, and whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from scheduler.intake.folder.sightings import identity_of
from scheduler.whole_files import PRIVATE, SHARED, arriving, sync_folder

__all__ = [
    "content_of",
    "fetch",
    "keep_private",
    "move_new",
]

_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_CHUNK = 1 << 20


def content_of(path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file of at most `limit` bytes, never through a link and never waiting; None when it is
    none, is larger, or changes meanwhile. Raises OSError."""
    with _opened(path) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > limit:
            return None
        content = file.read(limit + 1)
        same = identity_of(os.fstat(file.fileno())) == identity_of(about)
    return content if same and len(content) <= limit else None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        yield file


def keep_private(path: Path) -> bool:
    """Takes the rights of others from a file in a private folder; whether they are gone. A file of another owner keeps
    its rights, and so does one on a share that knows none."""
    with suppress(OSError):
        path.chmod(PRIVATE)
    return not path.lstat().st_mode & 0o077


def move_new(source: Path, folder: Path, name: str, *, private: bool = False) -> str:
    """Moves a file to `folder` under `name`, or with a number added when that name is taken by other content.

    A `private` one, which may hold names, is copied when its rights cannot be narrowed, so that the copy is ours.
    Interrupted and done again it leaves exactly one file.
    """
    about = source.lstat()
    copied = private and stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and not keep_private(source)
    attempt = 1
    while True:
        target = folder / (name if attempt == 1 else _numbered(name, attempt))
        try:
            _place(source, target, copied, PRIVATE if private else SHARED)
        except FileExistsError:
            if not _same_content(source, target):
                attempt += 1
                continue
        source.unlink()
        sync_folder(folder)
        return target.name


def fetch(source: Path, target: Path) -> None:
    """Moves a file from another file system: copied, written to the disk, compared, and only then removed there.
    Done again after an interruption it ends the same."""
    _copy(source, target, PRIVATE)
    source.unlink()


def _place(source: Path, target: Path, copied: bool, mode: int) -> None:
    """Gives the file its second name, or a copy where there are no hard links or the copy must be ours."""
    if not copied:
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS or source.is_symlink():
                raise
        else:
            return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "exists", str(target))
    _copy(source, target, mode)


def _copy(source: Path, target: Path, mode: int) -> None:
    """A copy that was compared with what was read. Raises OSError, with nothing left, when they differ."""
    with _opened(source) as original, arriving(target, mode) as copy:
        before = os.fstat(original.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file", str(source))
        said = _digest(original, copy)
        copy.flush()
        os.fsync(copy.fileno())
        copy.seek(0)
        if _digest(copy) != said or identity_of(os.fstat(original.fileno())) != identity_of(before):
            raise OSError(errno.EBUSY, "changed while it was copied", str(source))
    sync_folder(target.parent)


def _digest(file: BinaryIO, copy: BinaryIO | None = None) -> bytes:
    """The hash of what a file holds from here on, handing it on to a copy."""
    total = sha256()
    while chunk := file.read(_CHUNK):
        total.update(chunk)
        if copy is not None:
            copy.write(chunk)
    return total.digest()


def _same_content(source: Path, target: Path) -> bool:
    """Whether the target is the same file, or a copy from an interrupted move."""
    if source.is_symlink() or target.is_symlink() or not target.is_file() or not source.is_file():
        return os.path.samestat(source.lstat(), target.lstat())
    if source.samefile(target):
        return True
    if source.stat().st_size != target.stat().st_size:
        return False
    with _opened(source) as one, _opened(target) as other:
        return _digest(one) == _digest(other)


def _numbered(name: str, number: int) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}-{number}{dot}{suffix}" if stem else f"{name}-{number}"
