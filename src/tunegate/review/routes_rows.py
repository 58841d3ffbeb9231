"""Addresses for repairing and relabelling rows: the rows, what their change would do, and writing it."""

import threading
from collections.abc import Mapping
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response

from tunegate.data_versions.adding import Place, discard, message_of, write
from tunegate.errors import UserError
from tunegate.review.forms import reason
from tunegate.review.links import Links
from tunegate.review.repairs import proposed
from tunegate.review.views.rows import ProposalView, rows_view, suspects_view
from tunegate.review.visit import show, site_of, visit, who

CHANGES = 200  # shown before they are written; all are counted
Page = Annotated[int, Query(ge=1, le=1_000_000)]

_writing = threading.Lock()  # proposals of one data set are put together in one place


def add_to(app: FastAPI) -> None:
    @app.get("/p/{pipeline}/rows")
    def rows(request: Request, pipeline: str, rule: str = "", page: Page = 1) -> Response:
        return show(request, rows_view(site_of(request), pipeline, rule, page))

    @app.get("/p/{pipeline}/suspects")
    def suspects(request: Request, pipeline: str, page: Page = 1) -> Response:
        return show(request, suspects_view(site_of(request), pipeline, page))

    @app.post("/p/{pipeline}/rows")
    def propose(request: Request, pipeline: str) -> Response:
        return _proposal(request, site_of(request).check(pipeline))

    @app.post("/p/{pipeline}/rows/write")
    def write_rows(request: Request, pipeline: str) -> Response:
        return _write(request, site_of(request).check(pipeline))


def _proposal(request: Request, pipeline: str) -> Response:
    site, edits = site_of(request), edits_in(visit(request).form)
    with _writing:
        proposal = proposed(site.workspace, pipeline, edits)
        view = ProposalView(pipeline, proposal.data, proposal, proposal.diff.rows(limit=CHANGES), edits, who(request))
        answer = show(request, view)
        discard(proposal)
    return answer


def _write(request: Request, pipeline: str) -> Response:
    site, form, person = site_of(request), visit(request).form, who(request)
    why = reason(form)
    with _writing:
        proposal = proposed(site.workspace, pipeline, edits_in(form))
        what = f"Repair rows of {pipeline}: {why}\n\nDecided by {person} on the review page."
        try:
            write(site.workspace, proposal, message_of(proposal, what))
        finally:
            discard(proposal)
    return RedirectResponse(Links().to("p", pipeline, said="rows_written"), 303)


def edits_in(form: Mapping[str, str]) -> dict[Place, Mapping[str, str] | None]:
    """Rows that the form changes: `3.new.text` beside `3.old.text`, or `3.out`. Raises UserError."""
    edits: dict[Place, Mapping[str, str] | None] = {}
    for number in sorted({int(name.partition(".")[0]) for name in form if name.partition(".")[0].isdecimal()}):
        prefix = f"{number}."
        given = {name.removeprefix(prefix): value for name, value in form.items() if name.startswith(prefix)}
        changed = {
            name.removeprefix("new."): value
            for name, value in given.items()
            if name.startswith("new.") and given.get(f"old.{name.removeprefix('new.')}") != value
        }
        if given.get("out"):
            edits[_place(given)] = None
        elif changed:
            edits[_place(given)] = changed
    return edits


def _place(given: Mapping[str, str]) -> Place:
    line = given.get("line", "")
    if not given.get("source") or not line.isdecimal() or len(line) > 12:
        raise UserError("The form does not say which row it means.", "Load the page again and send it from there.")
    return given["source"], int(line)
