import pytest

from tests.projects import make_project
from tunegate.workspace import Workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / ".tunegate" / "dvc"))
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path)
