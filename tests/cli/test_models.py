"""`tunegate models` on the command line, in a project of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.encoders import tiny_encoder
from tests.models.google.published import ALBERT, BERT, publish
from tests.models.test_archives import packed
from tests.servers import Served, serving
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


@pytest.fixture
def catalogue(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A table of two models whose addresses are on this machine."""
    from tunegate.catalogue import base_models

    tracked_project(project, monkeypatch)
    published = project.parent / "published"
    tiny_encoder("bert", published / "tiny", layers=1)
    publish(project.parent / "uncased_L-2", BERT)
    archive = packed(project.parent / "uncased_L-2", project.parent / "uncased_L-2.zip").read_bytes()
    with serving(Served({"/bert/uncased_L-2.zip": archive}, {"owner/tiny": published / "tiny"})) as served:
        about = 'language = "en"\nlicence = "CC0"\ncitation = "Nobody 2020"\ntitle = "t"\n'
        (project.parent / "models.toml").write_text(
            f'[google]\n{about}url = "https://host/bert/uncased_L-2.zip"\n'
            f'[tiny]\n{about}hub = "owner/tiny"\nmodelscope = "owner/tiny"\n[lonely]\n{about}hub = "owner/other"\n'
        )
        base_models.public_models.cache_clear()
        monkeypatch.setattr(base_models, "TABLE", project.parent / "models.toml")
        models = base_models.public_models()
        here = models["google"].model_copy(update={"url": f"{served.address}/bert/uncased_L-2.zip"})
        monkeypatch.setitem(models, "google", here)  # the table itself takes encrypted addresses only
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("MODELSCOPE_DOMAIN", served.address)
        for variable in ("TUNEGATE_MIRROR", "TUNEGATE_HUB", "TUNEGATE_STATE"):
            monkeypatch.delenv(variable, raising=False)
        yield served
    base_models.public_models.cache_clear()


def test_a_model_of_the_catalogue_is_fetched_recorded_and_tried(
    catalogue: Served, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["models", "fetch", "google"]) == 0
    told, progress = capsys.readouterr()
    assert "bert/pooler/dense/kernel [12x12 float32] -> bert.pooler.dense.weight (transposed)" in told
    assert "is not pinned: no hash of its files was known" in told and "commit data/models/sources.lock" in told
    assert 'Forward pass of "The weather is fine today."' in told and "Cite: Nobody 2020" in told
    assert f"fetch: uncased_L-2.zip from {catalogue.address}/bert/uncased_L-2.zip" in progress
    assert run_command(["models", "fetch", "google", "--as", "other", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["model"]["name"] == "other" and again["downloaded"].keys() == {"uncased_L-2.zip"}
    catalogue.files["/bert/uncased_L-2.zip"] += b"tampered"
    assert run_command(["models", "fetch", "google", "--as", "third"]) == 75
    assert "is not the file that data/models/sources.lock knows" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["huggingface", "modelscope", "mirror"])
def test_a_model_of_a_hub_comes_from_whichever_is_named(
    way: str, catalogue: Served, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "mirror":
        monkeypatch.setenv("TUNEGATE_MIRROR", str(project.parent / "published"))
    else:
        monkeypatch.setenv("TUNEGATE_HUB", way)
    assert run_command(["models", "fetch", "tiny"]) == 0
    assert "last_hidden_state [2, " in capsys.readouterr().out
    asked = {path.split("/")[2] for path, _ in catalogue.asked}
    assert asked == {"huggingface": {"models", "tiny"}, "modelscope": {"v1"}, "mirror": set()}[way]


def test_an_archive_is_added_from_its_address(
    catalogue: Served, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["models", "add", "mine", f"{catalogue.address}/bert/uncased_L-2.zip"]) == 0
    assert "prediction_logits [2, 9, 15]" in capsys.readouterr().out
    assert run_command(["models", "add", "scope", "--modelscope", "owner/tiny"]) == 0
    assert run_command(["models", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"from Google checkpoint {catalogue.address}" in listed
    assert "from modelscope owner/tiny" in listed


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["tyny"], 2, 'has no base model "tyny". Did you mean "tiny"?'),
        (["tiny", "--from", "modelscop"], 2, 'is no hub. Did you mean "modelscope"?'),
        (["lonely", "--from", "modelscope"], 2, "knows no place of lonely on ModelScope"),
        (["lonely"], 2, "The hub knows no public model owner/other"),
        (["tiny", "--mirror", "nowhere"], 2, "The mirror has no nowhere/tiny"),
        (["tiny", "--as", "../x"], 2, "is no name for a base model"),
    ],
)
def test_a_wrong_fetch_is_two_sentences(
    arguments: list[str], status: int, says: str, catalogue: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["models", "fetch", *arguments]) == status
    assert says in capsys.readouterr().err


def test_without_a_name_the_catalogue_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["models", "fetch"]) == 0
    shown = capsys.readouterr().out
    assert "google-bert-chinese: BERT base, Chinese" in shown and "Not pinned: no hash is known beforehand" in shown
    assert run_command(["models", "fetch", "--json"]) == 0
    assert {"name", "url", "hub", "modelscope", "licence", "pinned"} <= json.loads(capsys.readouterr().out)[0].keys()
