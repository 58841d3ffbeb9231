"""One pipeline's entries of another dvc.lock, and every other pipeline's as they were."""

import pytest
from ruamel.yaml import YAML

from tunegate.dvc.worktrees import merge_lock
from tunegate.workspace import Workspace

OWN = """\
schema: '2.0'
stages:
  train@one:
    cmd: old
    params:
      data/one/inputs.json:
        params.train.learning_rate: 7e-05
  package@one: {cmd: gone}
  train@two: {cmd: kept}
"""
OTHER = """\
schema: '2.0'
stages:
  train@one:
    cmd: new
    params:
      data/one/inputs.json:
        params.train.learning_rate: 7e-05
  train@two: {cmd: another run's}
"""


@pytest.mark.parametrize("own", [OWN, None])
def test_only_the_pipelines_own_entries_are_taken(tmp_path, own):
    lock = tmp_path / "dvc.lock"
    if own:
        lock.write_text(own)
    merge_lock(Workspace(tmp_path), "one", OTHER)
    stages = YAML(typ="safe").load(lock.read_text())["stages"]
    assert {name: entry["cmd"] for name, entry in stages.items()} == {
        "train@one": "new",
        **({"train@two": "kept"} if own else {}),
    }
    assert "learning_rate: 7e-05" in lock.read_text()  # as DVC wrote it
