"""The stages: the table in the data's order, and the one function through which each of them runs.

A stage's name is its module here, its command, its entry in `dvc.yaml`, its Prefect task and its folder.
"""

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from pydantic import BaseModel

from tunegate.errors import RefusedError, UserError, WaitingError, did_you_mean
from tunegate.inputs import Inputs, read_inputs
from tunegate.params import PipelineSettings, Settings
from tunegate.progress import Progress
from tunegate.task import TaskOptions
from tunegate.tasks import options_of
from tunegate.workspace import Workspace, check_pipeline_name, folder_hash, fresh_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Stage:
    """`reads` are the keys of `inputs.json` that the stage may see: the same as in `dvc.yaml`."""

    title: str  # for people
    reads: tuple[str, ...]


STAGES = {
    "ingest": Stage("read the raw files", ("params.task", "params.data", "params.ingest", "params.split")),
    "validate": Stage(
        "check every row", ("params.task", "params.options", "params.validate", "labels", "previous", "files")
    ),
    "augment": Stage("make more training rows", ("params.task", "params.augment", "data_review", "files")),
    "tokenize": Stage(
        "turn texts into tokens",
        ("params.task", "params.options", "params.model", "params.tokenize", "environment.tokenizers"),
    ),
    "train": Stage(
        "fine-tune",
        (
            "params.task",
            "params.options",
            "params.model",
            "params.train",
            "environment.torch",
            "environment.transformers",
        ),
    ),
    "export": Stage(
        "make the serving files",
        (
            "params.task",
            "params.options",
            "params.tokenize",
            "params.export",
            "environment.openvino",
            "environment.torch",
            "base_model",
        ),
    ),
    "evaluate": Stage(
        "score on held-out rows",
        ("params.task", "params.evaluate", "environment.openvino", "champion", "best", "behaviour"),
    ),
    "gate": Stage("decide", ("params.task", "params.gate", "champion", "best")),
    "package": Stage(
        "build the service", ("params.task", "params.description", "params.package", "params.service", "approval")
    ),
}


class Report(BaseModel):
    """What a stage says of its work: small, typed, without times or paths outside the project."""

    def markdown(self) -> str:
        """For people; the default shows every field."""
        return "".join(f"- **{name}**: {value}\n" for name, value in self.model_dump(mode="json").items())


@dataclass(frozen=True)
class Context:
    """What a stage is given. `out` is its own, empty folder; earlier stages' files are found by `path`."""

    workspace: Workspace
    pipeline: str
    inputs: Inputs
    out: Path
    progress: Progress

    @property
    def task(self) -> str:
        return str(self.inputs.params["task"])

    def settings(self, kind: type[S]) -> S:
        """The settings of that type; the section must be among the keys that the stage reads."""
        section = next(
            field.alias or name for name, field in PipelineSettings.model_fields.items() if field.annotation is kind
        )
        return kind.model_validate(self.inputs.params[section])

    @property
    def options(self) -> TaskOptions:
        """The task's own settings; `params.options` must be among the keys that the stage reads."""
        own = options_of(self.task).model_validate(self.inputs.params["options"])
        return own.model_dump(mode="json")

    def path(self, stage: str, name: str = "") -> Path:
        """A file of an earlier stage."""
        return self.workspace.stage(self.pipeline, stage) / name

    def require_accepted(self, stage: str) -> None:
        """Raises RefusedError with the reasons when the verdict of an earlier stage is not `accepted`."""
        verdict = json.loads(self.path(stage, "verdict.json").read_text(encoding="utf-8"))
        if not verdict["accepted"]:
            raise RefusedError(
                f"{stage} refused the data of {self.pipeline}:\n  " + "\n  ".join(verdict["reasons"]),
                f"\nCorrect the rows named there (see reports/{self.pipeline}/{stage}.md), or raise the limit in "
                f"params.yaml, and run the pipeline again.",
            )

    def require_reviewed(self, stage: str) -> None:
        """Raises WaitingError until a person has accepted the stage's folder, RefusedError when one refused it."""
        review = self.inputs.data_review
        if review is None:
            return
        validated = folder_hash(self.path(stage))
        if validated in review.refused:
            raise RefusedError(
                f"The data of {self.pipeline} was refused by {review.refused[validated]}.",
                f"Make a better version with `tunegate data add {self.pipeline} FILE`, and run the pipeline again.",
            )
        if validated not in review.accepted:
            raise WaitingError(
                f"The data of {self.pipeline} waits for a person (review: required).",
                f"Look at reports/{self.pipeline}/{stage}.md and `tunegate data quarantine {self.pipeline}`, then: "
                f"tunegate data accept {self.pipeline} --why ... (or refuse), and run the pipeline again.",
            )

    def plot(self, name: str) -> Path:
        """Where the data of a plot goes that dvc.yaml names among the stage's `plots`."""
        return self.workspace.plot(self.pipeline, name)

    def reference(self, reference: str) -> Path:
        """The folder with the files of `inputs.<reference>`, fetched before the run."""
        return self.fetched(str(getattr(self.inputs, reference).hash))

    def fetched(self, hash_: str) -> Path:
        """The folder with the files of that hash, fetched before the run."""
        return self.workspace.state / "references" / hash_


class StageModule(Protocol):
    """`stages/<name>.py`."""

    run: "Callable[[Context], Report]"


def check_stage(name: str) -> str:
    """The name itself. Raises UserError for a stage that is not in the table."""
    if name not in STAGES:
        raise UserError(
            f'There is no stage "{name}".{did_you_mean(name, STAGES)}', f"Choose one of: {', '.join(STAGES)}."
        )
    return name


def run_stage(name: str, pipeline: str, workspace: Workspace) -> Report:
    """Empty the stage's folder, do its work, write its report last."""
    stage = STAGES[check_stage(name)]
    inputs = read_inputs(workspace.inputs(check_pipeline_name(pipeline))).only(stage.reads)
    for suffix in (".json", ".md"):
        workspace.report(pipeline, name, suffix).unlink(missing_ok=True)
    module = cast("StageModule", import_module(f"tunegate.stages.{name}"))
    with fresh_folder(workspace.stage(pipeline, name)) as out:
        report = module.run(Context(workspace, pipeline, inputs, out, Progress(name)))
    write_atomically(workspace.report(pipeline, name, ".md"), report.markdown())
    write_atomically(workspace.report(pipeline, name), _json(report.model_dump(mode="json")))
    return report


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
