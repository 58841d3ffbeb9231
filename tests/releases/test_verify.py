"""From tags over every stored file: what was changed by one byte is named, and nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.projects import git
from tests.releases.project import change, make_project, run
from tests.versions.history import ANNA, clone_of, event
from tunegate.dvc.objects import MissingObjectError, Objects
from tunegate.dvc.tracking import track_edit
from tunegate.errors import UserError
from tunegate.inputs import DataReview, Inputs
from tunegate.releases.assigning import promote
from tunegate.releases.differences import Difference
from tunegate.releases.registering import register_run
from tunegate.releases.verify import verify
from tunegate.versions.data_reviews import ACCEPT, REFUSE, decide_data
from tunegate.versions.git import git as plumbing
from tunegate.versions.lineage import lineage_at
from tunegate.versions.remotes import choose_remote, push_all
from tunegate.versions.runs import Run
from tunegate.workspace import Workspace

NAME = "demo@v1.0.0"


@pytest.fixture(scope="module")
def _registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verify") / "project"
    workspace = make_project(root, verdict="PASS")
    first = run(workspace)
    register_run(workspace, first, workspace)
    return root


@pytest.fixture
def workspace(_registered: Path, tmp_path: Path) -> Workspace:
    """A project with one registered version, to change."""
    shutil.copytree(_registered, tmp_path / "project", symlinks=True)
    return Workspace((tmp_path / "project").resolve())


def test_an_untouched_version_is_the_same_from_raw_data_to_bento(workspace: Workspace) -> None:
    found = verify(workspace, NAME)
    assert found.difference is None and found.notes == ()
    assert found.stages == 5 and found.files >= 5


@pytest.mark.parametrize(
    ("path", "file", "part"),
    [
        ("data/raw/demo", "rows.csv", "the raw data"),
        ("data/demo/validate", "train.parquet", "the raw data"),  # one object: its first place
        ("data/demo/export", "manifest.json", "the serving files"),
        ("data/demo/package", "bento/bento.yaml", "the Bento"),
    ],
)
def test_one_byte_changed_in_the_cache_is_named(workspace: Workspace, path: str, file: str, part: str) -> None:
    hashes = {
        name: value
        for made in lineage_at(workspace, NAME, "demo").values()
        for name, value in {**made.read, **made.made}.items()
    }
    with Objects(workspace) as objects:
        oid = objects.listing(hashes[path])[file]
    flip(workspace.root / ".dvc/cache/files/md5" / oid[:2] / oid[2:])
    found = verify(workspace, NAME).difference
    assert found is not None and found.part == part
    assert "DVC's cache holds" in found.problem


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("data/raw/demo/rows.csv", "the raw data"),
        ("data/demo/train/model", "the weights"),
        ("data/demo/package/bento/bento.yaml", "the Bento"),
    ],
)
def test_one_byte_changed_in_the_working_tree_is_named(workspace: Workspace, path: str, part: str) -> None:
    flip(workspace.root / path)
    found = verify(workspace, NAME).difference
    assert found is not None and (found.path, found.part) == (path, part)


def test_a_tree_that_has_gone_on_to_other_data_is_no_difference(workspace: Workspace) -> None:
    change(workspace, verdict="PASS", rows="two\n", name="2")
    track_edit(workspace, workspace.raw("demo"))
    run(workspace, "demo-20260102-000000")
    assert verify(workspace, NAME).difference is None


def test_a_lost_object_is_missing_and_not_different(workspace: Workspace) -> None:
    lineage = lineage_at(workspace, NAME, "demo")["package"]
    with Objects(workspace) as objects:
        oid = objects.listing(lineage.made["data/demo/package"])["bento/bento.yaml"]
        (workspace.root / ".dvc/cache/files/md5" / oid[:2] / oid[2:]).unlink()
        with pytest.raises(MissingObjectError):
            objects.content(oid)
    found = verify(workspace, NAME).difference
    assert found is not None and found.missing and found.path == "data/demo/package/bento/bento.yaml"


def test_a_fresh_clone_with_an_empty_cache_checks_what_the_remote_holds(workspace: Workspace, tmp_path: Path) -> None:
    clone = shared_clone(workspace, tmp_path)
    assert verify(clone, NAME).difference is None
    assert not list((clone.root / ".dvc/cache/files").rglob("*")), "it only looks"
    lineage = lineage_at(clone, NAME, "demo")["train"]
    with Objects(clone) as objects:
        oid = objects.listing(lineage.made["data/demo/train"])["model"]
    flip(tmp_path / "store/files/md5" / oid[:2] / oid[2:])
    found = verify(clone, NAME).difference
    assert found is not None and "the DVC remote team holds" in found.problem


def test_a_tag_written_anew_over_another_verdict_is_noticed(workspace: Workspace) -> None:
    _rewrite(workspace, lambda message: message.replace('"verdict_hash": "0', '"verdict_hash": "f'))
    found = verify(workspace, NAME).difference
    assert found is not None and found.path == NAME and "says verdict_hash f0" in found.problem


def test_a_tag_moved_to_another_commit_is_noticed(workspace: Workspace) -> None:
    second = _second(workspace)
    _rewrite(workspace, str, onto=second.commit)
    found = verify(workspace, NAME).difference
    assert found is not None and "was made for commit" in found.problem


def test_a_deleted_tag_in_between_is_missed_by_the_next_one(workspace: Workspace) -> None:
    second = _second(workspace)
    later = register_run(workspace, second, workspace).version
    plumbing(workspace.root, "tag", "-d", NAME)
    found = verify(workspace, later.name).difference
    assert found is not None and "followed a tag that is gone" in found.problem


def test_a_tag_that_differs_on_the_shared_remote_is_noticed(workspace: Workspace, tmp_path: Path) -> None:
    clone = shared_clone(workspace, tmp_path)
    choose_remote(clone, "origin")
    git(tmp_path / "shared.git", "tag", "-f", "-a", "-m", "Edited", NAME, f"{NAME}^{{commit}}")
    found = verify(clone, NAME).difference
    assert found is not None and "was edited on one side" in found.problem


def test_a_tag_that_only_the_shared_remote_has_is_told(workspace: Workspace, tmp_path: Path) -> None:
    clone = shared_clone(workspace, tmp_path)
    choose_remote(clone, "origin")
    later = register_run(workspace, _second(workspace), workspace).version
    push_all(workspace, "shared")
    found = verify(clone, NAME)
    assert found.difference is None
    assert [later.name in note and "lacks" in note for note in found.notes] == [True]


def test_settings_edited_in_the_commit_are_named_with_both_values(workspace: Workspace) -> None:
    inputs = json.loads(workspace.inputs("demo").read_text())
    inputs["approval"] = {"who": "Eve", "why": "", "hash": "", "what": "approve"}
    workspace.inputs("demo").write_text(json.dumps(inputs))
    git(workspace.root, "add", "--all")
    tree = plumbing(workspace.root, "write-tree").strip()
    commit = git(workspace.root, "commit-tree", tree, "-p", "HEAD", "-m", "edited").strip()
    message = event(workspace, pipeline="demo", commit=commit).model_dump_json()
    plumbing(workspace.root, "tag", "-f", "-a", "-m", f"Register\n\n{message}", NAME, commit)
    found = [each.problem for each in _all(workspace)]
    assert any("approval is" in problem and "Eve" in problem for problem in found)


def test_an_unknown_version_is_answered_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(UserError, match=r"demo@v1\.0\.1"):
        verify(workspace, "demo@v1.0.1")


def flip(path: Path) -> None:
    """One bit of the byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def shared_clone(workspace: Workspace, tmp_path: Path) -> Workspace:
    """Commits, tags and runs in a bare repository, objects in a DVC remote; and a fresh clone of it."""
    root = workspace.root
    (root / ".dvc/config").write_text(
        f"[core]\n    analytics = false\n    remote = team\n['remote \"team\"']\n    url = {tmp_path / 'store'}\n"
    )
    (root / ".dvc/config.local").unlink(missing_ok=True)
    shutil.copytree(root / ".dvc/cache", tmp_path / "store")
    git(root, "add", "--all")
    git(root, "commit", "-qm", "Share")
    git(root, "clone", "-q", "--bare", str(root), str(tmp_path / "shared.git"))
    git(root, "remote", "add", "shared", str(tmp_path / "shared.git"))
    push_all(workspace, "shared")
    clone = clone_of(tmp_path / "shared.git", tmp_path / "clone", "Ben")
    git(clone.root, "config", "--unset", "tunegate.remote")
    return clone


