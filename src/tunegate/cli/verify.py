"""`tunegate versions verify` and `why`: whether a version is still what was registered, and why a run redid a stage."""

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.errors import ExitStatus
from tunegate.progress import format_seconds
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.releases.verify import Verified
    from tunegate.releases.why import RunWhy, StageWhy

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]


def add_to(versions: typer.Typer) -> None:
    versions.command("verify")(verify)
    versions.command("why")(why)


def verify(
    version: Annotated[str, typer.Argument(help="the version, for example support@v1.2.0")],
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="run its stages again, from its own commit, and compare what they make")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a version from its tags over every stored file, raw data to Bento, until the first difference.

    Exit status: 0 the same, 3 something differs, 75 something is missing.
    """
    from tunegate.releases.verify import verify as verified

    workspace = Workspace.find()
    found = verified(workspace, version)
    if rebuild and found.difference is None:
        from tunegate.releases.rebuild import rebuild as rebuilt

        found = rebuilt(workspace, found, partial(print, file=sys.stderr, flush=True))
    print(json.dumps(found.as_object(), ensure_ascii=False) if as_json else _told(found))
    if found.difference is not None:
        raise typer.Exit(ExitStatus.OUTSIDE if found.difference.missing else ExitStatus.REFUSED)


def _told(found: "Verified") -> str:
    looked = f"{found.stages} stages, {found.files:,} files of {found.megabytes:,.1f} MB hashed"
    notes = [f"note      {note}" for note in found.notes]
    if found.difference is None:
        again = f"; {found.rebuilt} stages run again made the same files" if found.rebuilt else ""
        return "\n".join([f"{found.version} is what was registered: {looked}{again}.", *notes])
    first = found.difference
    verb = "cannot be checked" if first.missing else "differs"
    return "\n".join(
        [
            f"{found.version} {verb}, first in {first.part}: {first.path}",
            f"  {first.problem}",
            f"  {first.remedy}",
            *notes,
        ]
    )


def why(
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
    stage: Annotated[str | None, typer.Argument(help="one stage alone (default: all)")] = None,
    run: Annotated[str | None, typer.Option(help="a run by its name (default: the last one on record)")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which file, setting, module or library made a run redo a stage, or what was reused and spared."""
    from tunegate.releases.why import why as asked

    found = asked(Workspace.find(), pipeline, stage, run)
    if as_json:
        answer = {
            "run": found.run.name,
            "before": found.before.name if found.before else None,
            "stages": [each.as_object() for each in found.stages],
            "saved_seconds": found.saved,
        }
        print(json.dumps(answer, ensure_ascii=False))
        return
    print(_story(found))


def _story(found: "RunWhy") -> str:
    compared = f"beside {found.before.name}" if found.before else "the first run on record"
    lines = [f"{found.run.name}, {compared}"]
    for stage in found.stages:
        lines += _stage(stage, first=found.before is None)
    if found.saved:
        lines.append(f"Reused work saved {format_seconds(found.saved)}.")
    return "\n".join(lines)


def _stage(stage: "StageWhy", *, first: bool) -> list[str]:
    """`first`: no run was on record before this one."""
    name = f"  {stage.stage:<10}"
    if stage.state == "not reached":
        return [f"{name} not reached"]
    if stage.state == "unchanged":
        spared = f", which saved {format_seconds(stage.saved)}" if stage.saved else ""
        alike = "data, settings, libraries and code are those of the run before"
        return [f"{name} reused: {'results that were there before the first record' if first else alike}{spared}"]
    spared = f", which saved {format_seconds(stage.saved)}" if stage.saved else ""
    took = " as equal by a person" if stage.state == "accepted" else f" in {format_seconds(stage.seconds)}"
    done = f"{name} {stage.state}{took}{spared}"
    if stage.first:
        return [f"{done}: it had not run before"]
    if not stage.changes:
        return [f"{done}: nothing that it reads changed (it was forced, or its files were missing)"]
    lines = [f"{done}, because", *(f"             {reason}" for reason in stage.reasons)]
    if stage.roots:
        lines.append(f"             that goes back to: {'; '.join(root.sentence for root in stage.roots)}")
    return lines
