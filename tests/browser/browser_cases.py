"""People in front of a console that is really served."""

from __future__ import annotations

from dataclasses import dataclass, field

from console_cases import House
from playwright.sync_api import Browser, Page, ViewportSize

DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)


@dataclass
class Served:
    """A console at an address, and the people in front of it."""

    house: House
    address: str
    chromium: Browser
    complaints: list[str] = field(default_factory=list)

    def person(self, viewport: ViewportSize = DESKTOP, *, dark: bool = False, locale: str = "fr-FR") -> Page:
        """Another person's browser, at the door."""
        scheme = "dark" if dark else "light"
        context = self.chromium.new_context(
            base_url=self.address, viewport=viewport, color_scheme=scheme, locale=locale
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto("/login")
        return page

    def _heard(self, kind: str, said: str) -> None:
        """What the browser complains of, but for answers that a test asked for."""
        if kind == "error" and "the server responded with a status of 4" not in said:
            self.complaints.append(said)
