"""The Prefect flow `approval`: it waits, for days if need be, until a person has decided about an undecided model.

It is a run of its own beside the one that made the model: that one's deployment lets a single run go on at a time, so
a run that waited within it would be cancelled beside the next one, or stop it. Whoever answers, wherever (Prefect's
page, the command line, the review page), `decide` writes it down, once.
"""

import time
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.states import Completed, Failed
from pydantic import Field

from flows.prefect_file import APPROVAL
from flows.told import Lines, markdown
from tunegate.errors import TunegateError
from tunegate.releases.deciding import approve, reject
from tunegate.releases.registering import version_of_verdict
from tunegate.versions.decisions import PAST, DecidedError, Decision, decision_about
from tunegate.versions.runs import Run, find_run
from tunegate.workspace import Workspace

DAYS = 14.0  # as long as a holiday
DAY_SECONDS = 86_400
MOST_ANSWERS = 20  # that could not be taken: after these the command line remains
MOST_ATTEMPTS = 3  # a packaging that died goes on in another run
FIRST_SECONDS = 5.0  # a run that is suspended earlier than this after its start may be taken for one that failed


class Answer(RunInput):
    """What a person says; Prefect's page makes a form of it."""

    decision: Literal["approve", "reject"] = Field(description="approve lets the model through, reject keeps it out")
    name: str = Field(min_length=1, description="Who decides. It stays on record")
    reason: str = Field(min_length=1, description="Why, for those who read it later")


Pipeline = Annotated[str, Field(description="A pipeline of params.yaml")]
RunName = Annotated[str, Field(description="The run whose model waits, as `tunegate runs` lists it")]
VerdictHash = Annotated[str, Field(description="The verdict that is decided about; no other is touched")]
Days = Annotated[float, Field(gt=0, description="How long it waits for an answer")]
Attempt = Annotated[int, Field(ge=1, le=MOST_ATTEMPTS, description="Raised when it starts once more after a crash")]


def _name() -> str:
    from prefect.runtime import flow_run

    return f"{flow_run.parameters['run']}-{APPROVAL}"


@flow(
    name=APPROVAL,
    flow_run_name=_name,
    persist_result=False,
    description="An undecided model waits for a person: approve or reject, with a name and a reason.",
)
def approval(pipeline: Pipeline, run: RunName, verdict_hash: VerdictHash, days: Days = DAYS, attempt: Attempt = 1) -> State[Any]:  # fmt: skip  # noqa: E501
    started = time.monotonic()
    workspace, lines = Workspace.find(), Lines()
    try:
        waiting = Waiting(workspace, find_run(workspace, run), verdict_hash, lines)
        return waiting.settled(lambda number, problem: _asked(number, problem, waiting, days, started))
    except TunegateError as error:
        return Failed(message=f"{error.problem} {error.remedy}")


class Waiting:
    """An undecided run, until its verdict is decided about. Prefect runs the flow from its beginning after each answer,
    so earlier answers come by once more, and what they led to is found on record."""

    def __init__(self, workspace: Workspace, run: Run, verdict_hash: str, lines: Lines) -> None:
        self.workspace = workspace
        self.run = run
        self.verdict_hash = verdict_hash
        self._lines = lines

    def settled(self, ask: Any) -> State[Any]:
        """The state to end with. `ask(number, problem)` gives an answer, or ends this process until there is one."""
        problem = ""
        for number in range(1, MOST_ANSWERS + 1):
            standing = decision_about(self.workspace, self.run.pipeline, self.verdict_hash)
            if standing is not None:
                return self._finished(standing)
            answer: Answer = ask(number, problem)
            try:
                return self._decided(answer)
            except DecidedError as error:
                return self._second(answer, error.decision)
            except TunegateError as error:
                problem = f"{error.problem} {error.remedy}"
                self._lines.say(f"the answer of {answer.name} could not be taken: {problem}")
        return Failed(message=f"No answer could be taken. The last one: {problem}")

    def _decided(self, answer: Answer) -> State[Any]:
        said = {"who": answer.name, "why": answer.reason, "verdict_hash": self.verdict_hash}
        if answer.decision == "reject":
            return _state(reject(self.workspace, self.run, **said))
        released = approve(self.workspace, self.run, say=self._lines.say, **said)
        return _state(released.decision, f" It is {released.registered.version.name}.")

    def _finished(self, decision: Decision) -> State[Any]:
        """What somebody else decided, or we before a crash: a packaging that was cut short goes on."""
        if decision.what == "approve" and version_of_verdict(self.workspace, self.run) is None:
            approve(
                self.workspace,
                self.run,
                who=decision.who,
                why=decision.why,
                verdict_hash=self.verdict_hash,
                say=self._lines.say,
            )
        return _state(decision)

    def _second(self, answer: Answer, standing: Decision) -> State[Any]:
        late = f" {answer.name} answered {answer.decision} after that: it changes nothing."
        self._lines.say(f"{_sentence(standing)}{late}")
        return _state(standing, late)


def _state(decision: Decision, more: str = "") -> State[Any]:
    return Completed(name=PAST[decision.what].capitalize(), message=f"{_sentence(decision)}{more}")


def _sentence(decision: Decision) -> str:
    return f"{decision.who} {PAST[decision.what]} {decision.run}: {decision.why}."


def _asked(number: int, problem: str, waiting: Waiting, days: float, started: float) -> Answer:
    """The answer to the question of this number; where there is none yet, Prefect ends this process here."""
    time.sleep(max(0.0, FIRST_SECONDS - (time.monotonic() - started)))
    text = _question(waiting, problem)
    markdown(f"{waiting.run.pipeline}-{APPROVAL}", text, "The question that a person answers")
    form = Answer.with_initial_data(description=text)
    return suspend_flow_run(wait_for_input=form, timeout=round(days * DAY_SECONDS), key=f"answer-{number}")


def _question(waiting: Waiting, problem: str) -> str:
    run = waiting.run
    lines = [f"**{run.name}** ended {run.ended.verdict}: a person decides whether its model goes out."]
    if problem:
        lines.append(f"The last answer could not be taken: {problem}")
    lines += [
        "The verdict, check by check: `tunegate review`, or "
        f"`git show {run.commit[:10]}:reports/{run.pipeline}/gate.md`.",
        f'Elsewhere: `tunegate versions approve {run.name} --why "..."`, or `reject`.',
    ]
    return "\n\n".join(lines)
