"""What holds for all tests, and the one small trained model that many of them read."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.trained import Trained


def pytest_configure() -> None:
    """No deadline per example: a busy machine is no failure."""
    from hypothesis import settings

    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server that all runs may share: to start one takes 15 CPU seconds."""
    from tests.prefect_server import serving

    with serving(tmp_path_factory.mktemp("prefect")) as url:
        yield url


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> "Trained":
    """A tiny model, exported, evaluated and judged once. Not to be changed."""
    from tests.trained import make_judged

    return make_judged(tmp_path_factory.mktemp("judged"))


@pytest.fixture
def trained(judged: "Trained", tmp_path: Path) -> "Trained":
    """A copy of it, to change."""
    from tests.trained import Trained
    from tunegate.workspace import Workspace

    shutil.copytree(judged.workspace.root, tmp_path / "project")
    return Trained(Workspace(tmp_path / "project"))
