"""`tunegate data`: raw data brought into the project: public sets, and files of one's own."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.cli import data_diff
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.catalogue.sets import PublicSet

data = typer.Typer(help="Raw data: fetch a public set, add files, list what is known.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(data, name="data")
    data_diff.add_to(data)


@data.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="a set of the catalogue, see `tunegate data list`")],
    mirror: Annotated[Path | None, typer.Option(help="a folder with copies, instead of the internet")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Fetch a public data set into data/raw/NAME, verify every file, and let DVC track it."""
    from tunegate.catalogue.fetching import MIRROR_VARIABLE, fetch_set
    from tunegate.catalogue.sets import find_set
    from tunegate.dvc.tracking import track

    public = find_set(name)
    workspace = Workspace.find()
    named = mirror or (Path(variable) if (variable := os.environ.get(MIRROR_VARIABLE)) else None)
    folder = workspace.raw(name)
    changed = fetch_set(public, folder, named, (lambda path: None) if as_json else print)
    tracked = workspace.relative(track(workspace, folder))
    if as_json:
        print(json.dumps({**_description(public), "changed": changed, "tracked_by": tracked}, ensure_ascii=False))
        return
    done = f"DVC tracks it: commit {tracked}." if changed else "It was here already; nothing changed."
    print(f"{name}: {len(public.files)} files in {workspace.relative(folder)}, verified. {done}")
    print(f"Licence: {public.licence}\nCite: {public.citation}\n\nIn params.yaml:\n{_settings(public)}")


@data.command("list")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list for other programs.")] = False,
) -> None:
    """List the public data sets that can be fetched."""
    from tunegate.catalogue.sets import public_sets

    if as_json:
        print(json.dumps([_description(public) for public in public_sets().values()], ensure_ascii=False))
        return
    for public in public_sets().values():
        where = "" if public.url else " (from a mirror only)"
        print(f"{public.name}: {public.title}{where}\n    {public.task}; {public.licence}")


@data.command("add")
def add(
    name: Annotated[str, typer.Argument(help="the folder under data/raw; pipelines say `data: NAME`")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="files or folders to copy there; none: track it as it lies")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Copy files into data/raw/NAME, in the place of those of the same name, and let DVC track the folder."""
    from tunegate.catalogue.adding import add_files, check_data_name
    from tunegate.dvc.storage import pull_missing
    from tunegate.dvc.tracking import track

    workspace = Workspace.find()
    folder = workspace.raw(check_data_name(name))
    if folder.with_name(f"{name}.dvc").is_file():
        pull_missing(workspace, [folder])
    changed = add_files(folder, files or [])
    tracked = track(workspace, folder)
    if as_json:
        print(json.dumps({"name": name, "changed": changed, "tracked_by": workspace.relative(tracked)}))
        return
    what = ", ".join(changed) if changed else "no file is new"
    print(f"{workspace.relative(folder)}: {what}. DVC tracks it: commit {workspace.relative(tracked)}.")


def _description(public: "PublicSet") -> dict[str, Any]:
    return {
        **public.model_dump(mode="json", include={"name", "title", "task", "licence", "citation", "url"}),
        "files": [file.path for file in public.files],
        **_chosen(public),
    }


def _chosen(public: "PublicSet") -> dict[str, Any]:
    """The settings of the set that are not the defaults."""
    chosen = {
        "ingest": public.ingest.model_dump(mode="json", exclude_defaults=True),
        "split": public.split.model_dump(mode="json", exclude_defaults=True),
    }
    return {section: settings for section, settings in chosen.items() if settings}


def _settings(public: "PublicSet") -> str:
    """The lines for params.yaml."""
    lines = [f"    task: {public.task}", f"    data: {public.name}"]
    for section, settings in _chosen(public).items():
        lines.append(f"    {section}:")
        lines += [f"      {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    return "\n".join(lines)
