"""The server: a socket and uvicorn."""

import os
import socket
from ipaddress import ip_address

from tunegate.errors import UserError
from tunegate.review.people import People
from tunegate.review.security import check_listening
from tunegate.workspace import Workspace

PENDING = 128  # connections that may wait


def listen(workspace: Workspace, host: str, port: int, public_name: str = "") -> socket.socket:
    """The socket (port 0: a free one). Raises UserError for an address that cannot be had, or not without tokens."""
    check_listening(host, People.of(workspace), public_name)
    return _bound(host, port)


def address_of(listening: socket.socket) -> str:
    """`http://127.0.0.1:8765/`."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def serve(workspace: Workspace, host: str, listening: socket.socket, public_name: str = "") -> None:
    """Until Ctrl-C."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # models are files here; nothing is looked up outside
    import uvicorn

    from tunegate.review.app import make_app

    app = make_app(workspace, host, public_name)
    config = uvicorn.Config(app, log_level="warning", server_header=False, access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(PENDING)
    except OSError as error:
        listening.close()
        raise UserError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}.", "Choose another with --port."
        ) from error
    return listening
