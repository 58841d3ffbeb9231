"""Addresses of decisions: a page that says what will happen, and a form that does it. Written by the rooms below."""

import logging
from typing import Literal

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from tunegate.data_versions.review import ACCEPT, REFUSE, decide
from tunegate.errors import UserError
from tunegate.releases.assigning import promote as make_live
from tunegate.releases.assigning import rollback as go_back
from tunegate.releases.deciding import approve, force, reject
from tunegate.review.forms import reason
from tunegate.review.links import Links
from tunegate.review.snapshots import Snapshot
from tunegate.review.views.decide import (
    About,
    about_data,
    about_environment,
    about_run,
    about_version,
    judged_run,
    registered,
    registered_as,
)
from tunegate.review.visit import show, site_of, visit, who
from tunegate.review.waiting_data import waiting_of
from tunegate.versions.registry import Environment, read_registry

AboutData = Literal["accept", "refuse"]
SAID = {"approve": "approved", "reject": "rejected", "force": "forced"}

log = logging.getLogger("tunegate.review")


def add_to(app: FastAPI) -> None:
    _add_versions(app)  # before the runs' addresses, which would take `promote` for an action
    _add_runs(app)
    _add_data(app)


def _add_versions(app: FastAPI) -> None:
    @app.get("/p/{pipeline}/model/{ref}/promote")
    def ask_promote(request: Request, pipeline: str, ref: str) -> Response:
        snapshot = site_of(request).snapshot(pipeline, ref)
        return show(request, about_version(snapshot, who(request), visit(request).language))

    @app.post("/p/{pipeline}/model/{ref}/promote")
    def promote(request: Request, pipeline: str, ref: str) -> Response:
        return _promote(request, site_of(request).snapshot(pipeline, ref))

    @app.get("/p/{pipeline}/rollback/{environment}")
    def ask_rollback(request: Request, pipeline: str, environment: Environment) -> Response:
        site = site_of(request)
        registry = read_registry(site.workspace)
        names = (site.check(pipeline), environment)
        return show(request, about_environment(registry, names, who(request), visit(request).language))

    @app.post("/p/{pipeline}/rollback/{environment}")
    def rollback(request: Request, pipeline: str, environment: Environment) -> Response:
        return _rollback(request, site_of(request).check(pipeline), environment)


def _add_runs(app: FastAPI) -> None:
    @app.get("/p/{pipeline}/model/{ref}/{action}")
    def ask_run(request: Request, pipeline: str, ref: str, action: About) -> Response:
        snapshot = site_of(request).snapshot(pipeline, ref)
        return show(request, about_run(snapshot, action, who(request), visit(request).language))

    @app.post("/p/{pipeline}/model/{ref}/{action}")
    def decide_run(request: Request, pipeline: str, ref: str, action: About) -> Response:
        return _decide(request, site_of(request).snapshot(pipeline, ref), action)


def _add_data(app: FastAPI) -> None:
    @app.get("/p/{pipeline}/data/{ref}/{action}")
    def ask_data(request: Request, pipeline: str, ref: str, action: AboutData) -> Response:
        snapshot = site_of(request).snapshot(pipeline, ref)
        return show(request, about_data(snapshot, action, who(request), visit(request).language))

    @app.post("/p/{pipeline}/data/{ref}/{action}")
    def decide_data(request: Request, pipeline: str, ref: str, action: AboutData) -> Response:
        return _data(request, site_of(request).snapshot(pipeline, ref), action)


def _decide(request: Request, snapshot: Snapshot, action: About) -> Response:
    """Packages what is let through, so it takes a while. The hash is that of the verdict that the person looked at."""
    form = visit(request).form
    workspace, run = snapshot.workspace, judged_run(snapshot)
    why, person, seen = reason(form), who(request), form.get("verdict") or "none"
    if action == "reject":
        reject(workspace, run, who=person, why=why, verdict_hash=seen)
    else:
        let_through = approve if action == "approve" else force
        let_through(workspace, run, who=person, why=why, verdict_hash=seen, say=log.info)
    return _done(("p", snapshot.pipeline, "model", snapshot.ref), SAID[action])


def _data(request: Request, snapshot: Snapshot, action: AboutData) -> Response:
    """About the very data that the person was shown."""
    form, workspace, pipeline = visit(request).form, snapshot.workspace, snapshot.pipeline
    waiting, why = waiting_of(workspace, pipeline), reason(form)
    if snapshot.commit is not None or waiting is None or waiting.validated != form.get("validated"):
        raise UserError("The data is another than the one you looked at.", "Look at it again and decide about that.")
    what = ACCEPT if action == "accept" else REFUSE
    decide(workspace, pipeline, what, who=who(request), why=why)
    return _done(("p", pipeline, "data", snapshot.ref), f"{action}ed" if action == "accept" else "refused")


def _promote(request: Request, snapshot: Snapshot) -> Response:
    form, workspace = visit(request).form, snapshot.workspace
    version = registered(read_registry(workspace), snapshot)
    make_live(workspace, version.name, form.get("environment", ""), who=who(request), why=reason(form))
    return _done(("p", snapshot.pipeline, "model", snapshot.ref), "promoted")


def _rollback(request: Request, pipeline: str, environment: Environment) -> Response:
    """To the version that the person was shown, also where another assignment came in between."""
    form, workspace = visit(request).form, site_of(request).workspace
    target = registered_as(read_registry(workspace), pipeline, form.get("to", ""))
    go_back(workspace, pipeline, who=who(request), why=reason(form), environment=environment, to=target.name)
    return _done(("p", pipeline), "rolled_back")


def _done(parts: tuple[str, ...], said: str) -> Response:
    """To the page that shows what now is; loading it again sends nothing twice."""
    return RedirectResponse(Links().to(*parts, said=said), 303)
