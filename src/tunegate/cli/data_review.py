"""`tunegate data accept` and `refuse`: a named person decides about validated data (`review: required`)."""

import json
from typing import Annotated

import typer

from tunegate.workspace import Workspace

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]
Why = Annotated[str, typer.Option(help="the reason, kept with the decision")]


def add_to(data: typer.Typer) -> None:
    data.command("accept")(accept)
    data.command("refuse")(refuse)


def accept(
    pipeline: Annotated[str, typer.Argument(help="the pipeline whose validated data is decided about")],
    why: Why,
    as_json: Json = False,
) -> None:
    """Accept the data that validate left: the next run goes on."""
    from tunegate.data_versions.review import ACCEPT

    _decide(pipeline, ACCEPT, why, as_json)


def refuse(
    pipeline: Annotated[str, typer.Argument(help="the pipeline whose validated data is decided about")],
    why: Why,
    as_json: Json = False,
) -> None:
    """Refuse the data that validate left: no run trains on it."""
    from tunegate.data_versions.review import REFUSE

    _decide(pipeline, REFUSE, why, as_json)


def _decide(pipeline: str, what: str, why: str, as_json: bool) -> None:
    from tunegate.data_versions.review import decide, validated_data

    workspace = Workspace.find()
    waiting = validated_data(workspace, pipeline)
    decision = decide(workspace, pipeline, what, who=None, why=why)
    if as_json:
        print(json.dumps(decision.model_dump(mode="json"), ensure_ascii=False))
        return
    done = "accepted" if decision.accepted else "refused"
    print(
        f"{decision.who} {done} the data of {pipeline}: {waiting.rows:,} rows, {waiting.quarantined:,} quarantined "
        f"({decision.validated[:10]}).\nNext: "
        + (f"tunegate run {pipeline}" if decision.accepted else f"tunegate data add {pipeline} FILE")
    )
