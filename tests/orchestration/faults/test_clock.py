"""The clock jumps back and forth while a run is going, and between runs."""

import shutil
from pathlib import Path

import pytest

from tests.flows.conftest import command
from tests.orchestration.faults.project import WAIT_SECONDS, as_if_nothing_had_been, environment, release, started
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@pytest.mark.skipif(LIBRARY is None or shutil.which("faketime") is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("jump", [("+0", "-30d"), ("-2d", "+30d")], ids=["back", "on"])
def test_a_clock_that_jumps_while_a_run_is_going(
    ready: Workspace, server: str, undisturbed: dict[str, str], tmp_path: Path, jump: tuple[str, str]
) -> None:
    first, then = jump
    clock = tmp_path / "clock"
    clock.write_text(first)
    faked = {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1",
             "DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    going = started(ready, server, **faked)
    clock.write_text(then)
    release(ready)
    _, err = going.communicate(timeout=WAIT_SECONDS)
    assert going.returncode == 0, err
    (record,) = read_runs(ready)
    assert record.ended.status == "passed"
    rows = ready.raw("one") / "rows.csv"
    before = rows.read_text()
    rows.write_text(before + "train 8\n")
    with environment(**faked):
        second = command(ready.root, "run", "one", "--json", url=server)
    out, err = second.communicate(timeout=WAIT_SECONDS)  # libfaketime breaks sleep in Prefect's heartbeat
    assert second.returncode == 0 and '"ran"' in out, err
    rows.write_text(before)
    as_if_nothing_had_been(ready, server, undisturbed, said="")
