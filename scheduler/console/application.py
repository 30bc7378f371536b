"""The application: every page behind one function that knows who asks and whether it is allowed."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl, quote

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from config.language import Language
from config.logs import log
from scheduler.console.access import Access, decide, sites_of, unguarded
from scheduler.console.cookie import cookie_name, csrf_of, is_token
from scheduler.console.desk import Desk
from scheduler.console.gate import Gate, is_same_origin
from scheduler.console.page import EVERYBODY, Asked, Page
from scheduler.console.refill import refilled
from scheduler.console.show import STATIC_DIR, go, refused, show, step_to
from scheduler.domain.facts import Source
from scheduler.engine.account.kept_form import drop_kept, keep_typed, typed_before, whose_was
from scheduler.engine.account.sign_in import SignedIn, find_session
from scheduler.engine.alive import Alive, daemon_state
from scheduler.store import audit
from scheduler.store.database import StoreError

__all__ = ["make_application"]

_AT_ONCE = 8  # pages made at the same time: each has a connection to the database
_MOST_FIELDS = 400
_FORM = "application/x-www-form-urlencoded"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATIC = {one.name: _KINDS[one.suffix] for one in STATIC_DIR.iterdir()}


class _NotTakenError(Exception):
    """A form that cannot be read."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


def make_application(desk: Desk, pages: Sequence[Page]) -> ASGIApp:
    """The console with these pages. Raises ValueError for a page of which nobody said whose it is."""
    if unguarded(pages):
        raise ValueError(f"whose are these pages? {', '.join(unguarded(pages))}")
    threads = CapacityLimiter(_AT_ONCE)
    menu = tuple(page for page in pages if page.nav is not None)
    routes = [Route("/healthz", _healthz(desk), methods=["GET"]), Route("/static/{name}", _static)]
    routes += [
        Route(
            page.path,
            _endpoint(desk, page, menu, threads),
            methods=["GET", "POST"] if page.posts else ["GET"],
        )
        for page in pages
    ]
    nowhere = Page("/", EVERYBODY, lambda asked: refused(asked, 404), open=True)

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return await to_thread.run_sync(lambda: refused(_stranger(desk, nowhere, request, {}), status))

    async def broken(request: Request, error: Exception) -> Response:
        log.error("page_failed", path=request.url.path, error=type(error).__name__)
        status = 503 if isinstance(error, StoreError | DBAPIError) else 500
        return await to_thread.run_sync(lambda: refused(_stranger(desk, nowhere, request, {}), status))

    handlers = {HTTPException: missing, StoreError: broken, DBAPIError: broken, Exception: broken}
    return Gate(Starlette(routes=routes, exception_handlers=handlers), desk.settings.console)


