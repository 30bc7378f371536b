"""Files that are written whole, and safe on the disk, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["PRIVATE", "SHARED", "arriving", "sync_folder", "write_pieces", "write_whole"]

PRIVATE, SHARED = 0o600, 0o640
"""Rights of what only the service may read, and of what its group reads too."""


def write_whole(path: Path, content: bytes, mode: int | None = None) -> None:
    """Writes a file under a temporary name, then renames it; writing it again is safe. A `mode` is given to it whatever
    the umask."""
    with arriving(path, mode) as file:
        file.write(content)
    sync_folder(path.parent)


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """`write_whole` of a file that is not held in memory as a whole."""
    with arriving(path, None) as file:
        file.writelines(pieces)
    sync_folder(path.parent)


@contextmanager
def arriving(path: Path, mode: int | None) -> Iterator[BinaryIO]:
    """A file to write that gets its name when it is whole and on the disk."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, SHARED if mode is None else mode)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            if mode is not None:
                with suppress(OSError):  # a share may know no rights
                    os.fchmod(descriptor, mode)
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """What was named, renamed or removed in the folder is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
