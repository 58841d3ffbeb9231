"""train: the base model with the task's head, fine-tuned on the tokens, resumed where it was killed."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import tunegate.models
import tunegate.training
from tunegate.inputs import read_inputs
from tunegate.models.effects import Effect, effects_table
from tunegate.models.folder import WEIGHTS
from tunegate.models.inputs_wanted import read_inputs_wanted
from tunegate.progress import Progress
from tunegate.stages import STAGES, Context, Report
from tunegate.task import TextTokenizer
from tunegate.tasks import encoding_of
from tunegate.text.tokens import load_tokenizer
from tunegate.train_settings import TrainSettings
from tunegate.training.checkpoints import Checkpoint, Checkpoints, sha256
from tunegate.training.compute import Compute, choose_compute, repeatable
from tunegate.training.curves import curves
from tunegate.training.diagnosis import Diagnosis, counts_of, diagnose, in_words
from tunegate.training.loop import Data, Learner, Training
from tunegate.training.rows import TaskRows
from tunegate.training.seeds import (
    AVERAGE,
    Finished,
    SeedScore,
    average_of,
    best_of,
    seed_folders,
    seed_scores,
    spread_table,
)
from tunegate.training.shaping import shaped_loss
from tunegate.training.state import EpochScore, Run
from tunegate.training.together import joined, together
from tunegate.training.validation import score
from tunegate.workspace import Workspace, write_atomically

if TYPE_CHECKING:
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
    reinitialised_weights: tuple[str, ...] = ()  # in the base model, and started random all the same
    unused_weights: tuple[str, ...] = ()  # in the base model, and without a place in this one
    effects: tuple[Effect, ...] = ()  # of changes of the architecture
    seeds: tuple[SeedScore, ...] = ()  # where there are several; epochs are those of the first that is in `exported`
    exported: str = ""  # of several seeds
    diagnoses: tuple[Diagnosis, ...] = ()
    micro_batch: int | None = None  # rows that passed at once in the end; null: whole batches
    halvings: tuple[tuple[int, int], ...] = ()  # memory ran out: at which step, to how many rows
    processes: int = 1  # that trained together

    def markdown(self) -> str:
        lines = [
            f"| {number} | {_cell(epoch.train_loss)} | {_cell(epoch.validation_loss)} "
            f"| {_cell(epoch.validation_accuracy)} |{' best' if number == self.best_epoch else ''}\n"
            for number, epoch in enumerate(self.epochs, start=1)
        ]
        return (
            f"{self.tune} tuning: {self.trained_parameters:,} of {self.parameters:,} parameters trained on "
            f"{self.rows:,} rows in {self.steps:,} steps ({self.device}, {self.precision}, {self.threads} threads"
            f"{f', {self.processes} processes' if self.processes > 1 else ''})"
            f"{', stopped early' if self.stopped_early else ''}.\n\n"
            "| epoch | training loss | validation loss | validation accuracy |\n|---|---|---|---|\n"
            + "".join(lines)
            + in_words(self.diagnoses)
            + effects_table(self.effects)
            + spread_table(self.seeds, self.exported)
            + "".join(
                f"\nMemory ran out at step {step:,}: {rows} rows at once from there on.\n"
                for step, rows in self.halvings
            )
        )


def run(context: Context) -> TrainReport:
    """Raises RefusedError when tokenize refused the data, UserError for settings that cannot work."""
    context.require_accepted("tokenize")
    settings = context.settings(TrainSettings)
    compute = choose_compute(settings)
    helper = [sys.executable, "-m", "tunegate.cli", "stage", context.progress.stage, context.pipeline]
    with together(helper, settings.processes, compute.device, context.workspace.root) as team:
        report = _train(context, settings, replace(compute, team=team))
    assert report is not None  # it leads
    return report


def help_to_train(pipeline: str, workspace: Workspace) -> None:
    """As one of several processes that train together: the same work, without a file or a report."""
    inputs = read_inputs(workspace.inputs(pipeline)).only(STAGES["train"].reads)
    with Path(os.devnull).open("w") as silence, joined() as team:
        context = Context(workspace, pipeline, inputs, Path(os.devnull), Progress("train", silence))
        settings = context.settings(TrainSettings)
        _train(context, settings, replace(choose_compute(settings), team=team))


def _train(context: Context, settings: TrainSettings, compute: Compute) -> TrainReport | None:
    folder = context.workspace.state / "checkpoints" / context.pipeline / _key(context, compute)
    folders = seed_folders(folder, settings.seed, settings.seeds)
    checkpoints = {
        seed: Checkpoints(path, compute.threads).latest(context.progress.say) for seed, path in folders.items()
    }
    checkpoint = next((found for found in checkpoints.values() if found is not None), None)
    if checkpoint is not None and checkpoint.threads != compute.threads:
        context.progress.say(f"the run to be resumed had {checkpoint.threads} threads, so this one has them too")
        compute = replace(compute, threads=checkpoint.threads)
    with repeatable(compute, settings.seed):
        report = _Work(context, settings, compute, folder).train(checkpoints)
    if compute.team.leads:
        shutil.rmtree(folder.parent, ignore_errors=True)  # also what earlier, abandoned inputs left
    return report


@dataclass(frozen=True)
class _Work:
    """The stage's work: from files to tensors, and from tensors to files."""

    context: Context
    settings: TrainSettings
    compute: Compute
    folder: Path  # of checkpoints and features

    def train(self, checkpoints: Mapping[int, Checkpoint | None]) -> TrainReport | None:
        """`checkpoints`: by seed, where it is to be taken up. None in a process that does not lead."""
        from tunegate.models.loading import save_model
        from tunegate.models.lora import merge

        tokenizer = load_tokenizer(self.context.path("tokenize"))
        labels: list[str] = json.loads(self.context.path("validate", "labels.json").read_text(encoding="utf-8"))
        finished: list[Finished] = []
        for seed, checkpoint in checkpoints.items():
            if len(checkpoints) > 1:
                self.context.progress.say(f"seed {seed}, {len(finished) + 1} of {len(checkpoints)}")
            loaded, data = self._prepared(seed, labels, tokenizer)
            finished.append(self._fit(seed, loaded, data, checkpoint))
        chosen = best_of(finished)
        exported = f"seed {chosen.seed}" if len(finished) > 1 else ""
        averaged = None
        if len(finished) > 1:
            loaded.put(chosen.weights)
        if len(finished) > 1 and self.settings.seeds_export == "average":
            loaded.put(average_of(finished))
            averaged = self._score(loaded, data)
            exported = AVERAGE
        if not self.compute.team.leads:
            return None
        parameters = list(loaded.model.parameters())
        trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
        merge(loaded.model)
        save_model(loaded.model.cpu(), self.context.path("tokenize", "tokenizer.json"), self.context.out / "model")
        write_atomically(self.context.plot("curves"), curves(chosen.run, self.settings))
        report = self._report(chosen.run, loaded, len(data.train.lengths), len(labels))
        loss = encoding_of(self.context.task).head(self.context.options).loss
        more = {
            "trained_parameters": trained,
            "seeds": tuple(seed_scores(finished, averaged)),
            "exported": exported,
            "diagnoses": diagnose(chosen.run.scores, counts_of(data.train, data.validation, labels, loss)),
        }
        return report.model_copy(update=more)

    def _prepared(self, seed: int, labels: list[str], tokenizer: TextTokenizer) -> tuple["Loaded", Data]:
        """The model before its training, the generators seeded for it."""
        import torch

        from tunegate.models.freezing import freeze

        is_averaged = self.settings.seeds > 1 and self.settings.seeds_export == "average"
        loaded = self._load(labels, tokenizer, self.settings.seed if is_averaged else seed)
        if is_averaged and seed != self.settings.seed:
            torch.manual_seed(seed)  # the same start, another order and other dropout
        freeze(loaded.model, self.settings.tune, self.settings.frozen_layers)
        return loaded, self._data(loaded, labels, tokenizer)

    def _fit(self, seed: int, loaded: "Loaded", data: Data, checkpoint: Checkpoint | None) -> Finished:
        settings = self.settings.model_copy(update={"seed": seed})
        checkpoints = Checkpoints(
            seed_folders(self.folder, self.settings.seed, self.settings.seeds)[seed], self.compute.threads
        )
        with self._learner(loaded, data) as (plain, seen):
            head = encoding_of(self.context.task).head(self.context.options)
            learner = replace(plain, minimised=shaped_loss(plain.loss, head.loss, settings))
            run = Training(learner, seen, settings, self.compute, checkpoints, self.context.progress).fit(checkpoint)
            if self.settings.seeds > 1 and self.compute.team.leads:
                checkpoints.save(run)  # so that a killed run of several seeds need not train this one again
        return Finished(seed, run, loaded.trained() if self.settings.seeds > 1 else {})

    def _score(self, loaded: "Loaded", data: Data) -> tuple[float, float] | None:
        """Validation loss and accuracy of the model as it stands."""
        if data.validation is None:
            return None
        with self._learner(loaded, data) as (learner, seen):
            assert seen.validation is not None
            learner.model.eval()
            return score(learner.answer, learner.loss, seen.validation, seen.class_weights, self.compute)

    def _load(self, labels: list[str], tokenizer: TextTokenizer, seed: int) -> "Loaded":
        from tunegate.models.loading import Build, load_base
        from tunegate.models.lora import Lora
        from tunegate.models.pooling import Pooling

        encoding = encoding_of(self.context.task)
        settings = self.settings
        build = Build(
            encoding.head_options(labels, self.context.options),
            settings.model_changes,
            settings.dropout,
            seed,
            settings.reinitialised_layers,
            read_inputs_wanted(self.context.path("tokenize")),
            settings.kept_layers,
            None if settings.pooling == "auto" else Pooling(settings.pooling, settings.head_layers),
            Lora(settings.lora_rank, settings.lora_alpha, settings.lora_dropout, settings.lora_targets)
            if settings.tune == "lora"
            else None,
            settings.from_scratch,
            settings.base_head,
        )
        folder = self.context.workspace.model(str(self.context.inputs.params["model"]))
        loaded = load_base(folder, encoding.head(self.context.options), build, tokenizer.vocabulary_size)
        loaded.model.to(self.compute.torch_device)  # type: ignore[arg-type]
        return loaded

    def _data(self, loaded: "Loaded", labels: list[str], tokenizer: TextTokenizer) -> Data:
        import torch

        from tunegate.models.loading import input_names

        rows = TaskRows(
            self.context.task,
            self.context.options,
            labels,
            tokenizer,
            input_names(loaded.model),
            self.compute.pad_multiple,
        )
        tables = {
            "train": self.context.path("augment", "train.parquet"),
            "validation": self.context.path("validate", "validation.parquet"),
        }
        seen = {split: rows.examples(table, self.context.path("tokenize", split)) for split, table in tables.items()}
        weights = rows.class_weights(seen["train"], self.settings)
        on_device = None if weights is None else torch.from_numpy(weights).to(self.compute.torch_device)
        return Data(seen["train"], seen["validation"] if len(seen["validation"].lengths) else None, on_device)

    @contextmanager
    def _learner(self, loaded: "Loaded", data: Data) -> Iterator[tuple[Learner, Data]]:
        from tunegate.models.loading import input_names
        from tunegate.training.learner import HeadAlone, tokens_in_use, whole_model
        from tunegate.training.states import KeptStates

        head = encoding_of(self.context.task).head(self.context.options)
        if self.settings.tune == "full":
            with tokens_in_use(loaded.model, data) as renumbered:
                yield whole_model(loaded.model, loaded.new, head), renumbered
            return
        if self.settings.tune == "partial" and self._sees_frozen_layers_again():
            whole, outputs = whole_model(loaded.model, loaded.new, head), head.learnt or head.outputs
            frozen, say = self.settings.frozen_layers, self.context.progress
            with KeptStates(whole, outputs, frozen, self.compute, self.folder, say).learner(data) as (learner, states):
                yield learner, states
            return
        if self.settings.tune in ("partial", "lora"):
            yield whole_model(loaded.model, loaded.new, head), data
            return
        names = input_names(loaded.model)
        alone = HeadAlone(loaded.model, loaded.new, names, self.compute, self.folder, self.context.progress, head)
        with alone.learner(data) as (learner, features):
            yield learner, features

    def _sees_frozen_layers_again(self) -> bool:
        """Adversarial training moves what the frozen layers read, so that nothing can be kept of them."""
        settings = self.settings
        return bool(settings.frozen_layers) and settings.epochs > 1 and settings.adversarial == "none"

    def _report(self, run: Run, loaded: "Loaded", rows: int, labels: int) -> TrainReport:
        parameters = list(loaded.model.parameters())
        return TrainReport(
            tune=self.settings.tune,
            parameters=sum(parameter.numel() for parameter in parameters),
            trained_parameters=0,
            new_weights=list(loaded.new),
            rows=rows,
            labels=labels,
            device=self.compute.device,
            precision=self.compute.precision,
            threads=self.compute.threads,
            processes=self.compute.team.size,
            steps=run.step,
            epochs=run.scores,
            best_epoch=(len(run.scores) - 1 if run.best_epoch is None else run.best_epoch) + 1,
            stopped_early=len(run.scores) < self.settings.epochs,
            weights_sha256=sha256(self.context.out / "model" / WEIGHTS),
            reinitialised_weights=loaded.reinitialised,
            unused_weights=loaded.unused,
            effects=loaded.effects,
            micro_batch=run.micro_batch,
            halvings=tuple(run.halvings),
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
