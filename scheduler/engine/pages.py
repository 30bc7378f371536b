"""The Jinja2 environment of whatever is shown as HTML: escaped by itself, in the reader's language."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from config.language import TEMPLATE_DIR, Language, counter, translator

__all__ = ["environment"]


@cache
def environment(folder: str, language: Language) -> Environment:
    """The templates of a folder of `templates/`, and what all share, speaking a language."""
    jinja = Environment(
        loader=FileSystemLoader([TEMPLATE_DIR / folder, TEMPLATE_DIR / "shared"]),
        undefined=StrictUndefined,
        autoescape=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # the templates are part of the program
    )
    jinja.policies["ext.i18n.trimmed"] = True
    jinja.filters["sentence"] = _sentence
    jinja.install_gettext_callables(translator(language), counter(language), newstyle=True)  # type: ignore[attr-defined]
    return jinja


def _sentence(text: str) -> str:
    """The words with a capital at their beginning; the rest stays."""
    return text[:1].upper() + text[1:]
