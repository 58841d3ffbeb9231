"""`tunegate models` on the command line, in a project of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.encoders import tiny_encoder
from tests.models.google.published import ALBERT, BERT, publish
from tests.models.google.test_archives import packed
from tunegate.cli import run_command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    monkeypatch.chdir(root)
    return root


def test_a_model_is_added_tracked_and_listed(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEGATE_STATE", str(project.parent / "state"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project.parent / "site"))
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=project, check=True)
    base = tiny_encoder("bert", project.parent / "base", layers=1)
    capsys.readouterr()
    assert run_command(["models", "add", "small", "--folder", str(base), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["changed"] is True and told["tracked_by"] == "data/models/small.dvc"
    assert (project / "data/models/small.dvc").is_file()
    assert run_command(["models", "add", "small", "--folder", str(base)]) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert run_command(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "small"


def tracked_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunegate.dvc.tracking.track", lambda _, folder: folder.with_suffix(".dvc"))


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_googles_checkpoint_is_converted_reported_and_tried(
    form: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tracked_project(project, monkeypatch)
    published = project.parent / "uncased_L-2_H-12_A-3"
    publish(published, BERT)
    place = published if form == "folder" else packed(published, project.parent / f"{published.name}.{form}")
    capsys.readouterr()
    assert run_command(["models", "add", "google", str(place)]) == 0
    told = capsys.readouterr().out
    assert "bert/pooler/dense/kernel [12x12 float32] -> bert.pooler.dense.weight (transposed)" in told
    assert "texts are lower-cased (the name says uncased)" in told
    assert told.rstrip().splitlines()[-1].startswith('Forward pass of "The weather is fine today."')
    assert "input_ids [2, 9]: prediction_logits [2, 9, 15], seq_relationship_logits [2, 2]" in told
    files = {path.name for path in (project / "data/models/google").iterdir()}
    assert files == {
        "config.json",
        "conversion.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "tunegate-model.json",
    }
    assert run_command(["models", "add", "google", str(place), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["changed"] is False and again["report"] and again["trial"]


def test_a_damaged_checkpoint_is_two_sentences_and_leaves_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tracked_project(project, monkeypatch)
    publish(project.parent / "albert", ALBERT)
    data = project.parent / "albert/model.ckpt-best.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1000])
    assert run_command(["models", "add", "google", str(project.parent / "albert")]) == 2
    assert "more bytes than all data files hold" in capsys.readouterr().err
    assert not (project / "data/models/google").exists()


def test_without_a_model_the_list_says_how_to_add_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["models", "list"]) == 0
    assert "tunegate models add NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "comes from one place, and 0 were given"),
        (["--folder", "x", "--package", "y"], "comes from one place, and 2 were given"),
        (["--folder", "nowhere"], "There is no folder nowhere"),
        (["--package", "surely-not-installed"], "No Python package 'surely-not-installed' is installed"),
        (["--hub", "a b"], "'a b' is no name on the hub"),
    ],
)
def test_a_wrong_source_is_two_sentences(
    given: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["models", "add", "small", *given]) == 2
    assert said in capsys.readouterr().err


def test_a_hub_that_cannot_be_reached_is_somebody_elses_failure(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert run_command(["models", "add", "small", "--hub", "owner/name@main"]) == 75
    assert "could not be brought from the hub" in capsys.readouterr().err


def test_an_empty_list_names_every_way_to_add_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["models", "list"]) == 0
    told = capsys.readouterr().out
    assert all(form in told for form in ("NAME PATH", "--package", "--hub"))
