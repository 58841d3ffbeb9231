"""A DVC remote that stops half way, flips a byte or is away: a sentence, nothing wrong believed, the same end."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestration.faults.project import as_if_nothing_had_been, release, run
from tests.projects import dvc, git
from tests.remote import Remote, failing_remote
from tunegate.dvc.tracking import track
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def remote(ready: Workspace, tmp_path: Path) -> Iterator[Remote]:
    """It alone has the raw data, which the run has to bring."""
    folder = tmp_path / "remote"
    git(ready.root, "rm", "-r", "-q", "--cached", "data/raw/one")
    track(ready, ready.raw("one"))
    shutil.copytree(ready.root / ".dvc/cache/files", folder / "files")
    with failing_remote(folder) as (served, url):
        dvc(ready.root, "remote", "add", "--force", "--default", "team", url)
        git(ready.root, "add", "-A")
        git(ready.root, "commit", "-qm", "Share the data")
        listed = (ready.raw("one.dvc")).read_text().split("md5: ")[1].split()[0]
        shutil.rmtree(ready.raw("one"))
        _forget(ready, listed)
        yield served


def _forget(workspace: Workspace, folder: str) -> None:
    cache = workspace.root / ".dvc/cache/files/md5"
    entry = cache / folder[:2] / folder[2:]
    for each in json.loads(entry.read_text()):
        (cache / each["md5"][:2] / each["md5"][2:]).unlink()
    entry.unlink()


@pytest.mark.parametrize("fault", ["half", "flip", "away"])
def test_a_failing_remote_is_said_and_nothing_wrong_is_believed(
    ready: Workspace, server: str, undisturbed: dict[str, str], remote: Remote, fault: str
) -> None:
    release(ready)
    remote.fault = fault
    status, _, log = run(ready, server)
    assert remote.faults > 0 and status == 75 and "data/raw/one is not here" in log, (status, log)
    assert not (ready.raw("one") / "rows.csv").exists()
    remote.fault = "whole"
    as_if_nothing_had_been(ready, server, undisturbed, said="brought data/raw/one from its DVC remote")
