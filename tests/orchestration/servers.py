"""Real servers for DVC remotes, on loopback, each with what a clone's `.dvc/config.local` must say of it.

The packages are in the extra `dev`; a test whose server is missing skips by its name.
"""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Remote = Mapping[str, str]
"""The settings of a DVC remote, as in its section of `.dvc/config`."""


@contextmanager
def folder(place: Path) -> Iterator[Remote]:
    yield {"url": str(place / "data")}


@contextmanager
def ssh(place: Path) -> Iterator[Remote]:
    """An OpenSSH-like server with SFTP that lets in one key, and shows `place` as its root."""
    pytest.importorskip("sshfs", reason="dvc-ssh is not installed")
    asyncssh = pytest.importorskip("asyncssh")
    own, theirs = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    theirs.write_private_key(str(place / "key"))
    (place / "authorised").write_text(theirs.export_public_key().decode())
    root = place / "root"
    root.mkdir()

    async def listen() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[own],
            authorized_client_keys=str(place / "authorised"),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root)),
        )

    with _loop() as loop:
        server = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
        port = server.sockets[0].getsockname()[1]
        home = place / "home/.ssh"
        home.mkdir(parents=True)
        (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {own.export_public_key().decode()}")
        yield {"url": f"ssh://127.0.0.1:{port}/data", "user": "anna", "keyfile": str(place / "key")}
        loop.call_soon_threadsafe(server.close)


@contextmanager
def s3(place: Path) -> Iterator[Remote]:
    pytest.importorskip("dvc_s3", reason="dvc-s3 is not installed")
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        settings = {
            "url": "s3://team/data",
            "endpointurl": f"http://{host}:{port}",
            "access_key_id": "anna",
            "secret_access_key": "secret",
            "region": "eu-central-1",
        }
        _make_bucket(settings)
        yield settings
    finally:
        server.stop()


def _make_bucket(settings: Remote) -> None:
    import botocore.session

    client = botocore.session.get_session().create_client(
        "s3",
        region_name=settings["region"],
        endpoint_url=settings["endpointurl"],
        aws_access_key_id=settings["access_key_id"],
        aws_secret_access_key=settings["secret_access_key"],
    )
    client.create_bucket(Bucket="team", CreateBucketConfiguration={"LocationConstraint": settings["region"]})


@contextmanager
def webdav(place: Path) -> Iterator[Remote]:
    pytest.importorskip("dvc_webdav", reason="dvc-webdav is not installed")
    wsgidav = pytest.importorskip("wsgidav.wsgidav_app", reason="wsgidav is not installed")
    wsgi = pytest.importorskip("cheroot.wsgi", reason="cheroot is not installed")
    (place / "dav/data").mkdir(parents=True)  # the folder that the address names must be there
    application = wsgidav.WsgiDAVApp(
        {
            "provider_mapping": {"/": str(place / "dav")},
            "simple_dc": {"user_mapping": {"*": {"anna": {"password": "secret"}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    server = wsgi.Server(("127.0.0.1", 0), application)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        port = server.bind_addr[1]
        yield {"url": f"webdav://127.0.0.1:{port}/data", "user": "anna", "password": "secret"}
    finally:
        server.stop()
        thread.join(10)


REMOTES = {"folder": folder, "ssh": ssh, "s3": s3, "webdav": webdav}


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
