"""Power goes while a run writes: half of a file stands under its final or a temporary name."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.orchestration.faults.project import (
    WAIT_SECONDS,
    as_if_nothing_had_been,
    kill,
    nobody_is_left,
    outs,
    process_of,
    started,
)
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow


def half(path: Path) -> None:
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[: len(content) // 2])


def of_lock(workspace: Workspace) -> None:
    path = workspace.root / "dvc.lock"
    path.write_bytes(path.read_bytes()[:-3] + b": {")


def of_inputs(workspace: Workspace) -> None:
    half(workspace.inputs("one"))


def of_report(workspace: Workspace) -> None:
    half(workspace.report("one", "ingest"))
    workspace.report("one", "ingest").with_name(".ingest.json.x1y2").write_text("{")


def of_folder(workspace: Workspace) -> None:
    (workspace.root / "data/one/.train.unfinished").mkdir()
    (workspace.root / "data/one/.train.unfinished/model.txt").write_text("hal")


FAULTS: dict[str, tuple[Callable[[Workspace], None], tuple[str, ...], str]] = {
    "dvc.lock": (of_lock, (), r"dvc\.lock was damaged"),
    "inputs.json": (of_inputs, (), r"inputs\.json was damaged"),
    "report": (of_report, ("validate",), r"ingest\.json was damaged"),
    "folder": (of_folder, ("ingest", "validate"), "half-made files of train@one"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_half_a_file_is_noticed_and_the_end_is_the_same(
    ready: Workspace, server: str, undisturbed: dict[str, str], name: str
) -> None:
    damage, kept, said = FAULTS[name]
    going = started(ready, server)
    kill(process_of(ready, "tunegate.cli"))
    going.communicate(timeout=WAIT_SECONDS)
    assert going.returncode == -signal.SIGKILL
    nobody_is_left(ready)
    damage(ready)
    as_if_nothing_had_been(ready, server, undisturbed, kept=kept, said=said)


def test_half_an_object_of_the_cache_is_not_restored_but_made_again(
    ready: Workspace, server: str, undisturbed: dict[str, str]
) -> None:
    """DVC takes what lies in its cache for what its name says."""
    going = started(ready, server)
    kill(process_of(ready, "tunegate.cli"))
    going.communicate(timeout=WAIT_SECONDS)
    nobody_is_left(ready)
    folder = outs(ready)["data/one/validate"]
    cache = ready.root / ".dvc/cache/files/md5"
    for path in (ready.stage("one", "validate")).iterdir():
        path.chmod(0o644)
        path.unlink()
    ready.stage("one", "validate").rmdir()
    listed = (cache / folder[:2] / folder[2:]).read_text()
    object_ = next(
        path for path in cache.glob("*/*") if (path.parent.name + path.name) in listed and path.stat().st_size > 5
    )
    mode = object_.stat().st_mode
    half(object_)
    object_.chmod(mode)  # DVC believes what is write-protected
    as_if_nothing_had_been(ready, server, undisturbed, kept=("ingest",), said="damaged")
