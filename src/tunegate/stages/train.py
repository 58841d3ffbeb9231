"""train: the base model with the task's head, fine-tuned on the tokens, resumed where it was killed."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import tunegate.models
import tunegate.training
from tunegate.errors import UserError
from tunegate.models.folder import WEIGHTS
from tunegate.params import TrainSettings
from tunegate.records import read_table
from tunegate.stages import Context, Report
from tunegate.task import TextTokenizer
from tunegate.tasks import encoding_of
from tunegate.text.tokens import load_tokenizer
from tunegate.training.batches import Examples, TokenExamples, grouped
from tunegate.training.checkpoints import Checkpoint, Checkpoints, sha256
from tunegate.training.compute import Compute, choose_compute, repeatable
from tunegate.training.curves import curves
from tunegate.training.loop import Data, Learner, Training
from tunegate.training.state import EpochScore, Run
from tunegate.window_files import load_windows
from tunegate.workspace import write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunegate.models.loading import Loaded


class TrainReport(Report):
    """Losses are means per labelled position. Nothing here depends on where or how fast it was computed."""

    tune: str
    parameters: int
    trained_parameters: int
    new_weights: list[str]  # not in the base model: started random
    rows: int
    labels: int
    device: str
    precision: str
    threads: int
    steps: int
    epochs: list[EpochScore]
    best_epoch: int  # from 1
    stopped_early: bool
    weights_sha256: str

    def markdown(self) -> str:
        lines = [
            f"| {number} | {_cell(epoch.train_loss)} | {_cell(epoch.validation_loss)} "
            f"| {_cell(epoch.validation_accuracy)} |{' best' if number == self.best_epoch else ''}\n"
            for number, epoch in enumerate(self.epochs, start=1)
        ]
        return (
            f"{self.tune} tuning: {self.trained_parameters:,} of {self.parameters:,} parameters trained on "
            f"{self.rows:,} rows in {self.steps:,} steps ({self.device}, {self.precision}, {self.threads} threads)"
            f"{', stopped early' if self.stopped_early else ''}.\n\n"
            "| epoch | training loss | validation loss | validation accuracy |\n|---|---|---|---|\n" + "".join(lines)
        )


def run(context: Context) -> TrainReport:
    """Raises RefusedError when tokenize refused the data, UserError for settings that cannot work."""
    context.require_accepted("tokenize")
    settings = context.settings(TrainSettings)
    compute = choose_compute(settings)
    folder = context.workspace.state / "checkpoints" / context.pipeline / _key(context, compute)
    checkpoint = Checkpoints(folder, compute.threads).latest(context.progress.say)
    if checkpoint is not None and checkpoint.threads != compute.threads:
        context.progress.say(f"the run to be resumed had {checkpoint.threads} threads, so this one has them too")
        compute = replace(compute, threads=checkpoint.threads)
    with repeatable(compute, settings.seed):
        report = _Work(context, settings, compute, folder).train(checkpoint)
    shutil.rmtree(folder.parent, ignore_errors=True)  # also what earlier, abandoned inputs left
    return report


@dataclass(frozen=True)
class _Work:
    """The stage's work: from files to tensors, and from tensors to files."""

    context: Context
    settings: TrainSettings
    compute: Compute
    folder: Path  # of checkpoints and features

    def train(self, checkpoint: Checkpoint | None) -> TrainReport:
        from tunegate.models.freezing import freeze
        from tunegate.models.loading import save_model

        tokenizer = load_tokenizer(self.context.path("tokenize"))
        labels: list[str] = json.loads(self.context.path("validate", "labels.json").read_text(encoding="utf-8"))
        loaded = self._load(labels, tokenizer)
        freeze(loaded.model, self.settings.tune, self.settings.frozen_layers)
        data = self._data(loaded, labels, tokenizer)
        with self._learner(loaded, data) as (learner, seen):
            checkpoints = Checkpoints(self.folder, self.compute.threads)
            training = Training(learner, seen, self.settings, self.compute, checkpoints, self.context.progress)
            run = training.fit(checkpoint)
        save_model(loaded.model.cpu(), self.context.path("tokenize", "tokenizer.json"), self.context.out / "model")
        write_atomically(self.context.plot("curves"), curves(run, self.settings))
        return self._report(run, loaded, len(data.train.lengths), len(labels))

    def _load(self, labels: list[str], tokenizer: TextTokenizer) -> "Loaded":
        from tunegate.models.loading import Build, load_base

        encoding = encoding_of(self.context.task)
        settings = self.settings
        build = Build(
            encoding.head_options(labels, self.context.options), settings.model_changes, settings.dropout, settings.seed
        )
        folder = self.context.workspace.model(str(self.context.inputs.params["model"]))
        loaded = load_base(folder, encoding.HEAD, build, tokenizer.vocabulary_size)
        loaded.model.to(self.compute.torch_device)  # type: ignore[arg-type]
        return loaded

    def _data(self, loaded: "Loaded", labels: list[str], tokenizer: TextTokenizer) -> Data:
        import torch

        from tunegate.models.loading import input_names
        from tunegate.training.loss import balanced_weights

        names = input_names(loaded.model)
        train = self._examples("train", labels, tokenizer, names)
        validation = self._examples("validation", labels, tokenizer, names)
        weights = None
        if self.settings.class_weights == "balanced":
            classes, rows = self._classes(train)
            balanced = balanced_weights(classes, rows, len(labels))
            weights = torch.from_numpy(balanced).to(self.compute.torch_device)
        held_out = self._seen(validation, "validation") if len(validation.windows) else None
        return Data(self._seen(train, "train"), held_out, weights)

    def _classes(self, train: TokenExamples) -> tuple["NDArray[np.int64]", "NDArray[np.float64]"]:
        """Class numbers and how often each is drawn. Raises UserError for a task that does not choose among classes."""
        if encoding_of(self.context.task).HEAD.loss != "cross_entropy":
            raise UserError(
                f"train.class_weights: {self.context.task} does not choose one of some classes.",
                "Take train.class_weights out.",
            )
        if "labels" in train.said.tokens:
            flat = train.said.tokens["labels"].astype(np.int64)
            return flat, np.repeat(train.weights, train.windows.lengths).astype(np.float64)
        return train.said.rows["labels"].astype(np.int64), train.weights

    def _seen(self, examples: TokenExamples, split: str) -> Examples:
        """By records, where a record's windows are weighed against each other."""
        if encoding_of(self.context.task).HEAD.learns_from == "window":
            return examples
        return grouped(examples, len(read_table(self._rows(split), ["id"])))

    def _rows(self, split: str) -> Path:
        stage, table = ("augment", "train") if split == "train" else ("validate", split)
        return self.context.path(stage, f"{table}.parquet")

    def _examples(
        self, split: str, labels: list[str], tokenizer: TextTokenizer, names: tuple[str, ...]
    ) -> TokenExamples:
        records = read_table(self._rows(split))
        windows = load_windows(self.context.path("tokenize", split))
        targets = encoding_of(self.context.task).target(records, windows, labels, self.context.options)
        weights = records["weight"].to_numpy().astype(np.float64)[windows.record]
        return TokenExamples(windows, targets, weights, names, tokenizer.pad, self.compute.pad_multiple)

    @contextmanager
    def _learner(self, loaded: "Loaded", data: Data) -> Iterator[tuple[Learner, Data]]:
        from tunegate.models.loading import input_names
        from tunegate.training.learner import HeadAlone, tokens_in_use, whole_model

        head = encoding_of(self.context.task).HEAD
        if self.settings.tune == "full":
            with tokens_in_use(loaded.model, data) as renumbered:
                yield whole_model(loaded.model, loaded.new, head), renumbered
            return
        if self.settings.tune == "partial":
            yield whole_model(loaded.model, loaded.new, head), data
            return
        names = input_names(loaded.model)
        alone = HeadAlone(loaded.model, loaded.new, names, self.compute, self.folder, self.context.progress, head)
        with alone.learner(data) as (learner, features):
            yield learner, features

    def _report(self, run: Run, loaded: "Loaded", rows: int, labels: int) -> TrainReport:
        parameters = list(loaded.model.parameters())
        return TrainReport(
            tune=self.settings.tune,
            parameters=sum(parameter.numel() for parameter in parameters),
            trained_parameters=sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
            new_weights=list(loaded.new),
            rows=rows,
            labels=labels,
            device=self.compute.device,
            precision=self.compute.precision,
            threads=self.compute.threads,
            steps=run.step,
            epochs=run.scores,
            best_epoch=(len(run.scores) - 1 if run.best_epoch is None else run.best_epoch) + 1,
            stopped_early=len(run.scores) < self.settings.epochs,
            weights_sha256=sha256(self.context.out / "model" / WEIGHTS),
        )


def _key(context: Context, compute: Compute) -> str:
    """A hash of all that decides the weights, the code of the loop included; threads stand in the checkpoint."""
    model = context.workspace.model(str(context.inputs.params["model"]))
    files = [
        *sorted(context.path("tokenize").rglob("*")),
        context.path("augment", "train.parquet"),
        context.path("validate", "validation.parquet"),
        context.path("validate", "labels.json"),
        *(path for path in sorted(model.iterdir()) if path.suffix in (".json", ".safetensors")),
        *(path for package in (tunegate.models, tunegate.training) for path in _sources(package.__path__[0])),
    ]
    digest = hashlib.sha256()
    digest.update(context.inputs.model_dump_json().encode())
    digest.update(f"{compute.device} {compute.precision}".encode())
    for path in files:
        if path.is_file():
            digest.update(f"{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()[:32]


def _sources(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("*.py"))


def _cell(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}"
