"""inputs.json: what a run takes from outside, cut down to what a stage may see."""

from pathlib import Path

import pytest

from tunegate.errors import UserError
from tunegate.inputs import Inputs, Reference, read_inputs

INPUTS = Inputs(
    pipeline="shop",
    params={"task": "any", "train": {"epochs": 3}, "gate": {"floor": 0.7}},
    environment={"torch": "2.13.0", "openvino": "2026.4"},
    labels=["b", "a"],
    champion=Reference(hash="abc"),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    INPUTS.write(tmp_path / "inputs.json")
    assert read_inputs(tmp_path / "inputs.json") == INPUTS


def test_an_unchanged_file_keeps_its_times(tmp_path: Path) -> None:
    path = tmp_path / "inputs.json"
    INPUTS.write(path)
    before = path.stat()
    INPUTS.write(path)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_stage_sees_just_the_keys_it_names() -> None:
    seen = INPUTS.only(("params.task", "params.train", "environment.torch"))
    assert seen.params == {"task": "any", "train": {"epochs": 3}}
    assert seen.environment == {"torch": "2.13.0"}
    assert seen.labels == []
    assert seen.champion is None
    assert seen.pipeline == "shop"


def test_whole_values_can_be_named_too() -> None:
    seen = INPUTS.only(("labels", "champion"))
    assert seen.labels == ["b", "a"]
    assert seen.champion == Reference(hash="abc")
    assert seen.params == {}


def test_labels_keep_their_order(tmp_path: Path) -> None:
    INPUTS.write(tmp_path / "inputs.json")
    assert read_inputs(tmp_path / "inputs.json").labels == ["b", "a"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"pipeline": "shop", "extra": 1}', '{"labels": []}'])
def test_a_missing_or_damaged_file_is_a_sentence(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "inputs.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match="missing or damaged"):
        read_inputs(path)
