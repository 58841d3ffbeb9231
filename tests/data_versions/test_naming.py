"""What people call a data version."""

import shutil
from pathlib import Path

import pytest

from tests.data_versions.project import make_project
from tunegate.data_versions.naming import find_version
from tunegate.dvc.tracking import cache_folder


@pytest.mark.parametrize("name", ["data/raw/demo", "data/raw/demo/", "demo"])
def test_tracked_data_that_is_not_here_is_brought_also_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project = make_project(tmp_path)
    monkeypatch.chdir(project.root)
    cache_folder(project, project.raw("demo"))
    shutil.rmtree(project.raw("demo"))
    found = find_version(project, name, "demo")
    assert found.files and project.raw("demo").is_dir()
