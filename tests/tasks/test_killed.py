"""Every task: killed with SIGKILL in its training, it goes on from a logged step to the same weights."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.path import BEFORE_TRAIN, PIPELINE, WAYS, Way, go, way_id
from tunegate.stages import run_stage
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]
SETTINGS = {"epochs": 4, "dropout": 0.1, "checkpoint_steps": 2}

KILLED = """
import os, signal, sys
from pathlib import Path
from tunegate.progress import Progress
advance = Progress.advance
def until(self, what, done, total, note=""):
    advance(self, what, done, total, note)
    if what == "steps" and done >= max(4, total // 2):
        os.kill(os.getpid(), signal.SIGKILL)
Progress.advance = until
from tunegate.stages import run_stage
from tunegate.workspace import Workspace
run_stage("train", sys.argv[2], Workspace(Path(sys.argv[1])))
"""


def weights(workspace: Workspace) -> bytes:
    return (workspace.stage(PIPELINE, "train") / "model" / "model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=way_id)
def test_a_killed_training_goes_on_above_step_0_to_the_same_weights(
    way: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = go(way, tmp_path, BEFORE_TRAIN, train=SETTINGS)
    command = [sys.executable, "-c", KILLED, str(tmp_path), PIPELINE]
    killed = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not workspace.report(PIPELINE, "train").exists()
    capsys.readouterr()
    resumed = run_stage("train", PIPELINE, workspace)
    step = re.search(r"resuming at step (\d+) of (\d+)", capsys.readouterr().out)
    assert step is not None and 0 < int(step[1]) < int(step[2])
    kept = weights(workspace)
    assert run_stage("train", PIPELINE, workspace) == resumed
    assert "resuming" not in capsys.readouterr().out
    assert weights(workspace) == kept
