"""The reader's own account: password, second factor, language."""

from __future__ import annotations

from io import BytesIO

import pyotp
import segno
from markupsafe import Markup
from starlette.responses import Response

from config.language import Language
from scheduler.console.page import EVERYBODY, Asked, Page
from scheduler.console.show import go, is_local, show, step_to, wanted
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.account import own_account as engine

__all__ = ["PAGES"]


def _password(asked: Asked) -> Response:
    assert asked.signed_in is not None
    if not asked.signed_in.complete:
        return step_to("/login/code", wanted(asked))
    problems: list[str] = []
    if asked.posted:
        try:
            _change(asked)
            return _done(asked, "password")
        except RefusedError as error:
            problems = [asked.speaker.say(one) for one in error.reasons]
    must = asked.signed_in.account.must_change
    status = 422 if problems else 200
    return show(asked, "password.html", status=status, problems=problems, must=must, next=wanted(asked))


def _done(asked: Asked, what: str) -> Response:
    """On to where the reader wanted to be; else to the worklist, which says what was done."""
    place = wanted(asked)
    return go(place if place != "/" else f"/?done={what}")


def _change(asked: Asked) -> None:
    assert asked.signed_in is not None
    old, new = asked.form.get("old", ""), asked.form.get("new", "")
    if new != asked.form.get("again", ""):
        raise RefusedError([because("refused_password_differs")])
    words = [asked.desk.study.newest[1].acronym, "mpa-monitor"]
    engine.change_password(asked.desk.database, asked.signed_in, old, new, words, asked.address, asked.now)


def _second_factor(asked: Asked) -> Response:
    signed_in, db = asked.signed_in, asked.desk.database
    assert signed_in is not None
    if not signed_in.complete:
        return step_to("/login/code", wanted(asked))
    if signed_in.account.must_change:
        return step_to("/password", wanted(asked))
    if signed_in.account.totp_since is not None:
        return show(asked, "second_factor.html", since=signed_in.account.totp_since, problems=[])
    problems: list[str] = []
    if asked.posted:
        given = asked.form.get("password", ""), asked.form.get("code", "")[:20]
        try:
            engine.confirm_second_factor(db, signed_in, *given, asked.address, asked.now)
            return _done(asked, "second-factor")
        except RefusedError as error:
            problems = [asked.speaker.say(one) for one in error.reasons]
    secret = engine.second_factor_secret(db, signed_in)
    study = asked.desk.study.newest[1].acronym
    uri = pyotp.TOTP(secret).provisioning_uri(name=asked.name, issuer_name=study)
    return show(
        asked,
        "second_factor.html",
        status=422 if problems else 200,
        since=None,
        problems=problems,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        uri=uri,
        picture=_picture(uri),
        next=wanted(asked),
    )


def _picture(uri: str) -> Markup:
    """A QR code as SVG, without a style of its own."""
    found = BytesIO()
    segno.make(uri, micro=False).save(
        found, kind="svg", scale=5, xmldecl=False, svgclass="qr", lineclass=None, light="#fff"
    )
    return Markup(  # noqa: S704
        found.getvalue().decode("ascii")
    )  # written by the library from letters and digits of a link


def _language(asked: Asked) -> Response:
    assert asked.signed_in is not None
    wanted = asked.form.get("language", "")
    if wanted in set(Language):
        engine.choose_language(asked.desk.database, asked.signed_in, Language(wanted))
    back = asked.form.get("back", "/")
    return go(back if is_local(back) else "/")


PAGES = (
    Page("/password", EVERYBODY, _password, posts=True, enters=True),
    Page("/second-factor", EVERYBODY, _second_factor, posts=True, enters=True),
    Page("/language", EVERYBODY, _language, posts=True, enters=True),
)
