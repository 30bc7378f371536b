"""Puts what was typed before back into the form of a page. The page itself is made as ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

__all__ = ["refilled"]

_OWN = frozenset({"csrf", "previewed"})  # hidden fields that are of the new page
_ANEW = _OWN | {"key", "seen", "tapped"}  # hidden fields that do not tell two forms of a page apart
_Attributes = list[tuple[str, str | None]]


def refilled(html: str, path: str, typed: Mapping[str, str]) -> str | None:
    """The page with what was typed, in the form that it was typed into; None when the page has no such form."""
    reader = _Reader(path)
    reader.feed(html)
    for number, form in enumerate(reader.forms):
        if all(typed.get(name, "") == value for name, value in form.hidden.items() if name not in _ANEW):
            writer = _Writer(path, number, form, typed)
            writer.feed(html)
            writer.close()
            return "".join(writer.written)
    return None


@dataclass
class _Form:
    """A form that is sent to the path: what it hides, and the folds that it lies in or has inside, by their number."""

    hidden: dict[str, str] = field(default_factory=dict)
    folds: set[int] = field(default_factory=set)


class _Reader(HTMLParser):
    """Knows in which form that is sent to the path, and in which fold, it is."""

    def __init__(self, path: str, *, convert: bool = True) -> None:
        super().__init__(convert_charrefs=convert)
        self.path = path
        self.forms: list[_Form] = []
        self.form: _Form | None = None
        self.folds: list[int] = []
        self.count = 0

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:
        has = dict(attrs)
        if tag == "form" and (has.get("action") or "").partition("?")[0] == self.path:
            self.form = _Form(folds=set(self.folds))
            self.forms.append(self.form)
        elif tag == "details":
            self.folds.append(self.count)
            if self.form is not None:
                self.form.folds.add(self.count)
            self.count += 1
        elif tag == "input" and has.get("type") == "hidden" and self.form is not None:
            self.form.hidden[has.get("name") or ""] = has.get("value") or ""

    def handle_startendtag(self, tag: str, attrs: _Attributes) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "details" and self.folds:
            self.folds.pop()


class _Writer(_Reader):
    """Writes the page as it reads it, but for the fields of one form, and opens the folds that they are in."""

    def __init__(self, path: str, number: int, form: _Form, typed: Mapping[str, str]) -> None:
        super().__init__(path, convert=False)
        self.written: list[str] = []
        self._number, self._wanted, self._typed = number, form, typed
        self._choice: str | None = None
        self._skips = False

    @property
    def _is_here(self) -> bool:
        return self.form is not None and len(self.forms) == self._number + 1

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:
        if self._skips:
            return
        super().handle_starttag(tag, attrs)
        as_it_is = self.get_starttag_text() or ""
        has = dict(attrs)
        name = has.get("name") or ""
        typed = self._typed.get(name)
        if tag == "details" and self.count - 1 in self._wanted.folds:
            self.written.append(_tag(tag, has | {"open": None}))
        elif tag == "option" and self._choice is not None:
            self.written.append(_tag(tag, _marked(has, "selected", has.get("value") == self._choice)))
        elif not self._is_here or name in _OWN:
            self.written.append(as_it_is)
        elif tag == "input" and has.get("type") in ("radio", "checkbox"):
            self.written.append(_tag(tag, _marked(has, "checked", has.get("value") == typed)))
        elif tag == "input" and typed is not None:
            self.written.append(_tag(tag, has | {"value": typed}))
        elif tag == "select" and typed is not None:
            self._choice = typed
            self.written.append(as_it_is)
        elif tag == "textarea" and typed is not None:
            self.written += [as_it_is, "\n", escape(typed)]
            self._skips = True
        else:
            self.written.append(as_it_is)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._skips = False
        if self._skips:
            return
        super().handle_endtag(tag)
        if tag == "select":
            self._choice = None
        self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._write(f"<!{decl}>")

    def _write(self, text: str) -> None:
        if not self._skips:
            self.written.append(text)


def _marked(has: dict[str, str | None], mark: str, wanted: bool) -> dict[str, str | None]:
    """The attributes with or without a mark."""
    without = {name: value for name, value in has.items() if name != mark}
    return without | {mark: None} if wanted else without


def _tag(tag: str, has: Mapping[str, str | None]) -> str:
    said = (name if value is None else f'{name}="{escape(value)}"' for name, value in has.items())
    return f"<{' '.join([tag, *said])}>"
