"""`tunegate models`: base models brought into the project, and listed."""

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.cli.models_vocabulary import vocabulary
from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tunegate.models.adding import BaseModel
    from tunegate.models.sources import Source

models = typer.Typer(help="Base models: bring one in, list them.", no_args_is_help=True, rich_markup_mode=None)

FORMS = """\
    tunegate models add NAME --package PACKAGE              from an installed Python package
    tunegate models add NAME PATH                           from a Hugging Face folder on this machine, or from
                                                            Google's BERT or ALBERT checkpoint (folder, .zip, .tar.gz)
    tunegate models add NAME --hub OWNER/NAME[@REVISION]    from the Hugging Face hub
    tunegate models vocabulary NAME FILES                   of your own texts, to be pre-trained from random weights"""


def add_to(app: typer.Typer) -> None:
    app.add_typer(models, name="models")
    models.command("vocabulary")(vocabulary)


@models.command("add")
def add(
    name: Annotated[str, typer.Argument(help="what to call it here: pipelines say `model: models/NAME`")],
    path: Annotated[
        Path | None, typer.Argument(help="a Hugging Face folder, or Google's checkpoint: a folder, .zip or .tar.gz")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="the same as PATH")] = None,
    hub: Annotated[str | None, typer.Option(help="OWNER/NAME[@REVISION] on the Hugging Face hub")] = None,
    package: Annotated[str | None, typer.Option(help="an installed Python package that holds a model")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="overwrite a base model of that name")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Copy a base model into data/models/NAME, check it, and let DVC track it."""
    from tunegate.dvc.tracking import track
    from tunegate.models.adding import add_model

    workspace = Workspace.find()
    with _source(path, folder, hub, package) as source:
        model, changed = add_model(workspace, name, source, replace=replace)
    tracked = track(workspace, workspace.model(f"models/{name}"))
    if as_json:
        facts = {"model": asdict(model), "changed": changed, "tracked_by": workspace.relative(tracked)}
        print(json.dumps({**facts, "report": source.report, "trial": source.trial}))
        return
    print("".join(f"{line}\n" for line in source.report), end="")
    print(_line(model))
    print(
        f"Use it with `model: models/{name}`. "
        + (
            f"DVC tracks it: commit {workspace.relative(tracked)}."
            if changed
            else "It was here already; nothing changed."
        )
    )
    if source.trial:
        print(source.trial)


@models.command("list")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list for other programs.")] = False,
) -> None:
    """List the base models of this project."""
    from tunegate.models.adding import list_models

    found = list_models(Workspace.find())
    if as_json:
        print(json.dumps([asdict(model) for model in found]))
    elif found:
        print("\n".join(_line(model) for model in found))
    else:
        print(f"There is no base model yet. Add one:\n{FORMS}")


@models.command("adopt")
def adopt(
    folder: Annotated[Path, typer.Argument(help="a fine-tuned Hugging Face folder: config, weights, tokenizer")],
    pipeline: Annotated[str, typer.Option(help="the pipeline that it is to be the champion of")],
    why: Annotated[str, typer.Option(help="the reason, kept with the version")] = "the model that was live before",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Register a model that you fine-tuned elsewhere as a version, so that the next run is compared with it."""
    from tunegate.releases.adopt import adopt as adopted
    from tunegate.versions.decisions import person

    workspace = Workspace.find()
    say = partial(print, file=sys.stderr, flush=True)
    done = adopted(workspace, folder, pipeline, who=person(workspace), why=why, say=say)
    if as_json:
        facts = {"version": done.version.name, "run": done.run.name, "verdict": done.verdict, "live": done.live}
        print(json.dumps({**facts, "bento": done.run.ended.bento, "commit": done.run.commit}))
        return
    print(f"{done.version.name} is adopted (the gate said {done.verdict}), packaged as {done.run.ended.bento}.")
    if done.live:
        print(f"It is live in {done.live}: the next `tunegate run {pipeline}` is compared with it.")
    else:
        print(
            f'Another version is live. Make it so: tunegate versions promote {done.version.name} production --why "..."'
        )


def _source(
    path: Path | None, folder: Path | None, hub: str | None, package: str | None
) -> "AbstractContextManager[Source]":
    from tunegate.models.sources import from_hub, from_package, from_path

    given = [value for value in (path, folder, hub, package) if value is not None]
    if len(given) != 1:
        raise UserError(
            f"A base model comes from one place, and {len(given)} were given.",
            "Give one of PATH, --hub OWNER/NAME[@REVISION], --package NAME.",
        )
    if hub is not None:
        return from_hub(hub)
    place = path or folder
    return from_path(place) if place is not None else nullcontext(from_package(str(package)))


def _line(model: "BaseModel") -> str:
    commit = f" at {model.commit[:12]}" if model.commit else ""
    shape = f"{model.layers} layers of {model.hidden}, {model.vocabulary or 0:,} tokens"
    return f"{model.name}: {model.architecture}, {shape}, {model.megabytes} MB, from {model.source}{commit}"
