"""Addresses of comparisons: two models, two data versions, one by the other, a sentence put to two models."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response

from tunegate.errors import TunegateError
from tunegate.review.links import Links
from tunegate.review.rendering import View
from tunegate.review.snapshots import Snapshot
from tunegate.review.views.ask import ask_view
from tunegate.review.views.attribution import attribution_view
from tunegate.review.views.compare import CompareView, Filter, compare_view
from tunegate.review.views.diff import diff_view
from tunegate.review.views.problem import ProblemView
from tunegate.review.visit import show, show_part, site_of, visit

Page = Annotated[int, Query(ge=1, le=1_000_000)]
Word = Annotated[str, Query(max_length=200)]
Label = Annotated[str, Query(max_length=10_000)]
Ref = Annotated[str, Query(min_length=1, max_length=60)]


def _filter(kind: Word = "", label: Label = "", search: Word = "", page: Page = 1) -> Filter:
    return Filter(kind, label, search.strip(), page)


Chosen = Annotated[Filter, Depends(_filter)]


def add_to(app: FastAPI) -> None:
    @app.get("/p/{pipeline}/compare")
    def choose(pipeline: str, a: Ref, b: Ref, what: Literal["model", "data"] = "model") -> Response:
        parts = ("p", pipeline, "compare", a, b) if what == "model" else ("p", pipeline, "data", b, "diff", a)
        return RedirectResponse(Links().to(*parts), 303)

    @app.get("/p/{pipeline}/compare/{a}/{b}")
    def compare(request: Request, pipeline: str, a: str, b: str, chosen: Chosen) -> Response:
        return show(request, _compared(request, (pipeline, a, b), chosen))

    @app.get("/p/{pipeline}/compare/{a}/{b}/flips")
    def flips(request: Request, pipeline: str, a: str, b: str, chosen: Chosen) -> Response:
        return show_part(request, _compared(request, (pipeline, a, b), chosen), "flips.html")

    @app.post("/p/{pipeline}/compare/{a}/{b}/ask")
    def ask(request: Request, pipeline: str, a: str, b: str) -> Response:
        return _answer(request, (pipeline, a, b))

    @app.get("/p/{pipeline}/compare/{a}/{b}/attribution")
    def attribution(request: Request, pipeline: str, a: str, b: str) -> Response:
        return show(request, attribution_view(*_sides(request, (pipeline, a, b)), visit(request).language))

    @app.get("/p/{pipeline}/compare/{a}/{b}/attribution/part")
    def attribution_part(request: Request, pipeline: str, a: str, b: str) -> Response:
        sides, language = _sides(request, (pipeline, a, b)), visit(request).language
        return _part(request, lambda: attribution_view(*sides, language), "attribution_part.html")

    @app.get("/p/{pipeline}/data/{ref}/diff/{other}")
    def diff(request: Request, pipeline: str, ref: str, other: str, chosen: Chosen) -> Response:
        site, language = site_of(request), visit(request).language
        before, after = site.snapshot(pipeline, other), site.snapshot(pipeline, ref)
        return show(request, diff_view(before, after, language, chosen.kind, chosen.page))


def _sides(request: Request, names: tuple[str, str, str]) -> tuple[Snapshot, Snapshot]:
    site, (pipeline, a, b) = site_of(request), names
    return site.snapshot(pipeline, a), site.snapshot(pipeline, b)


def _compared(request: Request, names: tuple[str, str, str], chosen: Filter) -> CompareView:
    return compare_view(*_sides(request, names), visit(request).language, chosen)


def _answer(request: Request, names: tuple[str, str, str]) -> Response:
    """Into the page for htmx; a page of its own without."""
    sides, form = _sides(request, names), visit(request).form
    if request.headers.get("hx-request") != "true":
        return show(request, ask_view(*sides, form))
    return _part(request, lambda: ask_view(*sides, form), "answers.html")


def _part(request: Request, make: Callable[[], View], template: str) -> Response:
    """Into a page that is shown already; a mistake too, as a sentence in its place."""
    try:
        view = make()
    except TunegateError as error:
        return show_part(request, ProblemView(422, error.problem, error.remedy), "problem_part.html", 422)
    return show_part(request, view, template)
