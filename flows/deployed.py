"""The Prefect flow of a deployed run: one pipeline, at a revision, in a git worktree of its own.

Started by a schedule, from Prefect's page, by its API or once more after a crash. What it makes stays in the run's
record, in DVC's cache and in the registry; the person's tree, index and branch are never touched.
"""

from contextlib import chdir
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed
from pydantic import Field

from flows.asking import ask_a_person
from flows.cancel import heeding
from flows.late import collapsed
from flows.start import Order, opened
from flows.summary import summarise
from flows.told import Lines
from flows.trees import run_tree
from flows.walk import Walk, name_of_now
from tunegate.errors import TunegateError
from tunegate.versions.runs import snapshot
from tunegate.workspace import Workspace

MOST_ATTEMPTS = 2  # a run that crashed is started once more, and no more

Pipeline = Annotated[str, Field(description="A pipeline of params.yaml")]
Revision = Annotated[
    str, Field(description="The commit, tag or branch to run; HEAD is what the project has checked out and committed")
]
Force = Annotated[list[str], Field(description="Stages to run whatever changed")]
Attempt = Annotated[int, Field(ge=1, le=MOST_ATTEMPTS, description="Raised when a crashed run starts once more")]


def _name() -> str:
    from prefect.runtime import flow_run

    return name_of_now(str(flow_run.parameters["pipeline"]))


@flow(
    name="run",
    flow_run_name=_name,
    persist_result=False,
    description="One pipeline, from changed input to verdict: a task per stage; what has not changed is not redone.",
)
def run(pipeline: Pipeline, revision: Revision = "HEAD", force: Force = [], attempt: Attempt = 1) -> State[Any]:  # noqa: B006
    if (state := collapsed()) is not None:
        return state
    try:
        return _walk(pipeline, revision, frozenset(force))
    except TunegateError as error:  # before the first stage: a sentence, no traceback
        return Failed(message=f"{error.problem} {error.remedy}")


def _walk(pipeline: str, revision: str, force: frozenset[str]) -> State[Any]:
    from prefect.runtime import flow_run

    workspace, lines = Workspace.find(), Lines()
    with (
        heeding() as stopped,
        run_tree(workspace, pipeline, revision, lines.say) as tree,
        chdir(tree.root),
        opened(tree, Order((pipeline,), force), lines) as (job,),
    ):
        walk = Walk(job, snapshot(tree), str(flow_run.name))
        state = walk.steps(stopped)
        if asked := ask_a_person(workspace, summarise(tree, walk.result())):
            lines.say(f"a person is asked: {asked}")
        return state