def _healthz(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    """Whether the console can read its database; nothing of what is in it."""

    async def healthz(request: Request) -> Response:
        try:
            await to_thread.run_sync(desk.database.ping)
        except StoreError:
            return PlainTextResponse("no database", 503)
        return PlainTextResponse("ok")

    return healthz


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(404)
    keep = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(STATIC_DIR / name, media_type=_STATIC[name], headers=keep)


def _endpoint(
    desk: Desk, page: Page, menu: tuple[Page, ...], threads: CapacityLimiter
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            form = await _form(request, desk.settings.console.max_body_kb * 1024)
        except _NotTakenError as error:
            status = error.status
            return await to_thread.run_sync(lambda: refused(_stranger(desk, page, request, {}), status))
        asked = replace(_stranger(desk, page, request, form), menu=menu)
        return await to_thread.run_sync(lambda: _answer(asked, request), limiter=threads)

    return endpoint


async def _form(request: Request, most: int) -> dict[str, str]:
    """What was sent. Raises _NotTakenError when it is too large or no form."""
    if request.method != "POST":
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _NotTakenError(415)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise _NotTakenError(413)
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise _NotTakenError(400) from error
    return {name: value.replace("\r\n", "\n").replace("\0", "") for name, value in fields}


def _stranger(desk: Desk, page: Page, request: Request, form: Mapping[str, str]) -> Asked:
    """A request before it is known who asks."""
    query = {name: value.replace("\0", "") for name, value in request.query_params.items()}
    return Asked(
        page=page,
        desk=desk,
        path={name: str(value).replace("\0", "") for name, value in request.path_params.items()},
        query=query,
        form=form,
        posted=request.method == "POST",
        url=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        address=request.client.host if request.client else "-",
        secure=request.url.scheme == "https",
        now=desk.clock.now(),
        speaker=desk.speaker(_language(query.get("lang"), request.headers.get("accept-language", ""), desk)),
        signed_in=None,
        sites=(),
        csrf="",
    )


def _language(asked: str | None, accepted: str, desk: Desk) -> Language:
    """The language asked for, else the first that the browser names, else the installation's."""
    wanted = [asked or ""] + [one.split(";")[0].strip()[:2].lower() for one in accepted.split(",")]
    return next((Language(one) for one in wanted if one in set(Language)), desk.settings.language)


def _answer(asked: Asked, request: Request) -> Response:
    """Every page is answered here, and only here is it decided whether."""
    page, desk = asked.page, asked.desk
    if asked.posted and not is_same_origin(request.headers, request.url.scheme):
        return refused(asked, 403)
    token = request.cookies.get(cookie_name(secure=asked.secure))
    signed_in = None
    if token is not None and is_token(token):
        signed_in = find_session(desk.database, desk.settings.console, token, asked.now, stays=not page.quiet)
    if signed_in is None:
        return page.handler(asked) if page.open else _to_the_door(asked, request)
    asked = _known(asked, signed_in)
    if page.open:
        return page.handler(asked)
    if asked.posted and not secrets.compare_digest(asked.form.get("csrf", "").encode(), asked.csrf.encode()):
        return _denied(asked, "csrf", 403)
    step = _next_step(asked)
    if step is not None and not page.enters:
        return step_to(step, asked.where if asked.posted else asked.url)
    access, alive, typed = desk.database.read(lambda session: _looked_up(session, asked))
    match access:
        case Access.GRANTED:
            return _granted(replace(asked, alive=alive), typed)
        case Access.FORBIDDEN:
            return _denied(replace(asked, alive=alive), "role", 403)
        case Access.ELSEWHERE:
            return _denied(replace(asked, alive=alive), "site", 404)


def _known(asked: Asked, signed_in: SignedIn) -> Asked:
    account = signed_in.account
    sites = sites_of(account, asked.desk.study.sites)
    site = sites[0] if len(sites) == 1 else None
    speaker = asked.desk.speaker(Language(account.language), site)
    return replace(asked, signed_in=signed_in, speaker=speaker, sites=sites, csrf=csrf_of(signed_in.token))


def _looked_up(session: Session, asked: Asked) -> tuple[Access, Alive, Mapping[str, str] | None]:
    assert asked.signed_in is not None
    access = decide(session, asked.page, asked.path, asked.roles, asked.sites, posted=asked.posted)
    keeps = asked.page.keeps is not None
    typed = typed_before(session, asked.name, asked.where, asked.now) if keeps else None
    return access, daemon_state(session, asked.now), typed


def _granted(asked: Asked, typed: Mapping[str, str] | None) -> Response:
    """The page; with what was typed before the last sign-in ended, until it is recorded."""
    if typed is None:
        return asked.page.handler(asked)
    if asked.posted:
        answer = asked.page.handler(asked)
        if answer.status_code == 303:
            asked.desk.database.transact(lambda session: drop_kept(session, asked.name))
        return answer
    answer = asked.page.handler(replace(asked, refilled=True))
    html = refilled(bytes(answer.body).decode(), asked.where, typed) if answer.status_code == 200 else None
    return HTMLResponse(html) if html is not None else asked.page.handler(asked)


def _next_step(asked: Asked) -> str | None:
    """What somebody has to do before any other page; None when nothing."""
    assert asked.signed_in is not None
    account = asked.signed_in.account
    if not asked.signed_in.complete:
        return "/login/code"
    if account.must_change:
        return "/password"
    if asked.desk.settings.console.second_factor == "required" and account.totp_since is None:
        return "/second-factor"
    return None


def _to_the_door(asked: Asked, request: Request) -> Response:
    """To the sign-in, and back here afterwards.

    A link in a mail is followed without the cookie, which never travels with a request that another site began: such
    a request is begun anew from a page of ours.
    """
    if asked.posted:
        kept = _keep(asked, request.cookies.get(cookie_name(secure=asked.secure)))
        return go(f"/login?over=kept&next={quote(asked.where, safe='/')}" if kept else "/login?over=1")
    if request.headers.get("sec-fetch-site") == "cross-site":
        return show(asked, "again.html", where=asked.url)
    return RedirectResponse(f"/login?next={quote(asked.url, safe='')}" if asked.url != "/" else "/login", 303)


def _keep(asked: Asked, token: str | None) -> bool:
    """Keep what was typed, when the form is one of a sign-in that ended by itself; whether it is kept."""
    keeps = asked.page.keeps
    if keeps is None or token is None or not is_token(token):
        return False
    if not secrets.compare_digest(asked.form.get("csrf", "").encode(), csrf_of(token).encode()):
        return False

    def step(session: Session) -> bool:
        account = whose_was(session, token)
        if account is None:
            return False
        typed = keeps(replace(asked, speaker=asked.desk.speaker(asked.language, account.site_id)))
        typed = {name: value for name, value in typed.items() if name != "csrf"}
        keep_typed(session, account.id, asked.where, typed, asked.now)
        return True

    return asked.desk.database.transact(step)


def _denied(asked: Asked, why: str, status: int) -> Response:
    """A refusal that somebody who is signed in met: it goes on record."""

    def step(session: Session) -> None:
        detail = {"path": asked.page.path, "posted": asked.posted, "why": why}
        audit.append(
            session,
            asked.now,
            "denied",
            "account",
            asked.name,
            detail,
            actor=asked.name,
            source=Source.CONSOLE,
        )

    with suppress(StoreError, DBAPIError):
        asked.desk.database.transact(step)
    return refused(asked, status)
