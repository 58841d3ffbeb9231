"""Files by hash, raw data from remotes, edited data as new versions."""

import re
import shutil

import pytest

from tests.projects import dvc
from tests.remote import failing_remote
from tunegate.dvc.project import Project
from tunegate.dvc.storage import fetch, pull_missing
from tunegate.dvc.tracking import track, track_edit
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import folder_hash


@pytest.fixture
def remote(workspace):
    """The raw data of `one`, tracked and pushed to a remote of its own, as the example's is."""
    root = workspace.root
    dvc(root, "remote", "add", "example", str(root / "example-data"))
    dvc(root, "add", "-q", "data/raw/one")
    dvc(root, "push", "-q", "-r", "example", "data/raw/one.dvc")
    tracked = root / "data/raw/one.dvc"
    tracked.write_text(tracked.read_text() + "  remote: example\n")
    shutil.rmtree(root / ".dvc/cache")
    return workspace


def test_missing_raw_data_comes_from_the_remote_that_its_dvc_file_names(remote):
    shutil.rmtree(remote.raw("one"))
    assert pull_missing(remote, [remote.raw("one")]) == [remote.raw("one")]
    assert (remote.raw("one") / "rows.csv").read_text() == "a row of one\n"
    assert pull_missing(remote, [remote.raw("one")]) == []


def test_a_remote_without_the_data_is_answered_with_a_sentence(remote):
    shutil.rmtree(remote.raw("one"))
    shutil.rmtree(remote.root / "example-data")
    with pytest.raises(OutsideError, match="data/raw/one is not here") as caught:
        pull_missing(remote, [remote.raw("one")])
    assert "data/raw/one.dvc" in caught.value.remedy


def test_data_that_nothing_tracks_is_answered_with_what_to_do(workspace):
    with pytest.raises(UserError, match="data/raw/two is missing"):
        pull_missing(workspace, [workspace.raw("two")])
    with pytest.raises(UserError, match="data/models/tiny is missing") as caught:
        pull_missing(workspace, [workspace.model("models/tiny")])
    assert "tunegate models add tiny" in caught.value.remedy


def test_an_edit_of_raw_data_becomes_a_version_kept_outside_the_examples_remote(remote):
    rows = remote.raw("one") / "rows.csv"
    project = Project(remote)
    assert project.edited_sources([remote.raw("one")]) == []
    rows.write_text("another row\n")
    assert project.edited_sources([remote.raw("one")]) == [remote.raw("one")]
    project.close()
    track_edit(remote, remote.raw("one"))
    assert "remote" not in (remote.root / "data/raw/one.dvc").read_text()
    project = Project(remote)
    assert project.edited_sources([remote.raw("one")]) == []
    project.close()


def test_files_of_an_earlier_run_are_fetched_by_hash_from_cache_or_remote(workspace):
    dvc(workspace.root, "repro", "-q", "first@one")
    project = Project(workspace)
    value = project.output_hash("first@one", workspace.stage("one", "first"))
    project.close()
    (workspace.root / "data/raw/one/rows.csv").write_text("newer\n")
    folder = fetch(workspace, value, ["rows.csv"])
    assert folder == workspace.state / "references" / value
    assert (folder / "rows.csv").read_text() == "a row of one\n"
    assert not (folder / "other.csv").exists()

    dvc(workspace.root, "push", "-q")
    shutil.rmtree(workspace.root / ".dvc/cache")
    assert (fetch(workspace, value, ["other.csv"]) / "other.csv").read_text() == "data\n"

    shutil.rmtree(workspace.root / ".dvc/cache")
    shutil.rmtree(workspace.state / "store")
    with pytest.raises(OutsideError, match=value):
        fetch(workspace, value, ["missing.csv"])


@pytest.mark.parametrize("fault", ["half", "flip", "away"])
def test_what_a_failing_remote_sent_is_not_believed_then_or_later(workspace, tmp_path_factory, fault):
    folder = tmp_path_factory.mktemp("remote")
    raw = workspace.raw("one")
    hash_ = re.search(r"md5: (\S+)", track(workspace, raw).read_text())[1]
    shutil.copytree(workspace.root / ".dvc/cache/files", folder / "files")
    with failing_remote(folder) as (remote, url):
        dvc(workspace.root, "remote", "add", "--default", "team", url)
        for place in (raw, workspace.root / ".dvc/cache"):
            shutil.rmtree(place)
        remote.fault = fault
        with pytest.raises(OutsideError, match="data/raw/one is not here"):
            pull_missing(workspace, [raw])
        assert remote.faults and not raw.exists()
        remote.fault = "whole"
        assert pull_missing(workspace, [raw]) == [raw] and folder_hash(raw) == hash_
