"""One server with page, worker and two pipelines for all tests of a file: to start it takes 25 CPU seconds."""

from collections.abc import Iterator

import pytest

from tests.orchestration.kept import Up, make_up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    made = make_up(tmp_path_factory.mktemp("up") / "project", ("one", "two"))
    made.tunegate("up")
    yield made
    made.tunegate("down")
    made.nothing_lives()
