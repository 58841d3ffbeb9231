import filecmp
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.tiny_export import tiny_export
from tunegate.bento import Packaged, bento_home, environment, read_packaged, tag_of
from tunegate.bento.building import build, store
from tunegate.bento.card import card
from tunegate.errors import UserError
from tunegate.exported import Manifest, read_manifest
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]


def same(left: Path, right: Path) -> bool:
    compared = filecmp.dircmp(left, right, ignore=[])
    equal = not (compared.left_only or compared.right_only or compared.funny_files)
    _, differing, errors = filecmp.cmpfiles(left, right, compared.common_files, shallow=False)
    return equal and not differing and not errors and all(same(left / n, right / n) for n in compared.common_dirs)


def test_two_builds_of_the_same_inputs_are_the_same_bytes(
    bento: Path, export: Path, packaged: Packaged, tmp_path: Path
) -> None:
    tag = build(export, packaged, ROOT / "bentofile.yaml", tmp_path / "again")
    assert tag == tag_of(bento) and same(bento, tmp_path / "again")


def test_another_limit_is_another_tag(bento: Path, export: Path, packaged: Packaged, tmp_path: Path) -> None:
    other = packaged.model_copy(update={"verdict": {"verdict": "PASS"}})
    assert build(export, other, ROOT / "bentofile.yaml", tmp_path / "other") != tag_of(bento)


def test_a_bento_holds_what_serving_needs_and_nothing_else(bento: Path) -> None:
    files = {path.relative_to(bento).as_posix() for path in bento.rglob("*") if path.is_file()}
    assert {"src/serving/export/manifest.json", "src/serving/serving.json", "src/tunegate/predictor.py"} <= files
    rooms = {name.split("/")[2] for name in files if name.startswith("src/tunegate/")}
    assert not rooms & {"cli", "stages", "training", "dvc", "gate", "models", "versions", "validation"}
    names = {line.split("==")[0] for line in requirements(bento)}
    assert not names & {"torch", "transformers", "prefect", "dvc", "great-expectations"}
    assert {"bentoml", "openvino", "tokenizers"} <= names and all("==" in line for line in requirements(bento))
    assert "/work" not in (bento / "bento.yaml").read_text(encoding="utf-8")


def requirements(bento: Path) -> set[str]:
    return set((bento / "env/python/requirements.txt").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def torch_bento(packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Bento of a model that OpenVINO could not convert."""
    folder = tmp_path_factory.mktemp("torch")
    export = tiny_export(folder / "export", "torch")
    other = packaged.model_copy(update={"export": read_manifest(export).digest})
    build(export, other, ROOT / "bentofile.yaml", folder / "bento")
    return folder / "bento"


def test_a_bento_asks_for_its_own_engine_and_no_other(bento: Path, torch_bento: Path) -> None:
    names = {line.split("==")[0] for line in requirements(torch_bento) - requirements(bento)}
    assert names == {"torch", "transformers"}
    assert {line.split("==")[0] for line in requirements(bento) - requirements(torch_bento)} == {"openvino"}
    assert all("+" not in line for line in requirements(torch_bento))  # `2.13.0+cpu` is on no public index


def test_a_bento_for_torch_answers_where_openvino_is_not_installed(torch_bento: Path) -> None:
    code = (
        "import sys; sys.modules['openvino'] = None\n"
        "from pathlib import Path; from tunegate.predictor import Predictor\n"
        "predictor = Predictor.open(Path('serving/export'))\n"
        "print(predictor.answers(predictor.table([{'text': 'the soup needs salt'}]))['label'].to_pylist())"
    )
    source = torch_bento / "src"
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() in ("['food']", "['weather']"), done.stderr


def test_the_card_says_what_it_is_and_what_it_answers(bento: Path, packaged: Packaged) -> None:
    readme = (bento / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# demo\n\na demo\n") and "`food`, `weather`" in readme
    assert "computed by openvino in fp32" in readme
    many = Manifest(
        task=packaged.task, labels=[f"l{number}" for number in range(1200)], max_length=8, engine="openvino",
        precisions=["fp32"], inputs=[], outputs=[], files={},
    )  # fmt: skip
    assert "`l99`, and 1,100 more" in card(packaged, many)


def test_the_bento_says_what_it_serves(bento: Path, packaged: Packaged) -> None:
    assert read_packaged(bento / "src" / "serving") == packaged
    openapi = (bento / "apis" / "openapi.yaml").read_text(encoding="utf-8")
    assert tag_of(bento) in openapi and "/v1/predict" in openapi


def test_the_store_mirrors_a_bento_once_and_bentoml_finds_it(
    bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENTOML_HOME", raising=False)
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)
    workspace = Workspace(tmp_path)
    tag = store(bento, workspace)
    stored = bento_home(workspace) / "bentos" / tag.replace(":", "/")
    assert same(bento, stored) and stored.is_relative_to(tmp_path / ".tunegate")
    written = (stored / "bento.yaml").stat().st_mtime_ns
    assert store(bento, workspace) == tag and (stored / "bento.yaml").stat().st_mtime_ns == written
    listed = subprocess.run(
        [sys.executable, "-m", "bentoml", "list", "-o", "json"],
        env=environment(bento_home(workspace)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert tag in listed.stdout


def test_bentoml_home_wins_where_the_user_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "mine"))
    assert bento_home(Workspace(tmp_path)) == tmp_path / "mine"


def test_a_folder_without_a_bento_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no Bento"):
        tag_of(tmp_path)
    with pytest.raises(UserError, match=r"serving\.json is missing"):
        read_packaged(tmp_path)
