"""Where everything lies, and files that are written whole or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.errors import UserError
from tunegate.workspace import PIPELINE_NAME, Workspace, check_pipeline_name, fresh_folder, write_atomically


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    return tmp_path


def test_the_project_is_found_from_a_folder_deep_inside(project: Path) -> None:
    deep = project / "data" / "raw" / "shop"
    deep.mkdir(parents=True)
    assert Workspace.find(deep).root == project.resolve()


def test_outside_a_project_a_sentence_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder above it holds dvc\.yaml"):
        Workspace.find(tmp_path)


def test_state_lies_in_the_project_until_a_variable_moves_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)
    assert Workspace(project).state == project.resolve() / ".tunegate"
    monkeypatch.setenv("TUNEGATE_STATE", str(project / "elsewhere"))
    assert Workspace(project).state == project.resolve() / "elsewhere"


def test_paths_are_shown_relative_where_they_lie_inside(project: Path) -> None:
    workspace = Workspace(project.resolve())
    assert workspace.relative(workspace.stage("shop", "train")) == "data/shop/train"
    assert workspace.relative(Path("/etc/hosts")) == "/etc/hosts"


@pytest.mark.parametrize("name", ["a", "shop", "shop-2", "a" * 41])
def test_good_pipeline_names_pass(name: str) -> None:
    assert check_pipeline_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "2shop", "-a", "a-", "a_b", "shop\n", "a" * 42, "raw", "models", "../x", "a/b", "ä", "a b"]
)
def test_bad_pipeline_names_are_refused_with_the_rule(name: str) -> None:
    with pytest.raises(UserError) as caught:
        check_pipeline_name(name)
    assert "lower-case letters" in caught.value.remedy


@given(st.from_regex(PIPELINE_NAME, fullmatch=True))
def test_a_pipeline_name_is_always_one_plain_folder_name(name: str) -> None:
    assert Path(name).name == name
    assert len(name) <= 41


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomically(path, "old")
    write_atomically(path, "new ✓")
    assert path.read_text(encoding="utf-8") == "new ✓"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_stage_that_fails_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    with fresh_folder(folder) as out:
        (out / "model").write_text("good")

    def fail() -> None:
        with fresh_folder(folder) as out:
            (out / "model").write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail()
    assert (folder / "model").read_text() == "good"


def test_a_fresh_folder_holds_nothing_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    for name in ("first", "second"):
        with fresh_folder(folder) as out:
            assert list(out.iterdir()) == []
            (out / name).touch()
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
