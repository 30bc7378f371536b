"""Long lists a page at a time; the links to the other pages keep what the address asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from scheduler.console.page import Asked

__all__ = ["ON_A_PAGE", "Paging", "address", "paging"]

ON_A_PAGE = 50
_FURTHEST = 100_000


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is shown, of how many; where the one before and the one after it are, if there are any."""

    page: int
    pages: int
    before: str | None
    after: str | None
    size: int

    @property
    def offset(self) -> int:
        """How many rows come before the first of this page."""
        return (self.page - 1) * self.size


def paging(asked: Asked, count: int, names: Iterable[str], size: int = ON_A_PAGE) -> Paging:
    """The page that the address asks for, of a list of `count` rows; `names` are what the list is asked for by."""
    pages, kept = max(1, -(-count // size)), tuple(names)
    page = min(_number(asked.query.get("page", "1")), pages)

    def there(number: int) -> str | None:
        return address(asked, kept, page=str(number)) if 0 < number <= pages else None

    return Paging(page, pages, there(page - 1), there(page + 1), size)


def address(asked: Asked, names: Iterable[str], **changed: str) -> str:
    """This page's address with what it is asked for, some of it changed; what is empty is left out."""
    asks = {name: asked.query.get(name, "") for name in names} | changed
    query = urlencode({name: value for name, value in asks.items() if value})
    return f"{asked.page.path}?{query}" if query else asked.page.path


def _number(text: str) -> int:
    """A page's number; the first page for anything else."""
    known = text.isascii() and text.isdigit() and len(text) < 7
    return max(1, min(int(text), _FURTHEST)) if known else 1