def _second(workspace: Workspace) -> Run:
    change(workspace, verdict="PASS", rows="two\n", name="2")
    track_edit(workspace, workspace.raw("demo"))
    return run(workspace, "demo-20260102-000000")


def _rewrite(workspace: Workspace, edit: Callable[[str], str], onto: str = f"{NAME}^{{commit}}") -> None:
    message = plumbing(workspace.root, "for-each-ref", "--format=%(contents)", f"refs/tags/{NAME}")
    plumbing(workspace.root, "tag", "-f", "-a", "-m", edit(message), NAME, onto)


def _all(workspace: Workspace) -> list[Difference]:
    from tunegate.releases.stored import Stored
    from tunegate.versions.registry import read_registry

    with Objects(workspace) as objects:
        return list(Stored(workspace, objects, read_registry(workspace).find(NAME)).differences())


@pytest.fixture
def reviewed(workspace: Workspace) -> Workspace:
    """The same, of a pipeline whose new data wait for a person, with a version made of accepted data."""
    inputs = Inputs.model_validate_json(workspace.inputs("demo").read_text())
    inputs.model_copy(update={"data_review": DataReview()}).write(workspace.inputs("demo"))
    change(workspace, verdict="PASS", labels=("a", "b", "c"), name="2")
    version = register_run(workspace, run(workspace, "demo-20260101-000001"), workspace).version
    assert version.said is not None
    decide_data(workspace, "demo", version.said.validated, ACCEPT, who=ANNA, why="I read them")
    return workspace


