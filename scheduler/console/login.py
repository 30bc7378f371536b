"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from starlette.responses import Response

from scheduler.console.cookie import clear, keep
from scheduler.console.page import EVERYBODY, Asked, Page
from scheduler.console.show import go, show, step_to, wanted
from scheduler.domain.reason import because
from scheduler.engine.account.sign_in import give_code, sign_in, sign_out

__all__ = ["PAGES"]

_LONGEST = 1024


def _login(asked: Asked) -> Response:
    if asked.signed_in is not None and not asked.posted:
        return go(wanted(asked))
    if not asked.posted:
        return _ask(asked)
    name, password = asked.form.get("account", "").strip().lower()[:100], asked.form.get("password", "")
    if not name or not password or len(password) > _LONGEST:
        return _ask(asked, problem=asked.speaker.text("Give the name of your account and its password."))
    if asked.signed_in is not None:  # a sign-in over another one: the old one ends
        sign_out(asked.desk.database, asked.signed_in, asked.now)
    desk = asked.desk
    tried = sign_in(desk.database, desk.settings.console, name, password, asked.address, asked.now)
    if tried.wait is not None:
        return _ask(asked, problem=_wait(asked, tried.wait), status=429)
    if tried.token is None:
        words = "Account or password is wrong. Ask whoever runs the service if you forgot the password."
        return _ask(asked, problem=asked.speaker.text(words), status=401)
    answer = step_to("/login/code", wanted(asked)) if tried.needs_code else go(wanted(asked))
    keep(answer, tried.token, secure=asked.secure)
    return answer


def _wait(asked: Asked, wait: timedelta) -> str:
    return asked.speaker.say(because("refused_attempts", minutes=ceil(wait.total_seconds() / 60)))


def _ask(asked: Asked, problem: str | None = None, status: int = 200) -> Response:
    return show(
        asked,
        "login.html",
        status=status,
        problem=problem,
        next=wanted(asked),
        over=asked.query.get("over"),
        account=asked.form.get("account", ""),
    )


def _code(asked: Asked) -> Response:
    assert asked.signed_in is not None
    if asked.signed_in.complete:
        return go(wanted(asked))
    if not asked.posted:
        return show(asked, "login_code.html", problem=None, next=wanted(asked))
    tried = give_code(
        asked.desk.database, asked.signed_in, asked.form.get("code", "")[:20], asked.address, asked.now
    )
    if tried.wait is not None:
        answer = _ask(asked, problem=_wait(asked, tried.wait), status=429)
        clear(answer, secure=asked.secure)
        return answer
    if tried.token is None:
        problem = asked.speaker.say(because("refused_code_wrong"))
        return show(asked, "login_code.html", status=401, problem=problem, next=wanted(asked))
    answer = go(wanted(asked))
    keep(answer, tried.token, secure=asked.secure)
    return answer


def _logout(asked: Asked) -> Response:
    assert asked.signed_in is not None
    if asked.posted:
        sign_out(asked.desk.database, asked.signed_in, asked.now)
    answer = go("/login")
    if asked.posted:
        clear(answer, secure=asked.secure)
    return answer


PAGES = (
    Page("/login", EVERYBODY, _login, posts=True, open=True),
    Page("/login/code", EVERYBODY, _code, posts=True, enters=True),
    Page("/logout", EVERYBODY, _logout, posts=True, enters=True),
)
