"""`tunegate data`: raw data brought into the project: public sets, and files of one's own."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.cli import data_diff, data_review, data_rows
from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.catalogue.sets import PublicSet

data = typer.Typer(help="Raw data: fetch a public set, add files, list what is known.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(data, name="data")
    data_diff.add_to(data)
    data_review.add_to(data)
    data_rows.add_to(data)


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
    from tunegate.tasks import TASKS

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
    print(f"Licence: {public.licence}\nCite: {public.citation}\n")
    print(f"In params.yaml:\n{_settings(public)}" if public.task in TASKS else _not_yet(public))


@data.command("list")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list for other programs.")] = False,
) -> None:
    """List the public data sets that can be fetched."""
    from tunegate.catalogue.sets import public_sets
    from tunegate.tasks import TASKS

    if as_json:
        print(json.dumps([_description(public) for public in public_sets().values()], ensure_ascii=False))
        return
    for public in public_sets().values():
        where = "" if public.url else " (from a mirror only)"
        task = public.task if public.task in TASKS else f"{public.task} (task not in this version)"
        print(f"{public.name}: {public.title}{where}\n    {task}; {public.licence}")


@data.command("add")
def add(
    name: Annotated[str, typer.Argument(help="a pipeline, or a folder under data/raw (pipelines say `data: NAME`)")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="files or folders with the rows; none: track the data as it lies")
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", help="Add the rows; those of a known id replace the old ones (the default).")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="The files are the whole new data.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write data that validation would refuse, too.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Push the new version to DVC's and git's remotes.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; without --yes nothing is written.")
    ] = False,
) -> None:
    """Add the next batch of a pipeline's data: the difference and validation's word first, then one commit.

    With a NAME that is no pipeline: copy files into data/raw/NAME and let DVC track the folder.
    """
    workspace = Workspace.find()
    if append and replace:
        raise UserError("--append and --replace exclude each other.", "Give one of them.")
    if files and _has_versions(workspace, name):
        from tunegate.cli.data_add import add_batch

        add_batch(workspace, name, files, replace=replace, yes=yes, anyway=anyway, push=push, as_json=as_json)
        return
    if append or replace or push:
        raise UserError(
            f"{name} is no pipeline whose data has a version already: --append, --replace and --push need one.",
            f"Track its first version with `tunegate data add {name} FILE`.",
        )
    _track_files(workspace, name, files or [], as_json)


def _has_versions(workspace: Workspace, name: str) -> bool:
    """Whether it is a pipeline whose data DVC tracks."""
    from tunegate.params_file import read_params

    settings = read_params(workspace.params)["pipelines"].get(name)
    return bool(settings) and workspace.raw(f"{settings.get('data')}.dvc").is_file()


def _track_files(workspace: Workspace, name: str, files: list[Path], as_json: bool) -> None:
    from tunegate.catalogue.adding import add_files, check_data_name
    from tunegate.dvc.storage import pull_missing
    from tunegate.dvc.tracking import track

    folder = workspace.raw(check_data_name(name))
    if folder.with_name(f"{name}.dvc").is_file():
        pull_missing(workspace, [folder])
    changed = add_files(folder, files)
    tracked = track(workspace, folder)
    if as_json:
        print(json.dumps({"name": name, "changed": changed, "tracked_by": workspace.relative(tracked)}))
        return
    what = ", ".join(changed) if changed else "no file is new"
    print(f"{workspace.relative(folder)}: {what}. DVC tracks it: commit {workspace.relative(tracked)}.")


def _description(public: "PublicSet") -> dict[str, Any]:
    from tunegate.tasks import TASKS

    return {
        "runnable": public.task in TASKS,
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


def _not_yet(public: "PublicSet") -> str:
    return f"The task {public.task} is not in this version: no pipeline can run on it yet."


def _settings(public: "PublicSet") -> str:
    """The lines for params.yaml."""
    lines = [f"    task: {public.task}", f"    data: {public.name}"]
    for section, settings in _chosen(public).items():
        lines.append(f"    {section}:")
        lines += [f"      {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    return "\n".join(lines)