def test_data_that_a_person_accepted_has_the_decision_beside_it(reviewed: Workspace) -> None:
    found = verify(reviewed, "demo@v2.0.0")
    assert found.difference is None and found.notes == ()


def decision_tag(workspace: Workspace) -> str:
    return git(workspace.root, "for-each-ref", "--format=%(refname)", "refs/tags/decisions/data").strip()


def test_a_deleted_decision_about_data_is_missed(reviewed: Workspace) -> None:
    tag = decision_tag(reviewed)
    git(reviewed.root, "update-ref", "-d", tag)
    found = verify(reviewed, "demo@v2.0.0").difference
    assert found is not None and tag.removeprefix("refs/tags/") in found.problem and "is gone" in found.problem


def test_an_edited_decision_about_data_is_noticed(reviewed: Workspace) -> None:
    tag = decision_tag(reviewed)
    text = git(reviewed.root, "cat-file", "tag", tag)
    edited = plumbing(reviewed.root, "mktag", stdin=text.replace("I read them", "nobody read them")).strip()
    promote(reviewed, "demo@v2.0.0", "production", who=ANNA, why="good")  # an event that knows the decision as it was
    git(reviewed.root, "update-ref", tag, edited)
    found = verify(reviewed, "demo@v2.0.0").difference
    assert found is not None and "followed a tag that is gone or was edited" in found.problem


def test_a_model_of_refused_data_is_named(reviewed: Workspace) -> None:
    tag = decision_tag(reviewed)
    text = git(reviewed.root, "cat-file", "tag", tag)
    refused = plumbing(reviewed.root, "mktag", stdin=text.replace(ACCEPT, REFUSE)).strip()
    git(reviewed.root, "update-ref", tag, refused)
    found = verify(reviewed, "demo@v2.0.0").difference
    assert found is not None and "was refused by Anna" in found.problem
