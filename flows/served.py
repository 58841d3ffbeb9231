"""The process of the server that `tunegate up` keeps: Prefect's API, page and services, on loopback.

The application itself brings the database up to date before its services start: on an older one no automation fires.
Its page asks a third party how to measure its readers, whatever the settings say: browsers are told to allow no such
thing.
"""

import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from flows.alive import end_with_keeper

POLICY = (
    b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' data: blob:; "
    b"frame-ancestors 'none'; base-uri 'self'"
)
Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


def main() -> None:
    """Serve at the address that PREFECT_API_URL names, until SIGTERM."""
    end_with_keeper()
    address = urlsplit(os.environ["PREFECT_API_URL"])
    assert address.hostname is not None and address.port is not None
    listener = socket.create_server((address.hostname, address.port))
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    import uvicorn
    from prefect.server.api.server import create_app

    import flows.mail  # noqa: F401 - the server sends mail, so it must know the block

    config = uvicorn.Config(to_itself(create_app()), log_level="warning", lifespan="on", timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[listener])


def to_itself(application: Application) -> Application:
    """The application, whose pages may ask nobody but it."""

    async def guarded(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", POLICY)]
            await send(message)

        await application(scope, receive, add if scope["type"] == "http" else send)

    return guarded


if __name__ == "__main__":
    main()
