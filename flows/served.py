"""The process of the server that `tunegate up` keeps: Prefect's API, page and services, on loopback.

The application itself brings the database up to date before its services start: on an older one no automation fires.
"""

import os
import socket
from urllib.parse import urlsplit

from flows.alive import end_with_keeper


def main() -> None:
    """Serve at the address that PREFECT_API_URL names, until SIGTERM."""
    end_with_keeper()
    address = urlsplit(os.environ["PREFECT_API_URL"])
    assert address.hostname is not None and address.port is not None
    listener = socket.create_server((address.hostname, address.port))
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(create_app(), log_level="warning", lifespan="on", timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
