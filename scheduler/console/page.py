"""A page of the console as data: its path, who may open it, what makes it; and what a page is asked, by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.responses import Response

from config.language import Language
from scheduler.console.desk import Desk
from scheduler.domain.roles import CLINICAL, Role
from scheduler.domain.speech import Speaker
from scheduler.engine.account.sign_in import SignedIn
from scheduler.engine.alive import Alive

__all__ = ["ADMINS", "CLINICAL", "EVERYBODY", "RECORDERS", "TEAM", "Asked", "Handler", "Page", "as_typed"]

EVERYBODY = frozenset(Role)
ADMINS = frozenset({Role.ADMIN})
TEAM = EVERYBODY - ADMINS  # whoever sees subjects: an admin keeps accounts and sees none
RECORDERS = frozenset({Role.COORDINATOR, Role.INVESTIGATOR})  # enrolment, appointments, participation


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a page, after every check. `form` is empty unless it was posted; `csrf` goes into every form.
    `refilled` when its form will hold what was typed before a sign-in ended.
    """

    page: Page
    desk: Desk
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    posted: bool
    url: str
    address: str
    secure: bool
    now: datetime
    speaker: Speaker
    signed_in: SignedIn | None
    sites: tuple[str, ...]
    csrf: str
    alive: Alive | None = None
    menu: tuple[Page, ...] = ()
    refilled: bool = False

    @property
    def where(self) -> str:
        """The path of the page."""
        return self.url.partition("?")[0]

    @property
    def language(self) -> Language:
        return self.speaker.language

    @property
    def roles(self) -> frozenset[Role]:
        """What the reader is in the study."""
        return frozenset(map(Role, self.signed_in.account.roles)) if self.signed_in else frozenset()

    @property
    def name(self) -> str:
        """The reader's account."""
        assert self.signed_in is not None
        return self.signed_in.account.id


Handler = Callable[[Asked], Response]
Typed = Callable[[Asked], Mapping[str, str]]


def as_typed(asked: Asked) -> Mapping[str, str]:
    """What was sent, as it was typed."""
    return asked.form


@dataclass(frozen=True, slots=True)
class Page:
    """A path with who may open it and what makes the page, in a thread of its own.

    `path` names its parts in braces. A part that belongs to a site (`access.SITE_OF`) opens the page to that site only.
    With `posts` the page takes a form too, from `post_roles` (those who may open it when none are named). `nav` is its
    word in the menu. A page that is `open` needs no sign-in, one that is `quiet` asks for itself and keeps nobody
    signed in. What was typed into its form is kept for the next sign-in as `keeps` gives it; by a page with a secret in
    its form never. `enters` marks the steps of a sign-in that is not complete, or a password that must be changed.
    """

    path: str
    roles: frozenset[Role]
    handler: Handler
    posts: bool = False
    post_roles: frozenset[Role] | None = None
    nav: str | None = None
    open: bool = False
    quiet: bool = False
    enters: bool = False
    keeps: Typed | None = None
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        parts = tuple(one[1:-1] for one in self.path.split("/") if one.startswith("{"))
        object.__setattr__(self, "parts", parts)

    def roles_for(self, *, posted: bool) -> frozenset[Role]:
        """Who may open the page, or send its form."""
        return self.post_roles if posted and self.post_roles is not None else self.roles
