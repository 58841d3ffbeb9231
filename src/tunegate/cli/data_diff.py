"""`tunegate data diff` and `tunegate data log`: what data versions there are, and how two of them differ."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunegate.workspace import Workspace, write_atomically

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]


def add_to(data: typer.Typer) -> None:
    data.command("diff")(diff)


def diff(
    before: Annotated[str, typer.Argument(help="a path, a name under data/raw, a git revision or a version's tag")],
    after: Annotated[str, typer.Argument(help="the same, for the newer version")],
    pipeline: Annotated[str | None, typer.Option(help="whose settings read the rows")] = None,
    rows: Annotated[int, typer.Option(min=0, help="changed rows to show per kind")] = 5,
    markdown: Annotated[Path | None, typer.Option(help="write it as Markdown to this file too")] = None,
    as_json: Json = False,
) -> None:
    """Show how two data versions differ: rows, labels, and whether anything shifted."""
    from tunegate.data_versions import told
    from tunegate.data_versions.diff import data_diff
    from tunegate.data_versions.naming import two_versions
    from tunegate.progress import Progress

    workspace = Workspace.find()
    versions = two_versions(workspace, before, after, pipeline)
    found = data_diff(workspace, *versions, Progress("diff", sys.stderr))
    if markdown is not None:
        write_atomically(markdown, told.markdown(found, rows))
    if as_json:
        shown = [change.model_dump(mode="json") for change in found.rows(limit=rows)] if rows else []
        print(json.dumps({**found.model_dump(mode="json"), "rows": shown}, ensure_ascii=False))
        return
    print(told.terminal(found, rows))
