"""What deploy/ describes, started on loopback from its own units: the same commands, settings, secrets and order."""

import base64
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.processes import Database, Process, Redis, until
from tests.deploy.units import DEPLOY, ROOT, UNITS, read_environment, read_unit
from tunegate.bento.running import free_port

PYTHON = ROOT / ".venv" / "bin"


@dataclass
class Stack:
    """`project` is the clone that workers run in."""

    folder: Path
    project: Path
    database: Database
    redis: Redis
    port: int = field(default_factory=free_port)
    review_port: int = field(default_factory=free_port)
    models_port: int = field(default_factory=free_port)
    parts: dict[str, Process] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, project: Path) -> "Stack":
        """PostgreSQL and Redis running, the files of /etc/tunegate in place, nothing of ours started."""
        for name in ("etc", "lib", "credentials", "backups"):
            (folder / name).mkdir()
        database = Database.make(folder / "pg")
        redis = Redis.make(folder / "redis", "not-yet")
        subprocess.run(
            [DEPLOY / "make-secrets", folder / "etc/secrets", f"127.0.0.1:{redis.port}"], check=True, cwd=folder
        )
        password = (folder / "etc/secrets/REDIS_PASSWORD").read_text()
        settings = redis.folder / "redis.conf"
        settings.write_text(settings.read_text().replace("not-yet", password))
        stack = cls(folder, project, database, redis)
        for file in DEPLOY.glob("*.env"):
            (folder / "etc" / file.name).write_text(stack.here(file.read_text()))
        database.start()
        redis.start()
        database.create()
        return stack

    def here(self, text: str) -> str:
        """With this machine's paths and ports for those of a real one."""
        for theirs, ours in {
            "/srv/tunegate/project/.venv/bin": str(PYTHON),
            "/srv/tunegate/project/deploy": str(DEPLOY),
            "/srv/tunegate/project": str(self.project),
            "/var/lib/tunegate": str(self.folder / "lib"),
            "/var/backups/tunegate": str(self.folder / "backups"),
            "/var/run/postgresql": str(self.database.folder),
            "/etc/tunegate": str(self.folder / "etc"),
            "4200": str(self.port),
            "8765": str(self.review_port),
            "127.0.0.1:3000": f"127.0.0.1:{self.models_port}",
            "PORT=3000": f"PORT={self.models_port}",
        }.items():
            text = text.replace(theirs, ours)
        return text

    def process(self, name: str, **variables: str) -> Process:
        """The unit's command with the unit's settings and no others of this shell's."""
        template, _, instance = name.partition("@")
        unit = read_unit(UNITS / (f"{template}@.service" if instance else f"{name}.service"))
        environment = {"HOME": str(self.folder / "lib"), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        for file in unit.environment_files:
            if (path := Path(self.here(file))).exists():
                environment.update(read_environment(path))
        for value in unit.values.get("Environment", []):
            key, _, content = self.here(value).partition("=")
            environment[key] = content
        environment.update(variables)
        if unit.credentials:
            environment["CREDENTIALS_DIRECTORY"] = str(self._credentials(name, unit.credentials))
        command = [self.here(part).replace("%H", "host").replace("%i", instance) for part in unit.command]
        command = [_expanded(part, environment) for part in command]
        return Process(command, self.folder / f"{name}.log", environment, where=self.project)

    def _credentials(self, name: str, wanted: Mapping[str, str]) -> Path:
        folder = self.folder / "credentials" / name
        folder.mkdir(exist_ok=True)
        for key, path in wanted.items():
            shutil.copy(self.here(path), folder / key)
        return folder

    def once(self, name: str, **variables: str) -> str:
        """A unit of Type=oneshot, to its end."""
        process = self.process(name, **variables)
        process.start()
        assert process.running is not None and process.running.wait(300) == 0, process.said()
        return process.said()

    def start(self, name: str, **variables: str) -> Process:
        part = self.parts[name] = self.process(name, **variables)
        part.start()
        return part

    def up(self) -> None:
        """In the units' order: the database's tables first."""
        for name in ("tunegate-server", "tunegate-services"):
            assert "tunegate-migrate.service" in read_unit(UNITS / f"{name}.service").needs
        self.once("tunegate-migrate")
        self.start("tunegate-server")
        self.start("tunegate-services")
        until(lambda: self.status("/health") == 200)

    def down(self) -> None:
        for part in [*reversed(self.parts.values()), self.redis.process, self.database.process]:
            part.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def secret(self) -> str:
        return (self.folder / "etc/secrets/PREFECT_API_AUTH_STRING").read_text()

    @property
    def client_environment(self) -> dict[str, str]:
        """What a person's shell has."""
        settings = read_environment(self.folder / "etc/client.env")
        return {**os.environ, **settings, "PREFECT_API_AUTH_STRING": self.secret, "HOME": str(self.folder / "lib")}

    def prefect(self, *arguments: str, **variables: str) -> str:
        return self.run(str(PYTHON / "prefect"), *arguments, **variables)

    def run(self, *command: str, where: Path | None = None, **variables: str) -> str:
        """A command in a person's shell, in the project."""
        done = subprocess.run(
            command,
            env={**self.client_environment, **variables},
            cwd=where or self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path: str, body: object = None, *, method: str | None = None) -> Any:
        """The API as a client with the right secret."""
        with urllib.request.urlopen(self._request(path, body, method, self.secret), timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def status(self, path: str, secret: str | None = None) -> int:
        """The status that the API answers with; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(self._request(path, None, None, secret), timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def _request(self, path: str, body: object, method: str | None, secret: str | None) -> urllib.request.Request:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        if secret is not None:
            headers["authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
        return urllib.request.Request(f"{self.url}{path}", data, headers, method=method)


def _expanded(part: str, environment: Mapping[str, str]) -> str:
    for name, value in environment.items():
        part = part.replace(f"${{{name}}}", value)
    return part
