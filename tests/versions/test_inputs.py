"""What a run takes from outside, looked up once."""

import json
import sys
from importlib.metadata import version

import pytest

from tunegate.errors import UserError
from tunegate.inputs import Inputs, Reference
from tunegate.params import PipelineSettings
from tunegate.versions.inputs import LIBRARIES, LastData, current_inputs, with_data_after
from tunegate.workspace import Workspace

SETTINGS = PipelineSettings(task="text_classification", data="support", model="models/minilm")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def last_data(tmp_path, accepted=True, labels=("a", "b")):
    (tmp_path / "verdict.json").write_text(json.dumps({"accepted": accepted, "reasons": []}))
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return LastData("abc.dir", tmp_path)


def test_settings_are_complete_so_that_a_new_default_is_seen_as_a_change(workspace):
    params = current_inputs(workspace, "support", SETTINGS).params
    assert params["train"]["epochs"] == SETTINGS.train.epochs
    assert "validate" in params and "validation" not in params


def test_versions_of_the_libraries_that_decide_results_are_found_without_importing_them(workspace):
    before = set(sys.modules)
    environment = current_inputs(workspace, "support", SETTINGS).environment
    assert environment == {name: version(name) for name in LIBRARIES}
    assert not {"torch", "transformers", "openvino"} & (set(sys.modules) - before)


def test_references_of_the_last_run_are_kept(workspace):
    kept = Inputs(pipeline="support", labels=["b", "a"], previous=Reference(hash="x.dir"))
    kept.write(workspace.inputs("support"))
    inputs = current_inputs(workspace, "support", SETTINGS)
    assert (inputs.labels, inputs.previous) == (kept.labels, kept.previous)


def test_resolving_twice_gives_the_same_bytes(workspace):
    path = workspace.inputs("support")
    current_inputs(workspace, "support", SETTINGS).write(path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    current_inputs(workspace, "support", SETTINGS).write(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_newer_data_goes_on_from_the_labels_and_facts_before_it(tmp_path):
    inputs = with_data_after(Inputs(pipeline="support"), last_data(tmp_path))
    assert inputs.labels == ["a", "b"]
    assert inputs.previous == Reference(hash="abc.dir")


def test_refused_data_is_no_version_to_go_on_from(tmp_path):
    before = Inputs(pipeline="support", labels=["a"])
    assert with_data_after(before, last_data(tmp_path, accepted=False)) == before


def test_the_base_model_says_where_it_comes_from(workspace):
    folder = workspace.model("models/minilm")
    folder.mkdir(parents=True)
    (folder / "tunegate-model.json").write_text('{"name": "minilm", "source": "package x", "commit": "1.0"}')
    identity = current_inputs(workspace, "support", SETTINGS).base_model
    assert identity is not None and (identity.source, identity.commit) == ("package x", "1.0")
    (folder / "tunegate-model.json").write_text("{")
    with pytest.raises(UserError, match=r"tunegate-model\.json is damaged"):
        current_inputs(workspace, "support", SETTINGS)


def test_an_edit_of_a_suite_that_a_setting_names_is_seen(workspace):
    settings = PipelineSettings.model_validate(
        {**SETTINGS.model_dump(by_alias=True), "validate": {"suite": "own.json"}}
    )
    seen = []
    for content in ("{}", '{"expectations": []}'):
        (workspace.root / "own.json").write_text(content)
        seen.append(current_inputs(workspace, "support", settings).files["own.json"])
    assert seen[0] != seen[1]


def test_a_named_suite_that_is_missing_is_left_to_validate(workspace):
    settings = PipelineSettings.model_validate(
        {**SETTINGS.model_dump(by_alias=True), "validate": {"suite": "own.json"}}
    )
    assert current_inputs(workspace, "support", settings).files == {}
