"""Debian's nginx with the files of deploy/nginx, a certificate made on the spot, and a client that trusts it."""

import http.client
import socket
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.processes import Process, needed, until
from tests.deploy.stack import Stack
from tests.deploy.units import DEPLOY
from tunegate.bento.running import free_port

NAMES = ("localhost", "prefect.example.org", "review.example.org", "models.example.org")


@dataclass
class Proxy:
    """`localhost` reaches Prefect too, since a test's machine knows no other name."""

    port: int
    certificate: Path
    process: Process

    @classmethod
    def make(cls, stack: Stack) -> "Proxy":
        folder = stack.folder / "nginx"
        (folder / "tunegate").mkdir(parents=True)
        (stack.folder / "etc/tls").mkdir()
        certificate = stack.folder / "etc/tls/fullchain.pem"
        certify(certificate, stack.folder / "etc/tls/privkey.pem")
        port, plain = free_port(), free_port()
        for file in (DEPLOY / "nginx").glob("*.conf"):
            text = stack.here(file.read_text())
            text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace(
                "listen 80", f"listen 127.0.0.1:{plain}"
            )
            text = text.replace("server_name prefect.*;", "server_name prefect.* localhost;")
            (folder / "tunegate" / file.name).write_text(text)
        main = folder / "nginx.conf"
        main.write_text(
            f"pid {folder}/pid; error_log stderr; daemon off; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;\n"
            f"include tunegate/on-one-machine.conf; }}\n"
        )
        command = [needed("nginx"), "-p", str(folder), "-c", str(main), "-e", "stderr"]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        return cls(port, certificate, Process(command, folder / "log", where=folder))

    def start(self) -> None:
        self.process.start()
        until(lambda: self.ask("prefect.example.org", "/nothing").status != 0)

    def ask(self, name: str, path: str, body: str | None = None, **headers: str) -> "Answer":
        """As a browser that looked the name up and found this machine."""
        connection = _Connection(name, self.port, self.certificate)
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        try:
            connection.request("GET" if body is None else "POST", path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders()))
        except (OSError, http.client.HTTPException):
            return Answer(0, "", {})
        finally:
            connection.close()


@dataclass(frozen=True)
class Answer:
    """`status` 0: nobody answered."""

    status: int
    text: str
    headers: Mapping[str, str]


class _Connection(http.client.HTTPSConnection):
    def __init__(self, name: str, port: int, certificate: Path) -> None:
        self.trusting = ssl.create_default_context(cafile=str(certificate))
        super().__init__(name, port, timeout=30, context=self.trusting)

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = self.trusting.wrap_socket(plain, server_hostname=self.host)


def certify(certificate: Path, key: Path) -> None:
    names = ",".join(f"DNS:{name}" for name in NAMES)
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    files = [
        "-keyout",
        str(key),
        "-out",
        str(certificate),
        "-subj",
        "/CN=example.org",
        "-addext",
        f"subjectAltName={names}",
    ]
    subprocess.run([*made, *files], check=True, capture_output=True)
