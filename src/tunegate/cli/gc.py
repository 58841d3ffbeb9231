"""`tunegate gc`: what may go, and how much it frees; gone only after a yes."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.housekeeping.plan import Plan


def add_to(app: typer.Typer) -> None:
    app.command("gc")(gc)


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what may go; remove nothing, ask nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    keep_runs: Annotated[
        int | None, typer.Option(min=1, help="let records of runs go beyond the newest N of each pipeline")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="let records of runs go that are older")
    ] = None,
    cloud: Annotated[bool, typer.Option("--cloud", help="look through DVC's default remote too")] = False,
    remote: Annotated[str | None, typer.Option(help="look through this DVC remote too")] = None,
    grace: Annotated[float, typer.Option(min=0, metavar="HOURS", help="what is younger stays")] = 24.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Free room: say what nothing needs any more and how much it frees, ask, then remove it.

    What a version, the champion, a run that waits for a person, a branch, a tag or a working tree needs never goes,
    nor raw data and base models of any commit. Ends with 75 while a run is going.
    """
    from flows.locks import alone
    from tunegate.housekeeping.old_runs import Rule
    from tunegate.housekeeping.plan import Wish, plan

    workspace = Workspace.find()
    wish = Wish(Rule(keep_runs, older_than), remote or (None if cloud else ""), grace)
    with alone(workspace):
        found = plan(workspace, wish)
    if not as_json:
        print(_page(found))
    if found.parts and not dry_run and (yes or _agreed(found)):
        with alone(workspace):  # and looked at once more: a run may have come between
            found = plan(workspace, wish)
            found.carry_out()
        removed = True
    else:
        removed = False
    if as_json:
        print(json.dumps(found.as_object(removed=removed), ensure_ascii=False))
    elif removed:
        print(f"{_size(found.bytes)} are free again.")


def _agreed(found: "Plan") -> bool:
    typer.confirm(f"Remove all of this and free {_size(found.bytes)}?", abort=True, err=True)
    return True


def _page(found: "Plan") -> str:
    from tunegate.cli.version_lines import columns

    rows = [(part.kind, f"{part.number:,}", _size(part.bytes)) for part in found.parts]
    lines = [columns([("what may go", "number", "frees"), *rows])] if rows else ["Nothing may go."]
    if found.young:
        lines.append(f"{found.young:,} objects ({_size(found.young_bytes)}) are too new to go; --grace 0 takes them.")
    lines += [found.note] if found.note else []
    kept = ", ".join(f"{what} ({number:,})" for what, number in found.kept.items() if number)
    lines.append(f"What these need stays: {kept}.")
    lines += [f"  {name} stays: {why}" for name, why in found.held.items() if "waits" in why]
    return "\n".join(lines)


def _size(count: int) -> str:
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_:
            return f"{count / bytes_:,.1f} {unit}"
    return f"{count} bytes"
