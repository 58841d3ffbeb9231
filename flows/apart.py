"""The process of one run apart from the working tree: `python -m flows.apart PIPELINE ANSWER`, in its worktree.

It registers no version, and ends with whoever started it: its standard input is a pipe that the starter holds open.
"""

import json
import sys
from pathlib import Path

from flows.start import Order, start
from flows.summary import summarise
from tunegate.dvc.child import end_with_driver
from tunegate.errors import ExitStatus, TunegateError
from tunegate.workspace import Workspace, write_atomically


def main(pipeline: str, answer: Path) -> int:
    """Write the run's summary, or the mistake that kept it from starting, to the file `answer`."""
    end_with_driver()
    workspace = Workspace.find()
    try:
        (result,) = start(workspace, Order((pipeline,), registers=False), sys.stdout)
    except TunegateError as error:
        failure = {"failure": {"problem": error.problem, "remedy": error.remedy}, "status": int(error.status)}
        write_atomically(answer, json.dumps(failure))
        return int(error.status)
    except KeyboardInterrupt:
        return int(ExitStatus.INTERRUPTED)
    summary = summarise(workspace, result)
    write_atomically(answer, json.dumps(summary.as_object(), ensure_ascii=False))
    return int(summary.status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
