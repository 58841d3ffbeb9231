"""The process of Prefect's server for one run by hand: on loopback, on a free port, gone when its starter is.

Prefect's own temporary server outlives a starter that was killed, and dies of the same Ctrl-C before the run's last
state is told.
"""

import os
import signal
import socket
import threading


def main() -> None:
    """Print the API's address, serve until standard input ends."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/api", flush=True)  # noqa: T201 - our starter reads it
    os.environ["PREFECT__SERVER_EPHEMERAL"] = "1"  # as Prefect's own temporary server: no schedules, no late runs
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(create_app(), log_level="error", lifespan="on")
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_starter() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)  # SQLite's journal keeps the database whole


if __name__ == "__main__":
    main()
