"""A pipeline's entry in params.yaml: comments kept, defaults left out."""

from pathlib import Path

import pytest

from tunegate.errors import UserError
from tunegate.new_pipeline.entry import add_entry, check_new_name, entry_of, ignore_outputs
from tunegate.params import PipelineSettings
from tunegate.params_file import load_pipelines
from tunegate.stages import STAGES
from tunegate.tasks import TASKS, options_of
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]
TASK = next(iter(TASKS))
WRITTEN = f"""\
# Every choice a person makes.
pipelines:
  shop:  # the first
    task: {TASK}
    data: "shop"
    model: models/m
    ingest:
      files: {{"*.csv": auto, 'b.tsv': train}}  # by hand
    train:
      learning_rate: 1.0e-4   # tuned
    # the end
"""


def settings(**sections: object) -> PipelineSettings:
    return PipelineSettings.model_validate({"task": TASK, "data": "d", "model": "models/m", **sections})


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(WRITTEN, encoding="utf-8")
    return path


def test_what_stood_there_stays_as_it_was_to_the_letter(params: Path) -> None:
    add_entry(params, "mine", entry_of(settings()))
    assert params.read_text(encoding="utf-8").startswith(WRITTEN)


def test_the_projects_own_file_only_gains_lines(tmp_path: Path) -> None:
    before = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(before, encoding="utf-8")
    add_entry(path, "mine", entry_of(settings()))
    assert path.read_text(encoding="utf-8").startswith(before.rstrip("\n"))


def test_a_first_pipeline_stands_in_lines_of_its_own(params: Path) -> None:
    params.write_text("pipelines: {}\n")
    add_entry(params, "mine", entry_of(settings()))
    assert params.read_text() == f"pipelines:\n  mine:\n    task: {TASK}\n    data: d\n    model: models/m\n"


def test_defaults_are_not_written() -> None:
    assert entry_of(settings()) == {"task": TASK, "data": "d", "model": "models/m"}
    assert entry_of(settings(ingest={"columns": {"label": "team"}, "encoding": "utf-8"})) == {
        **entry_of(settings()),
        "ingest": {"columns": {"label": "team"}},
    }


def test_what_is_written_is_read_back_as_it_was_meant(params: Path) -> None:
    meant = settings(ingest={"columns": {"text": "a: b", "label": "yes"}, "delimiter": "\t"}, split={"test": 0.0})
    add_entry(params, "mine", entry_of(meant))
    assert load_pipelines(params, options_of)["mine"].ingest == meant.ingest
    assert load_pipelines(params, options_of)["mine"].split == meant.split


@pytest.mark.parametrize("name", ["shop", "models", "Shop", ""])
def test_a_taken_or_wrong_name_is_a_sentence_and_changes_nothing(name: str, params: Path) -> None:
    with pytest.raises(UserError):
        check_new_name(name, params)
    with pytest.raises(UserError):
        add_entry(params, name, entry_of(settings()))
    assert params.read_text(encoding="utf-8") == WRITTEN


def test_git_ignores_every_stages_folder(tmp_path: Path) -> None:
    ignore_outputs(Workspace(tmp_path), "mine", STAGES)
    assert (tmp_path / "data/mine/.gitignore").read_text().split() == [f"/{stage}" for stage in STAGES]
