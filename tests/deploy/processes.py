"""Debian's own PostgreSQL, Redis and nginx on loopback, with their files in a folder of the test's."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunegate.bento.running import free_port

PATIENCE = 300.0  # seconds; a loaded machine
POSTGRES = Path("/usr/lib/postgresql")
ADMIN = "postgres"


def needed(name: str) -> str:
    """The program's path; skips by its name where the machine has none."""
    newest = sorted(POSTGRES.glob(f"*/bin/{name}"))
    found = str(newest[-1]) if newest else shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for what must come true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} seconds in vain"
        time.sleep(0.1)


@dataclass
class Process:
    """One process and all it starts. `user`: another one than root, where the test is root."""

    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    where: Path | None = None
    user: str | None = None
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as sink:
            self.running = subprocess.Popen(
                [needed("setpriv"), "--pdeathsig", "KILL", *self.command],  # should the test itself be killed
                cwd=self.where,
                env=self.environment or None,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
            )

    def kill(self) -> None:
        """SIGKILL to the process alone, as the kernel does where memory runs out."""
        assert self.running is not None and self.running.poll() is None
        self.running.kill()
        assert self.running.wait() == -signal.SIGKILL

    def stop(self) -> None:
        """Friendly, then the whole session, so that nothing outlives the test."""
        if self.running is None:
            return
        self.running.terminate()
        try:
            self.running.wait(20)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@dataclass
class Database:
    """PostgreSQL with the role and database that deploy/server.env names, reached over its socket."""

    folder: Path
    process: Process

    @classmethod
    def make(cls, folder: Path) -> "Database":
        user = unprivileged()
        folder.mkdir()
        if user:
            shutil.chown(folder, user)
        data, socket = folder / "data", folder
        initdb = [needed("initdb"), "-D", str(data), "-A", "trust", "-U", ADMIN, "--no-sync"]
        subprocess.run(initdb, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        command = [needed("postgres"), "-D", str(data), "-k", str(socket), "-h", "", "-c", "max_connections=80"]
        return cls(folder, Process(command, folder.with_suffix(".log"), where=folder, user=user))

    def start(self) -> None:
        """Also after a kill: children of a killed server hold its memory for a moment."""

        def answers() -> bool:
            if self.process.running is None or self.process.running.poll() is not None:
                self.process.start()
            return self._psql("postgres", "select 1", ADMIN).returncode == 0

        until(answers)

    def create(self) -> None:
        """As the documents say, for a user who is no superuser."""
        self.order("create role tunegate login")
        self.order("create database prefect owner tunegate")

    def order(self, sql: str) -> None:
        """As the administrator."""
        done = self._psql("postgres", sql, ADMIN)
        assert done.returncode == 0, done.stderr

    def ask(self, sql: str) -> str:
        """In Prefect's database, as its owner."""
        asked = self._psql("prefect", sql, "tunegate")
        assert asked.returncode == 0, asked.stderr
        return asked.stdout.strip()

    def _psql(self, database: str, sql: str, user: str) -> "subprocess.CompletedProcess[str]":
        command = [needed("psql"), "-h", str(self.folder), "-U", user, "-d", database, "-Atqc", sql]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass
class Redis:
    folder: Path
    port: int
    process: Process

    @classmethod
    def make(cls, folder: Path, password: str) -> "Redis":
        folder.mkdir()
        port = free_port()
        settings = folder / "redis.conf"
        settings.write_text(
            f"bind 127.0.0.1\nport {port}\ndir {folder}\nappendonly yes\nsave ''\nrequirepass {password}\n"
        )
        settings.chmod(0o600)
        return cls(folder, port, Process([needed("redis-server"), str(settings)], folder / "redis.log"))

    def start(self) -> None:
        self.process.start()
        until(lambda: "Ready to accept connections" in self.process.said().rsplit("Redis is starting", 1)[-1])
