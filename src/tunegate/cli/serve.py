"""`tunegate serve`: the packaged version of a pipeline, in the foreground, by BentoML."""

import os
import socket
from ipaddress import ip_address
from typing import Annotated

import typer

from tunegate.errors import RefusedError, UserError
from tunegate.workspace import Workspace, check_pipeline_name


def add_to(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
    host: Annotated[
        str, typer.Option(help="the address to listen on; beyond loopback TUNEGATE_TOKEN must be set")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the port to listen on")] = 3000,
) -> None:
    """Serve the packaged version of a pipeline; Ctrl-C ends it."""
    from tunegate.bento import bento_home, environment, packaged_bento, tag_of
    from tunegate.bento.running import Address, serve_command

    workspace = Workspace.find()
    bento = packaged_bento(workspace, check_pipeline_name(pipeline))
    _refuse_rejected(workspace, pipeline)
    check_address(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"{tag_of(bento)} at {url} (Ctrl-C ends it). Ask it:", flush=True)
    print(f"""  curl -H 'Content-Type: application/json' -d '{{"records": [{{"text": "..."}}]}}' {url}/v1/predict""")
    home = bento_home(workspace)
    home.mkdir(parents=True, exist_ok=True)
    command = serve_command(bento, Address(host, port))
    os.execve(command[0], command, environment(home))  # the same process: nothing is left behind


def _refuse_rejected(workspace: Workspace, pipeline: str) -> None:
    """What a person has rejected is not served, also where the gate had said PASS."""
    from tunegate.versions.decisions import rejection_of

    rejection = rejection_of(workspace, pipeline)
    if rejection is not None:
        raise RefusedError(
            f"The model of {pipeline} in this working tree was rejected by {rejection.who}: {rejection.why}.",
            f"Run the pipeline again, or go back to what is live: `tunegate versions list {pipeline}`.",
        )


def check_address(host: str, port: int) -> None:
    """Raises UserError for an address that cannot be listened on, or only with a token."""
    try:
        address = ip_address(host)
    except ValueError:
        raise UserError(f"{host!r} is not an IP address.", "Give one, for example --host 127.0.0.1.") from None
    if not address.is_loopback and not os.environ.get("TUNEGATE_TOKEN"):
        raise UserError(
            f"{host} can be reached from other machines, and no token is set.",
            "Set TUNEGATE_TOKEN to a secret that clients send as `Authorization: Bearer ...`, or leave --host out.",
        )
    with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port in TIME_WAIT is free
        try:
            trial.bind((host, port))
        except OSError as error:
            raise UserError(
                f"{host}:{port} cannot be listened on: {error.strerror or error}.", "Choose another with --port."
            ) from error
