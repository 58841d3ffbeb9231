"""How a stage on a worker ends, as a state in Prefect: its kind is the state's name, its two sentences the message."""

from typing import TYPE_CHECKING, Any

from flows.result import Failure
from tunegate.dvc.running import CrashedError
from tunegate.errors import ExitStatus, OutsideError, RefusedError, TunegateError, UserError, WaitingError

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

NAMES = {
    ExitStatus.MISTAKE: "Mistake",
    ExitStatus.REFUSED: "Refused",
    ExitStatus.UNDECIDED: "Waiting",
    ExitStatus.OUTSIDE: "Outside",
    ExitStatus.BUG: "Failed",
}
KINDS: dict[str, type[TunegateError]] = {
    "Mistake": UserError,
    "Refused": RefusedError,
    "Waiting": WaitingError,
    "Outside": OutsideError,
}
LINES = "prefect.flow_runs.stage"  # the logger of the stage's own lines; the driver shows them and no others
BETWEEN = "\n\n"  # problem and remedy; a remedy has no empty line


def failed(error: Exception) -> "State[Any]":
    """The final state of a stage that did not succeed."""
    from prefect.states import Failed

    failure = Failure.of(error)
    remedy = failure.remedy.strip().replace(BETWEEN, "\n")
    return Failed(name=NAMES[failure.status], message=f"{failure.problem.strip()}{BETWEEN}{remedy}")


def error_of(name: str, message: str) -> Exception:
    """What the stage raised on its worker, from its final state."""
    problem, _, remedy = message.rpartition(BETWEEN)
    if name in KINDS:
        return KINDS[name](problem, remedy)
    return CrashedError(problem or message, remedy)
