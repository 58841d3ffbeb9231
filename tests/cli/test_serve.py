import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_predict import bento, export, packaged, project
from tunegate.bento.running import Address, Server, wait_until_ready
from tunegate.cli import run_command

__all__ = ["bento", "export", "packaged", "project"]


def test_serve_answers_on_loopback_and_ends_on_sigterm(project: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from tunegate.cli import run_command; sys.exit(run_command(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "serve", "demo", "--port", str(port)]
    env = {**os.environ, "BENTOML_HOME": str(project / "home")}
    log = project / "log.txt"
    with log.open("wb") as sink, subprocess.Popen(command, env=env, stdout=sink, stderr=sink) as serving:
        server = Server(Address("127.0.0.1", port))
        wait_until_ready(server, serving, log)
        assert f"http://127.0.0.1:{port}" in log.read_text(encoding="utf-8").splitlines()[0]
        assert server.post("/v1/predict", {"records": [{"text": "rain"}]})["version"].startswith("demo:")
        serving.terminate()
        serving.wait(60)
    assert not server.is_ready()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "TUNEGATE_TOKEN"),
        (["--host", "localhost"], "not an IP address"),
        (["--host", "203.0.113.1"], "TUNEGATE_TOKEN"),
    ],
)
def test_an_unsafe_or_wrong_address_is_refused(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.delenv("TUNEGATE_TOKEN", raising=False)
    assert run_command(["serve", "demo", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_taken_port_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run_command(["serve", "demo", "--port", str(taken.getsockname()[1])]) == 2
    assert "--port" in capsys.readouterr().err
