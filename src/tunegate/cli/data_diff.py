"""`tunegate data diff` and `tunegate data log`: what data versions there are, and how two of them differ."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.workspace import Workspace, write_atomically

if TYPE_CHECKING:
    from tunegate.data_versions.log import DataVersionShown

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]


def add_to(data: typer.Typer) -> None:
    data.command("diff")(diff)
    data.command("log")(log)


def diff(
    before: Annotated[str, typer.Argument(help="a path, a name under data/raw, a git revision or a version's tag")],
    after: Annotated[str, typer.Argument(help="the same, for the newer version")],
    pipeline: Annotated[str | None, typer.Option(help="whose settings read the rows")] = None,
    rows: Annotated[int, typer.Option(min=0, help="changed rows to show per kind")] = 5,
    models: Annotated[
        bool, typer.Option("--models", help="Also compare the versions' models: was it the data or the model?")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="write it as Markdown to this file too")] = None,
    as_json: Json = False,
) -> None:
    """Show how two data versions differ: rows, labels, and whether anything shifted."""
    from tunegate.data_versions import told
    from tunegate.data_versions.attribution import attribute, models_of, terminal
    from tunegate.data_versions.diff import data_diff
    from tunegate.data_versions.naming import two_versions
    from tunegate.progress import Progress

    workspace = Workspace.find()
    versions = two_versions(workspace, before, after, pipeline)
    found = data_diff(workspace, *versions, Progress("diff", sys.stderr))
    if markdown is not None:
        write_atomically(markdown, told.markdown(found, rows))
    compared = attribute(found, versions[1].task, *models_of(workspace, versions)) if models else None
    if as_json:
        shown = [change.model_dump(mode="json") for change in found.rows(limit=rows)] if rows else []
        both = compared.model_dump(mode="json") if compared else None
        print(json.dumps({**found.model_dump(mode="json"), "rows": shown, "models": both}, ensure_ascii=False))
        return
    print(told.terminal(found, rows))
    if compared is not None:
        print(terminal(compared))


def log(
    name: Annotated[str | None, typer.Argument(help="a pipeline or a name under data/raw; none: all data")] = None,
    as_json: Json = False,
) -> None:
    """List the versions of data sets: when, by whom, how large, and which model versions were made from them."""
    from tunegate.data_versions.log import data_log
    from tunegate.progress import Progress

    versions = data_log(Workspace.find(), name, Progress("log", sys.stderr))
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in versions], ensure_ascii=False))
        return
    for data in dict.fromkeys(one.data for one in versions):
        print(f"data/raw/{data}")
        for one in versions:
            if one.data == data:
                print(_version(one))


def _version(one: "DataVersionShown") -> str:
    rows = "rows unknown" if one.rows is None else f"{one.rows:,} rows"
    models = f"  {', '.join(one.models)}" if one.models else ""
    said = f"{one.author}: {one.subject}{models}"
    return f"  {one.commit[:10]}  {one.date[:16]}  {one.size / 1e6:>9.2f} MB  {rows:>14}  {said}"
