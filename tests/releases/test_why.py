"""A run beside the one before it: which file, setting, module or library made a stage run, or what it was spared."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.releases.project import change, make_project, run
from tests.versions.history import make_repository
from tunegate.dvc.tracking import track_edit
from tunegate.errors import UserError
from tunegate.releases.why import why
from tunegate.versions.changes import setting_changes
from tunegate.versions.durations import past_seconds
from tunegate.versions.runs import Ended, Run, StageTime, read_runs, record, snapshot
from tunegate.workspace import Workspace

SETTINGS = {"params.train": {"epochs": 3, "seed": 1}, "environment.torch": "2.9.0", "params.task": "text"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A repository in which runs are put on record by what their dvc.lock says."""
    workspace = make_repository(tmp_path / "project")
    (workspace.root / ".dvc").mkdir()
    (workspace.root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    (workspace.root / "dvc.yaml").write_text("stages: {}\n")
    return workspace


def test_a_setting_is_named_with_its_old_and_new_value(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"})
    _keep(workspace, "2", {"train": "ran"}, settings={"params.train": {"epochs": 6, "seed": 1}})
    assert _reasons(workspace) == ["train.epochs was 3, is 6"]


def test_a_library_is_named_as_one(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"})
    _keep(workspace, "2", {"train": "ran"}, settings={"environment.torch": "2.9.1"})
    assert _reasons(workspace) == ["the library torch was 2.9.0, is 2.9.1"]


def test_modules_that_changed_came_or_went_are_named(workspace: Workspace) -> None:
    code = {"src/tunegate/training/loop.py": "a", "src/tunegate/old.py": "b"}
    _keep(workspace, "1", {"train": "ran"}, read=code)
    _keep(workspace, "2", {"train": "ran"}, read={"src/tunegate/training/loop.py": "c", "src/tunegate/new.py": "d"})
    assert _reasons(workspace) == [
        "the module training/loop.py changed",
        "the module old.py is gone",
        "the module new.py is new",
    ]


def test_a_file_of_another_stage_is_followed_to_the_raw_file_behind_it(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "project", verdict="PASS")
    run(workspace)
    change(workspace, verdict="PASS", rows="two\n", name="2")
    track_edit(workspace, workspace.raw("demo"))
    run(workspace, "demo-20260102-000000")
    (train,) = why(workspace, "demo", "train").stages
    assert train.reasons == ["data/demo/validate/train.parquet changed, which validate made"]
    assert [root.sentence for root in train.roots] == ["data/raw/demo/rows.csv changed"]


@pytest.mark.parametrize(
    ("before", "after"), [(["a"], ["a", "b"]), (None, {"x": {"y": [1]}}), ({"x": [1]}, ["x"]), (1, {})]
)
def test_a_setting_behind_another_stage_is_named_whatever_its_value(
    workspace: Workspace, before: Any, after: Any
) -> None:
    for name, value in (("1", before), ("2", after)):
        upstream = {
            "cmd": "tunegate stage validate demo",
            "params": {"data/demo/inputs.json": {"params.validate": {"columns": value}}},
            "outs": [{"path": "data/demo/validate", "md5": f"rows{name}"}],
        }
        read = {"data/demo/validate": f"rows{name}"}
        _keep(workspace, name, {"validate": "ran", "train": "ran"}, read=read, others={"validate@demo": upstream})
    (train,) = why(workspace, "demo", "train").stages
    assert [(root.name, root.before, root.after) for root in train.roots] == [("validate.columns", before, after)]
    assert json.loads(json.dumps(train.as_object()))["goes_back_to"]


def test_a_reused_stage_tells_the_seconds_of_the_run_that_made_it(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"}, seconds=300)
    _keep(workspace, "2", {"train": "ran"}, settings={"params.task": "other"}, seconds=5)
    _keep(workspace, "3", {"train": "restored"}, seconds=1)
    _keep(workspace, "4", {"train": "unchanged"})
    found = why(workspace, "demo")
    assert (found.stages[0].state, found.stages[0].saved, found.saved) == ("unchanged", 300, 300)
    assert why(workspace, "demo", run="demo-3").stages[0].saved == 300


def test_a_stage_that_failed_is_judged_by_what_it_had_before_it(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"})
    (workspace.root / "data/demo").mkdir(parents=True)
    workspace.inputs("demo").write_text('{"params": {"train": {"epochs": 9, "seed": 1}, "task": "text"}}')
    _keep(workspace, "2", {"train": "failed"})
    assert "train.epochs was 3, is 9" in _reasons(workspace)


def test_the_first_run_has_nothing_to_be_compared_with(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"})
    found = why(workspace, "demo", "train")
    assert found.before is None and found.stages[0].first and not found.stages[0].changes


def test_a_forced_stage_shows_no_change(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"})
    _keep(workspace, "2", {"train": "ran"})
    assert _reasons(workspace) == []


def test_unknown_names_are_answered_with_the_nearest(workspace: Workspace) -> None:
    _keep(workspace, "1", {"train": "ran"})
    with pytest.raises(UserError, match="Did you mean"):
        why(workspace, "demo", "trian")
    with pytest.raises(UserError, match="no pipeline"):
        why(workspace, "demon")
    with pytest.raises(UserError, match="no run"):
        why(workspace, "demo", run="demo-7")
    with pytest.raises(UserError, match="has no stage package"):
        why(workspace, "demo", "package")


def test_past_seconds_are_the_median_of_the_last_times_that_a_stage_really_ran(workspace: Workspace) -> None:
    for number, seconds in enumerate((1000, 10, 11, 90, 12, 13)):
        _keep(workspace, str(number), {"train": "ran", "export": "restored"}, seconds=seconds)
    assert past_seconds(read_runs(workspace, "demo")) == {"train@demo": 12}


VALUES = st.recursive(
    st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_settings_differ_exactly_where_a_change_is_named(before: Any, after: Any) -> None:
    found = setting_changes("train", before, after)
    assert bool(found) == (before != after)
    assert all(change.before != change.after for change in found)
    assert len({change.name for change in found}) == len(found)


def _reasons(workspace: Workspace) -> list[str]:
    (found,) = why(workspace, "demo", "train").stages
    return found.reasons


def _keep(
    workspace: Workspace,
    name: str,
    states: dict[str, str],
    *,
    settings: dict[str, Any] | None = None,
    read: dict[str, str] | None = None,
    seconds: float = 2.0,
    others: dict[str, Any] | None = None,
) -> Run:
    """A record of stages that read one file and made one, besides what is given; `others`: entries of other stages."""
    deps = {"data/raw/demo": "raw", **(read or {})}
    entry = {
        "cmd": "tunegate stage train demo",
        "deps": [{"path": path, "md5": value} for path, value in deps.items()],
        "params": {"data/demo/inputs.json": {**SETTINGS, **(settings or {})}},
        "outs": [{"path": "data/demo/train", "md5": "weights.dir"}],
    }
    (workspace.root / "dvc.lock").write_text(json.dumps({"stages": {"train@demo": entry, **(others or {})}}))
    stages = tuple(StageTime(stage, state, seconds) for stage, state in states.items())
    ended = Ended(f"demo-{name}", "demo", "passed", stages=stages)
    return record(workspace, snapshot(workspace), ended, [workspace.root / "dvc.lock"])
