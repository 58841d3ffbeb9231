"""What a worker says of its machine before it takes work."""

from pathlib import Path

import pytest

from tests.projects import git, make_project
from tunegate.errors import UserError
from tunegate.health.libraries import check_libraries
from tunegate.health.worker import worker_findings
from tunegate.inputs import Inputs
from tunegate.versions.inputs import library_versions
from tunegate.workspace import Workspace


@pytest.fixture
def clone(tmp_path: Path) -> Workspace:
    """With a git remote and a DVC remote that others reach."""
    workspace = make_project(tmp_path / "clone")
    config = f"[core]\n    remote = team\n['remote \"team\"']\n    url = {tmp_path / 'data'}\n"
    (workspace.root / ".dvc/config").write_text(config)
    git(workspace.root, "add", "--all", "--", ":!data")
    git(workspace.root, "commit", "-qm", "A project")
    git(workspace.root, "clone", "-q", "--bare", ".", str(tmp_path / "shared.git"))
    git(workspace.root, "remote", "add", "origin", str(tmp_path / "shared.git"))
    workspace.inputs("one").unlink()
    return workspace


def states(workspace: Workspace, device: str = "cpu") -> dict[str, str]:
    return {finding.name: finding.state for finding in worker_findings(workspace, device)}


def test_a_machine_that_is_fit_is_said_to_be(clone: Workspace) -> None:
    found = states(clone)
    assert {found[name] for name in ("device", "libraries", "git remote", "data remote")} == {"ok"}


def test_a_worker_is_to_have_a_gpu_unless_it_is_told_otherwise(
    clone: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin/nowhere")  # no nvidia-smi; and no git
    found = {finding.name: finding for finding in worker_findings(clone, "cuda")}
    assert found["device"].state == "broken" and "--device cpu" in found["device"].remedy


def test_remotes_that_are_gone_or_private_are_broken(clone: Workspace, tmp_path: Path) -> None:
    (tmp_path / "shared.git").rename(tmp_path / "moved.git")
    (clone.root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    found = states(clone)
    assert (found["git remote"], found["data remote"]) == ("broken", "broken")


def test_other_libraries_are_named_and_refuse_the_stage(clone: Workspace) -> None:
    here = library_versions()
    same = Inputs(pipeline="one", environment={**here, "torch": here["torch"].partition("+")[0] + "+cu999"})
    check_libraries(same)  # another build of the same version
    other = same.model_copy(update={"environment": {**here, "tokenizers": "0.0.1"}})
    with pytest.raises(UserError, match=r"tokenizers .* \(the run has 0.0.1\)"):
        check_libraries(other)
    other.write(clone.inputs("one"))
    assert states(clone)["libraries"] == "warning"
