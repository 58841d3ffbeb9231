"""A full disk and a read-only cache: the run says so in a sentence, and the next one, with room, ends the same."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows.project import TRAIN
from tests.orchestration.faults.project import as_if_nothing_had_been, mounted, release, run
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow
mount = contextmanager(mounted)


@pytest.fixture
def small(ready: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """The project on a file system of 48 MB."""
    place = tmp_path / "small"
    place.mkdir()
    with mount("-t", "tmpfs", "-o", "size=48m", "tmpfs", where=place):
        shutil.copytree(ready.root, place / "project", symlinks=True)
        yield Workspace(place / "project")


def test_a_disk_that_fills_up_in_training(small: Workspace, server: str, undisturbed: dict[str, str]) -> None:
    release(small)
    (small.root / "train.sh").write_text("cat /dev/zero > filler 2> /dev/null\n" + TRAIN)
    status, states, log = run(small, server)
    assert status == 75 and states["train"] == "failed", log
    assert re.search(r"no room on the disk: .*No space left on device", log) and "tunegate gc" in log, log
    (small.root / "filler").unlink()
    (small.root / "train.sh").write_text(TRAIN)
    as_if_nothing_had_been(small, server, undisturbed, kept=("ingest", "validate"), said="")


def test_a_disk_that_is_full_before_the_run(small: Workspace, server: str, undisturbed: dict[str, str]) -> None:
    release(small)
    filler = small.root / "filler"
    subprocess.run(f"cat /dev/zero > {filler} 2> /dev/null", shell=True, check=False)
    status, _, log = run(small, server)
    assert status in (2, 75) and "No space left on device" in log, (status, log)
    filler.unlink()
    as_if_nothing_had_been(small, server, undisturbed, said="")


def test_a_cache_that_is_read_only(ready: Workspace, server: str, undisturbed: dict[str, str]) -> None:
    release(ready)
    cache = ready.root / ".dvc/cache"
    with mount("--bind", str(cache), where=cache):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(cache)], check=True)
        status, states, log = run(ready, server)
        assert status == 75 and "failed" in states.values(), log
        assert re.search("may not write where it must: .*Read-only file system", log), log
    as_if_nothing_had_been(ready, server, undisturbed, said="the last run, one-.*, failed in ingest")
