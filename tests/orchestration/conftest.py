"""One server with page, worker and two pipelines for all tests of a file: to start it takes 25 CPU seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestration.kept import Up, make_up
from tests.projects import git

TRAIN = """\
echo training; echo $$ >> {log}
while [ ! -f {go} ]; do sleep 0.2; done
cp $1 $2/model.txt
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    made = make_up(tmp_path_factory.mktemp("up") / "project", ("one", "two"))
    made.tunegate("up")
    yield made
    made.tunegate("down")
    made.nothing_lives()


@pytest.fixture
def held(up: Up, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Training waits for the first file, and writes down each of its starts in the second."""
    go, log = tmp_path / "go", tmp_path / "starts"
    (up.root / "train.sh").write_text(TRAIN.format(go=go, log=log))
    git(up.root, "commit", "-qam", "Train until told")
    yield go, log
    go.touch()
