"""`tunegate runs`, `cancel`, `push` and `pull`: what is on record or going on, here and where the team shares it."""

import json
import sys
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.cli import version_lines
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.releases.sharing import Shared

Remote = Annotated[
    str | None, typer.Argument(help="the git remote to share with (default: the one shared with, or the only one)")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]


def add_to(app: typer.Typer) -> None:
    app.command("runs")(runs)
    app.command("cancel")(cancel)
    app.command("push")(push)
    app.command("pull")(pull)


def runs(
    pipeline: Annotated[str | None, typer.Argument(help="one pipeline's alone (default: all)")] = None,
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="how many, the newest first")] = 30,
    as_json: AsJson = False,
) -> None:
    """List the runs on record, also those that were refused or failed."""
    from tunegate.releases.recorded import check_recorded
    from tunegate.versions.decisions import read_decisions
    from tunegate.versions.runs import read_runs

    workspace = Workspace.find()
    check_recorded(workspace, pipeline)
    found = read_runs(workspace, pipeline)
    decided = {decision.run: decision.what for decision in read_decisions(workspace)}
    if as_json:
        facts = ("commit", "baseline", "parent", "who", "when")
        listed: list[dict[str, Any]] = [
            {**asdict(run.ended), **{name: getattr(run, name) for name in facts}, "decided": decided.get(run.name)}
            for run in found[:most]
        ]
        print(json.dumps({"runs": listed}, ensure_ascii=False))
        return
    print(version_lines.run_table(found[:most], decided))
    if len(found) > most:
        print(f"and {len(found) - most:,} older ones (--most)")


def cancel(
    run: Annotated[str, typer.Argument(help="a run's name, or a pipeline's: all of it that is going on")],
    as_json: AsJson = False,
) -> None:
    """Stop a run on the server of `tunegate up` (or PREFECT_API_URL) within seconds. A next one goes on from there."""
    from flows.cancelling import cancel as end

    ended = end(Workspace.find(), run)
    print(json.dumps({"cancelled": ended}) if as_json else f"cancelled {', '.join(ended)}")


def push(remote: Remote = None, as_json: AsJson = False) -> None:
    """Send data, tags and runs, so that others see the same history. Your branch is yours to push."""
    from tunegate.releases import sharing

    done = sharing.push(Workspace.find(), remote, partial(print, file=sys.stderr, flush=True))
    _tell(done, "went to", as_json)


def pull(
    remote: Remote = None,
    every: Annotated[
        bool, typer.Option("--all", help="bring the data of every run, not of what is live alone")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring tags and runs, and the data of what is live and of this commit."""
    from tunegate.releases import sharing

    done = sharing.pull(Workspace.find(), remote, partial(print, file=sys.stderr, flush=True), every=every)
    _tell(done, "came from", as_json)


def _tell(done: "Shared", moved: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
    else:
        print(f"{done.refs:,} tags and runs {moved} {done.remote}; {done.objects:,} objects {moved} DVC's remote.")
        if done.missing:
            print(f"{done.missing:,} objects are on neither side; who made them can still push them.")
        if done.cut:
            print(f"{done.cut:,} objects lay half on DVC's remote and were sent again.")
        if done.private:
            print("DVC's remote lies in this clone alone: name one that others reach (docs/how-to/remotes.md).")
    for ref in done.conflicts:
        print(
            f"tunegate: {ref.removeprefix('refs/')} differs here and on {done.remote}; neither was changed.",
            file=sys.stderr,
        )
    raise typer.Exit(2 if done.conflicts else 0)
