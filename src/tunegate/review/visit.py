"""One request: who asks, in which language, with which form; and the answer as a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tunegate.review.forms import MOST_BYTES, TooLargeError, read_form
from tunegate.review.language import CODES, Language, choose
from tunegate.review.links import Links
from tunegate.review.people import git_user
from tunegate.review.rendering import Reader, View, render, render_part
from tunegate.review.security import (
    COOKIE,
    LANGUAGE_COOKIE,
    DeniedError,
    Sessions,
    check_host,
    check_origin,
    new_session,
)
from tunegate.review.site import Site

ASSETS = Path(__file__).with_name("assets")
OPEN = ("/login", "/assets/")  # what everybody may see, also before logging in
YEAR = 31_536_000


@dataclass
class Visit:
    """What is known of a request. `is_new` when its session's cookie has yet to be set."""

    sessions: Sessions
    session: str
    person: str | None
    language: Language
    is_new: bool
    chosen: bool  # the language was asked for in the address
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def csrf(self) -> str:
        return self.sessions.csrf(self.session)

    def leave_cookies(self, answer: Response) -> None:
        secure = bool(self.sessions.public_name)  # the proxy speaks TLS
        if self.is_new:
            answer.set_cookie(COOKIE, self.session, httponly=True, samesite="strict", path="/", secure=secure)
        if self.chosen:
            answer.set_cookie(LANGUAGE_COOKIE, self.language.code, YEAR, httponly=True, samesite="lax", path="/")


def visit(request: Request) -> Visit:
    """Made once per request."""
    if not hasattr(request.state, "visit"):
        request.state.visit = _visit(request)
    seen: Visit = request.state.visit
    return seen


def _visit(request: Request) -> Visit:
    sessions: Sessions = request.app.state.sessions
    session, asked = request.cookies.get(COOKIE, ""), request.query_params.get("lang")
    is_new = not 20 <= len(session) <= 100
    session = new_session() if is_new else session
    header = request.headers.get("accept-language")
    language = choose(asked, request.cookies.get(LANGUAGE_COOKIE), header)
    person = sessions.person(session) if sessions.needs_login else None
    return Visit(sessions, session, person, language, is_new, asked in CODES)


def admitted(request: Request) -> Response | None:
    """None, or the way to the login. Raises DeniedError."""
    seen = visit(request)
    check_host(seen.sessions.host, request.headers.get("host", ""), seen.sessions.public_name)
    if not seen.sessions.needs_login or seen.person or request.url.path.startswith(OPEN):
        return None
    if request.method not in ("GET", "HEAD"):
        raise DeniedError("You are not logged in.", "Log in and send it again.")
    return RedirectResponse("/login", 303)


async def sent(request: Request) -> None:
    """Of every POST: from our own page, of bounded size, with this session's token. Raises UserError."""
    if request.method != "POST":
        return
    seen = visit(request)
    check_origin(request.headers.get("origin"), request.headers.get("host", ""))
    form = read_form(request.headers.get("content-type", ""), await _body(request))
    seen.sessions.check_csrf(seen.session, form.get("csrf", ""))
    seen.form = form


async def _body(request: Request) -> bytes:
    """Not more than is allowed is ever held. Raises TooLargeError."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLargeError(f"The form holds over {MOST_BYTES:,} bytes.", "Send fewer or shorter rows at a time.")
        parts.append(part)
    return b"".join(parts)


def who(request: Request) -> str:
    """Who decides. Raises UserError where nobody is known."""
    seen = visit(request)
    if seen.person:
        return seen.person
    return git_user(site_of(request).workspace)


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def show(request: Request, view: View, status: int = 200) -> Response:
    """The whole page."""
    return HTMLResponse(render(view, _reader(request)), status)


def show_part(request: Request, view: View, template: str, status: int = 200) -> Response:
    """A part of a page, for one that is already shown."""
    return HTMLResponse(render_part(view, _reader(request), template), status)


def _reader(request: Request) -> Reader:
    seen = visit(request)
    parts = tuple(unquote(part) for part in request.url.path.split("/") if part)
    query = {key: value for key, value in request.query_params.items() if key not in ("lang", "said")}
    return Reader(
        language=seen.language,
        links=Links(),
        person=seen.person or "",
        csrf=seen.csrf,
        here=parts,
        query=query,
        can_leave=seen.person is not None,
        said=_said(request, seen.language),
    )


SAID = frozenset({"approved", "rejected", "forced", "promoted", "rolled_back", "accepted", "refused", "rows_written"})


def _said(request: Request, language: Language) -> str:
    """What was just done, by a word in the address: never a text from there."""
    word = request.query_params.get("said", "")
    return language.say(f"said.{word}") if word in SAID else ""
