"""`tunegate models fetch`: a base model of the catalogue, from where it was published or from a mirror."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.errors import UserError, did_you_mean
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.catalogue.base_models import PublicModel
    from tunegate.models.hubs import HubName

HUB_VARIABLE = "TUNEGATE_HUB"


def add_to(models: typer.Typer) -> None:
    models.command("fetch")(fetch)


def fetch(
    name: Annotated[str | None, typer.Argument(help="a model of the catalogue; none: list them")] = None,
    called: Annotated[str | None, typer.Option("--as", help="what to call it here (default: its name)")] = None,
    hub: Annotated[
        str | None,
        typer.Option(
            "--from", help=f"huggingface or modelscope, for models of a hub (default: {HUB_VARIABLE}, or the first)"
        ),
    ] = None,
    mirror: Annotated[Path | None, typer.Option(help="a folder with copies, instead of the internet")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="overwrite a base model of that name")] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="take what is there now, whatever hashes were recorded before")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Fetch a well-known base model into data/models/NAME, compare its hashes, try it, and let DVC track it.

    Hugging Face's hub or a mirror of it is the one that HF_ENDPOINT names.
    """
    from tunegate.catalogue.base_models import fetched, find_model
    from tunegate.catalogue.fetching import MIRROR_VARIABLE
    from tunegate.cli.models import bring
    from tunegate.models.adding import check_name
    from tunegate.models.bringing import Bringing
    from tunegate.progress import Progress

    if name is None:
        _list(as_json)
        return
    public = find_model(name)
    check_name(called or name)
    workspace = Workspace.find()
    named = mirror or (Path(variable) if (variable := os.environ.get(MIRROR_VARIABLE)) else None)
    bringing = Bringing(workspace, Progress("fetch", stream=sys.stderr), renew, public.sha256)
    with fetched(public, _hub(hub), named, bringing) as source:
        bring(workspace, called or name, source, replace=replace, as_json=as_json)
    if not as_json:
        print(f"Licence: {public.licence}\nCite: {public.citation}")


def _hub(given: str | None) -> "HubName":
    from tunegate.models.hubs import HUBS

    name = given or os.environ.get(HUB_VARIABLE) or next(iter(HUBS))
    if name not in HUBS:
        raise UserError(f'"{name}" is no hub.{did_you_mean(name, HUBS)}', f"Choose one of: {', '.join(HUBS)}.")
    return name


def _list(as_json: bool) -> None:
    from tunegate.catalogue.base_models import public_models

    if as_json:
        print(json.dumps([_described(public) for public in public_models().values()], ensure_ascii=False))
        return
    for public in public_models().values():
        where = " or ModelScope" if public.modelscope else ""
        pinned = "" if public.sha256 else "; not pinned"
        print(f"{public.name}: {public.title}\n    {public.url or public.hub}{where}; {public.licence}{pinned}")
    print(
        "\nNot pinned: no hash is known beforehand. The first download's is recorded in data/models/sources.lock, and "
        "another one is refused from then on."
    )


def _described(public: "PublicModel") -> dict[str, Any]:
    return {**public.model_dump(mode="json", exclude={"sha256"}), "pinned": bool(public.sha256)}
