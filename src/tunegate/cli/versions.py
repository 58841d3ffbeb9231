"""`tunegate versions`: what is live where and why, and the decisions that people take about it."""

import json
import sys
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.cli import verify, version_lines
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.versions.registry import Assignment
    from tunegate.versions.runs import Run

versions = typer.Typer(
    help="Versions: what is live where, and decisions about it.", no_args_is_help=True, rich_markup_mode=None
)

Why = Annotated[str, typer.Option(help="the reason, for those who read it later")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]
RunName = Annotated[str, typer.Argument(help="the run, by name or commit; or a pipeline: its newest run")]
VersionName = Annotated[str, typer.Argument(help="the version, for example support@v1.2.0")]


AFTER_A_DECISION = ("approved", "forced")  # records of packaging what a person let through


def add_to(app: typer.Typer) -> None:
    verify.add_to(versions)
    app.add_typer(versions, name="versions")


@versions.command("list")
def show_all(
    pipeline: Annotated[str | None, typer.Argument(help="one pipeline's alone (default: all)")] = None,
    as_json: AsJson = False,
) -> None:
    """List the versions, where they are live, and what was done to their history."""
    from tunegate.releases.recorded import check_recorded, scores_of
    from tunegate.versions.agreement import disagreements
    from tunegate.versions.registry import read_registry

    workspace = Workspace.find()
    check_recorded(workspace, pipeline)
    registry = read_registry(workspace)
    shown = [each for each in registry.versions if pipeline in (None, each.pipeline)]
    damage = disagreements(workspace, registry)
    if as_json:
        listed = [version_lines.as_object(registry, version) for version in shown]
        _print_json({"versions": listed, "damage": damage})
        return
    print(version_lines.table(registry, shown, scores_of(workspace, shown)))
    for sentence in damage:
        print(f"damaged  {sentence}")


@versions.command("show")
def show(version: VersionName, as_json: AsJson = False) -> None:
    """Show one version: who let it through and why, where it was live, and what it was made from."""
    from tunegate.versions.lineage import lineage_at
    from tunegate.versions.registry import read_registry

    workspace = Workspace.find()
    registry = read_registry(workspace)
    found = registry.find(version)
    made = lineage_at(workspace, found.tag.commit, found.pipeline)
    folders = {
        path: value for stage in made.values() for path, value in stage.made.items() if not path.startswith("reports/")
    }
    if as_json:
        _print_json({**version_lines.as_object(registry, found), "made": folders})
        return
    print(version_lines.page(registry, found, folders))


@versions.command("approve")
def approve(
    run: RunName,
    why: Why,
    verdict: Annotated[str | None, typer.Option(help="the hash of the verdict that you looked at")] = None,
    force: Annotated[bool, typer.Option("--force", help="let a refused model through; it shows for ever")] = False,
    as_json: AsJson = False,
) -> None:
    """Let an undecided run through: package it from its own commit and register its version."""
    from tunegate.releases import deciding
    from tunegate.versions.decisions import person
    from tunegate.versions.registry import read_registry

    workspace = Workspace.find()
    say = partial(print, file=sys.stderr if as_json else sys.stdout, flush=True)
    act = deciding.force if force else deciding.approve
    released = act(workspace, _run(workspace, run), who=person(workspace), why=why, say=say, verdict_hash=verdict)
    registered = released.registered
    answer = {
        "run": released.decision.run,
        "decision": released.decision.what,
        "version": registered.version.name,
        "bento": released.run.ended.bento,
        "commit": released.run.commit,
        "live": registered.live,
    }
    if as_json:
        _print_json(answer)
        return
    print(f"{registered.version.name} is packaged as {released.run.ended.bento}.")
    print(registered.note or version_lines.next_of(read_registry(workspace), registered.version))


@versions.command("reject")
def reject(
    run: RunName,
    why: Why,
    verdict: Annotated[str | None, typer.Option(help="the hash of the verdict that you looked at")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep on record that a run's model does not go out, also where the gate said PASS."""
    from tunegate.releases import deciding
    from tunegate.versions.decisions import person

    workspace = Workspace.find()
    decision = deciding.reject(workspace, _run(workspace, run), who=person(workspace), why=why, verdict_hash=verdict)
    if as_json:
        _print_json({"run": decision.run, "decision": decision.what, "who": decision.who, "why": decision.why})
        return
    print(f"{decision.run} is rejected, on record for everybody who runs `tunegate versions`.")


@versions.command("promote")
def promote(
    version: VersionName,
    environment: Annotated[str, typer.Argument(help="production, staging or shadow")],
    why: Why,
    as_json: AsJson = False,
) -> None:
    """Make a version live in an environment."""
    from tunegate.releases import assigning
    from tunegate.versions.decisions import person

    workspace = Workspace.find()
    _tell(assigning.promote(workspace, version, environment, who=person(workspace), why=why), as_json)


@versions.command("rollback")
def rollback(
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
    why: Why,
    environment: Annotated[str, typer.Option(help="production, staging or shadow")] = "production",
    to: Annotated[str | None, typer.Option(help="the version to go back to (default: the one before)")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the version live again that was live before."""
    from tunegate.releases import assigning
    from tunegate.versions.decisions import person

    workspace = Workspace.find()
    who = person(workspace)
    _tell(assigning.rollback(workspace, pipeline, who=who, why=why, environment=environment, to=to), as_json)


@versions.command("compare")
def compare(
    before: Annotated[str, typer.Argument(metavar="A", help="a version or a run")],
    after: Annotated[str, typer.Argument(metavar="B", help="a version or a run")],
    rows: Annotated[int, typer.Option(min=0, help="flipped rows to show")] = 10,
    as_json: AsJson = False,
) -> None:
    """Set two versions side by side: scores, settings, labels, and the rows that came out otherwise."""
    from tunegate.releases.compare import compare as compared
    from tunegate.releases.compare import side

    workspace = Workspace.find()
    sides = side(workspace, before), side(workspace, after)
    if sides[0].commit == sides[1].commit and not as_json:  # a program gets the shape that it always gets
        print(f"{sides[0].name} and {sides[1].name} are the same ({sides[0].commit[:10]}): nothing to compare.")
        return
    found = compared(workspace, before, after)
    flips = version_lines.flips_of(workspace, found, rows)
    if as_json:
        _print_json({**asdict(found), **flips}, default=lambda score: score.model_dump())
        return
    print(version_lines.compared(found, flips))


def _run(workspace: Workspace, name: str) -> "Run":
    from tunegate.versions.runs import find_run, read_runs

    newest = (run for run in read_runs(workspace, name) if run.ended.status not in AFTER_A_DECISION)
    return next(newest, None) or find_run(workspace, name)


def _tell(done: "Assignment", as_json: bool) -> None:
    name = f"{done.pipeline}@{done.version}"
    if as_json:
        _print_json({"version": name, "environment": done.environment, "number": done.number})
        return
    print(f"{name} is live in {done.environment} now (assignment {done.number}).")


def _print_json(answer: dict[str, Any], **options: Any) -> None:
    print(json.dumps(answer, ensure_ascii=False, **options))
