import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tunegate.bento import environment, tag_of
from tunegate.bento.running import Server, running
from tunegate.errors import RefusedError

ASK_AND_WAIT = """
import sys
from pathlib import Path
from tunegate.bento.running import running
with running(Path(sys.argv[1])) as server:
    print(server.address.port, flush=True)
    sys.stdin.read()
"""


def family() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not alive


@pytest.fixture(scope="module")
def server(bento: Path) -> Iterator[Server]:
    with running(bento, "fp32") as server:
        yield server


def test_a_bento_answers_over_http_by_its_tag(bento: Path, server: Server) -> None:
    assert server.get("/v1/model")["version"] == tag_of(bento)
    answers = server.post("/v1/predict", {"records": [{"text": "rain"}]})["answers"]
    assert answers[0]["label"] in ("food", "weather")
    assert server.get("/schema.json")["name"] == "demo"


def test_bentomls_own_client_works(server: Server, tmp_path: Path) -> None:
    code = """
import sys, bentoml
with bentoml.SyncHTTPClient(sys.argv[1]) as client:
    answered = client.predict(records=[{"text": "rain"}, {"text": "bread"}], scores=True)
assert len(answered["answers"]) == 2 and "scores" in answered["answers"][0], answered
"""
    url = f"http://127.0.0.1:{server.address.port}"
    done = subprocess.run(
        [sys.executable, "-c", code, url], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_error_while_it_runs_leaves_no_server(bento: Path) -> None:
    before = family()

    def interrupted() -> None:
        assert len(family() - before) >= 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), running(bento):
        interrupted()
    assert family() == before


def test_a_damaged_bento_is_refused_with_what_the_service_said(bento: Path, tmp_path: Path) -> None:
    shutil.copytree(bento, tmp_path / "bento")
    (tmp_path / "bento/src/serving/export/fitted.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"fitted\.json"), running(tmp_path / "bento"):
        raise AssertionError("it started")


def test_killing_the_one_who_asked_ends_the_server(bento: Path) -> None:
    command = [sys.executable, "-c", ASK_AND_WAIT, str(bento)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None and asking.stdout.readline().strip().isdigit()
        servers = psutil.Process(asking.pid).children(recursive=True)
        asking.kill()
        asking.wait()
    assert len(servers) >= 2 and gone(servers)
