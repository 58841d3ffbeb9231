"""The site over HTTP: routes, who asks, and what is said of mistakes."""

import logging
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from tunegate.errors import OutsideError, RefusedError, TunegateError
from tunegate.review import routes_compare, routes_decide, routes_rows
from tunegate.review.forms import TooLargeError, UnreadableError
from tunegate.review.people import People
from tunegate.review.security import HEADERS, DeniedError, Sessions
from tunegate.review.site import Site
from tunegate.review.snapshots import NotThereError
from tunegate.review.views.data import data_view
from tunegate.review.views.home import home_view, pipeline_view
from tunegate.review.views.login import LoginView
from tunegate.review.views.model import model_view
from tunegate.review.views.problem import ProblemView
from tunegate.review.visit import ASSETS, admitted, sent, show, visit
from tunegate.versions.tags import LostRaceError
from tunegate.workspace import Workspace

STATUS: tuple[tuple[type[TunegateError], int], ...] = (
    (NotThereError, 404),
    (DeniedError, 403),
    (TooLargeError, 413),
    (UnreadableError, 415),
    (LostRaceError, 409),
    (OutsideError, 503),
    (RefusedError, 409),
    (TunegateError, 422),
)
Page = Annotated[int, Query(ge=1, le=1_000_000)]

log = logging.getLogger("tunegate.review")


def make_app(workspace: Workspace, host: str, public_name: str = "") -> FastAPI:
    """The application; `host` is the address that it listens on, `public_name` the one of the proxy before it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(sent)])
    app.state.site = Site(workspace)
    app.state.sessions = Sessions(People.of(workspace), host, public_name)
    app.middleware("http")(_every)
    for kind in (TunegateError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _problem)
    _add_pages(app)
    _add_login(app)
    for routes in (routes_compare, routes_decide, routes_rows):
        routes.add_to(app)
    return app


async def _every(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Of every request: the host it names, whose it is, and the headers of the answer."""
    try:
        answer = admitted(request) or await go_on(request)
    except Exception as error:  # what a handler of errors itself could not show
        answer = _problem(request, error)
    seen = visit(request)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    seen.leave_cookies(answer)
    return answer


def _problem(request: Request, error: Exception) -> Response:
    """A page with a sentence. Only a bug leaves a traceback, in the log of the server, never on the page."""
    if isinstance(error, TunegateError):
        status = next(number for kind, number in STATUS if isinstance(error, kind))
        view = ProblemView(status, error.problem, error.remedy)
    elif isinstance(error, RequestValidationError):
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"][1:])
        view = ProblemView(422, f"{where[:80]}: {detail['msg']}.", "Correct the address, or go on from the first page.")
    elif isinstance(error, HTTPException):
        said = "There is no such page." if error.status_code == 404 else f"{error.detail}."
        view = ProblemView(error.status_code, said, "Go on from the first page.")
    else:
        log.error("a page failed", exc_info=error)
        view = ProblemView(
            500, "This page failed: a bug of tunegate.", "The server's log says where; please report it."
        )
    return show(request, view, view.status)


def _add_pages(app: FastAPI) -> None:
    @app.get("/")
    def home(request: Request) -> Response:
        return show(request, home_view(_site(request)))

    @app.get("/assets/{name}")
    def asset(name: str) -> Response:
        if name not in {path.name for path in ASSETS.iterdir()}:
            raise NotThereError("There is no such file.", "Go on from the first page.")
        return FileResponse(ASSETS / name, headers={"Cache-Control": "public, max-age=300"})

    @app.get("/p/{pipeline}")
    def pipeline(request: Request, pipeline: str) -> Response:
        return show(request, pipeline_view(_site(request), pipeline))

    @app.get("/p/{pipeline}/model/{ref}")
    def model(request: Request, pipeline: str, ref: str) -> Response:
        return show(request, model_view(_site(request).snapshot(pipeline, ref), visit(request).language))

    @app.get("/p/{pipeline}/data/{ref}")
    def data(request: Request, pipeline: str, ref: str, page: Page = 1, rule: str = "") -> Response:
        return show(request, data_view(_site(request).snapshot(pipeline, ref), visit(request).language, page, rule))


def _add_login(app: FastAPI) -> None:
    @app.get("/login")
    def login(request: Request) -> Response:
        return show(request, LoginView())

    @app.post("/login")
    def enter(request: Request) -> Response:
        seen = visit(request)
        entered = seen.sessions.enter(seen.form.get("token", "").strip())
        if entered is None:
            return show(request, LoginView(wrong=True), 403)
        seen.session, seen.person = entered
        seen.is_new = True
        return RedirectResponse("/", 303)

    @app.post("/leave")
    def leave(request: Request) -> Response:
        seen = visit(request)
        seen.sessions.leave(seen.session)
        return RedirectResponse("/login" if seen.sessions.needs_login else "/", 303)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
