"""DVC's log lines while the process's streams come and go."""

import subprocess
import sys

# In a process of its own: DVC binds its handlers once, when it is first imported.
IMPORTED_WHILE_CAPTURED = """
import contextlib, io, logging, sys
from pathlib import Path
from tunegate.dvc.settings import open_repository
from tunegate.workspace import Workspace

captured = io.StringIO()
with contextlib.redirect_stderr(captured), contextlib.redirect_stdout(captured):
    open_repository(Workspace(Path(sys.argv[1]))).close()
captured.close()
logging.getLogger("dvc.output").warning("said later")
"""


def test_a_stream_that_was_closed_since_dvc_was_imported_stops_no_later_work(workspace) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_WHILE_CAPTURED, str(workspace.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "said later" in done.stderr
