"""A version of a real pipeline: each changed byte is named, it can be made again, an adopted one is compared."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tunegate.dvc.objects import Objects
from tunegate.releases.verify import verify
from tunegate.versions.lineage import lineage_at
from tunegate.workspace import Workspace

NAME = "demo@v1.0.0"


@pytest.fixture
def clone(finished: Project, tmp_path: Path) -> Workspace:
    """A fresh clone with an empty cache; the team's DVC remote is a copy of the cache, to be changed."""
    root = tmp_path / "clone"
    finished.git("clone", "-q", str(finished.root), str(root))
    shutil.copytree(finished.root / ".dvc/cache", tmp_path / "team")
    config = f"[core]\n    analytics = false\n    remote = team\n['remote \"team\"']\n    url = {tmp_path / 'team'}\n"
    (root / ".dvc/config.local").write_text(config)
    return Workspace(root.resolve())


def test_one_byte_of_raw_data_tokens_weights_or_bento_is_named_from_a_fresh_clone(
    clone: Workspace, tmp_path: Path
) -> None:
    whole = verify(clone, NAME)
    assert whole.difference is None, whole.difference
    lineage = lineage_at(clone, NAME, "demo")
    folders = {path: value for made in lineage.values() for path, value in {**made.read, **made.made}.items()}
    for folder, file, part in (
        ("data/raw/demo", "rows.csv", "the raw data"),
        ("data/demo/tokenize", "train/tokens.input_ids.npy", "the tokens"),
        ("data/demo/train", "model/model.safetensors", "the weights"),
        ("data/demo/export", "openvino/model.bin", "the serving files"),
        ("data/demo/package", "bento/bento.yaml", "the Bento"),
    ):
        with Objects(clone) as objects:
            files = objects.listing(folders[folder])
        assert file in files, sorted(files)
        stored = tmp_path / "team/files/md5" / files[file][:2] / files[file][2:]
        content = stored.read_bytes()
        stored.chmod(0o644)
        stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        found = verify(clone, NAME).difference
        assert found is not None and (found.part, found.path) == (part, f"{folder}/{file}"), found
        stored.write_bytes(content)


@pytest.mark.slow
def test_a_version_made_again_is_the_same_to_the_byte(project: Project) -> None:
    found = project.json("versions", "verify", NAME, "--rebuild")
    assert (found["same"], found["rebuilt"]) == (True, 9), found


@pytest.mark.slow
def test_an_adopted_model_is_live_and_the_next_run_is_compared_with_it(project: Project, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(project.root / "data/demo/train/model", mine)
    project.git("tag", "-d", NAME)
    before = (project.root / "dvc.lock").read_bytes()
    adopted = project.json("models", "adopt", str(mine), "--pipeline", "demo", "--why", "it served until now")
    assert (adopted["version"], adopted["live"]) == ("demo@v0.1.0", "production")
    assert (project.root / "dvc.lock").read_bytes() == before
    project.json("run", "demo", "--force", "evaluate", status=None)
    (compared, *_) = project.report("gate")["compared_with"]
    assert compared["version"] == "v0.1.0"
    verified = project.json("versions", "verify", "demo@v0.1.0")
    assert verified["same"], verified
