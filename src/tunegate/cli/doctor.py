"""`tunegate doctor`: whether this machine, environment and project are fit to run, and what to do where not."""

import json
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.errors import ExitStatus

if TYPE_CHECKING:
    from tunegate.health.finding import Finding

MARKS = {"ok": "ok     ", "warning": "WARNING", "broken": "BROKEN "}


def add_to(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Check machine, environment and project, and say what to do; ends with 2 when something is broken."""
    from flows.checkup import examine_kept
    from tunegate.health import examine

    found = chain(examine(Path.cwd()), examine_kept(Path.cwd()))
    findings = [finding if as_json else show(finding) for finding in found]
    broken = [finding.name for finding in findings if finding.state == "broken"]
    if as_json:
        print(json.dumps({"fit": not broken, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        print(f"\nBroken: {', '.join(broken)}." if broken else "\nFit to run.")
    if broken:
        raise typer.Exit(ExitStatus.MISTAKE)


def show(finding: "Finding") -> "Finding":
    """Print it; the finding itself."""
    remedy = f"\n{' ' * 8}-> {finding.remedy}" if finding.remedy else ""
    print(f"{MARKS[finding.state]} {finding.name}: {finding.what}{remedy}", flush=True)
    return finding
