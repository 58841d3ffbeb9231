"""Plumbing leaves the person's branch, index and files alone."""

import os
from pathlib import Path

import pytest

from tests.projects import git as shell
from tests.versions.history import head, make_repository
from tunegate.versions.git import (
    GitError,
    commit_of,
    commit_tree,
    create_ref,
    file_at,
    files_at,
    git,
    identity,
    write_tree,
)


def test_a_tree_of_the_working_tree_holds_every_change_and_moves_nothing(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r").root
    (root / "params.yaml").write_text("changed\n")
    (root / "a new ü.txt").write_text("new\n")
    (root / "staged").write_text("staged\n")
    shell(root, "add", "staged")
    (root / ".tunegate").mkdir()
    (root / ".tunegate/ignored").write_text("x")
    before = shell(root, "status", "--porcelain"), (root / ".git/index").read_bytes(), head(root)
    tree = write_tree(root, None)
    assert (shell(root, "status", "--porcelain"), (root / ".git/index").read_bytes(), head(root)) == before
    assert set(git(root, "ls-tree", "-r", "-z", "--name-only", tree).split("\0")) == {
        "", ".gitignore", "a new ü.txt", "params.yaml", "staged",
    }  # fmt: skip
    assert file_at(root, tree, "params.yaml") == b"changed\n"


def test_a_file_changed_in_the_second_of_the_commit_is_seen_though_size_and_time_are_the_same(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r").root
    shell(root, "config", "core.trustctime", "false")  # ctime cannot be set, and would tell where seconds pass
    file, index, then = root / "same.txt", root / ".git/index", (1_700_000_000, 1_700_000_000)
    file.write_text("one\n")
    os.utime(file, then)
    shell(root, "add", "same.txt")
    file.write_text("two\n")
    os.utime(file, then)
    os.utime(index, then)
    assert file_at(root, write_tree(root, None), "same.txt") == b"two\n"


def test_a_tree_takes_new_changed_and_deleted_paths_on_top_of_another(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r").root
    (root / "reports/one").mkdir(parents=True)
    (root / "reports/one/gate.json").write_text("{}")
    (root / "left out").write_text("")
    (root / "params.yaml").unlink()
    tree = write_tree(root, "HEAD", [root / "reports/one", root / "params.yaml", root / "never there"])
    assert git(root, "ls-tree", "-r", "--name-only", tree).split() == [".gitignore", "reports/one/gate.json"]


def test_a_ref_is_created_once(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r").root
    first = commit_tree(root, write_tree(root, None), [head(root)], "first\n")
    second = commit_tree(root, write_tree(root, None), [head(root)], "second\n")
    assert create_ref(root, "refs/exps/x", first)
    assert not create_ref(root, "refs/exps/x", second)
    assert commit_of(root, "refs/exps/x") == first


def test_many_files_are_read_at_once_and_missing_ones_are_none(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r").root
    names = ["HEAD:params.yaml", "HEAD:none", "HEAD:.gitignore", "nobody:x y"]
    assert list(files_at(root, names)) == [b"pipelines: {}\n", None, b".tunegate/\n", None]


def test_a_commit_is_made_where_git_knows_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_repository(tmp_path / "r").root
    for name in ("name", "email"):
        shell(root, "config", "--unset", f"user.{name}")
    shell(root, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert identity(root) is None
    made = commit_tree(root, write_tree(root, None), [], "x\n")
    assert git(root, "log", "-1", "--format=%an", made) == "tunegate\n"


def test_git_that_started_us_does_not_move_us_to_its_own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_repository(tmp_path / "r").root
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert commit_of(root, "HEAD") is not None


def test_a_failure_says_what_git_said(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r").root
    with pytest.raises(GitError, match="Not a valid object name"):
        git(root, "cat-file", "-p", "nothing")
    assert commit_of(root, "nothing") is None
