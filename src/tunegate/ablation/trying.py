"""One arm with one seed: the real stages from augment to export, then answers to the rows, counted.

Answers are those of torch in fp32, the reference that exports are held equal to, so that nothing is converted.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tunegate
from tunegate.ablation.place import ROWS, Place
from tunegate.errors import UserError
from tunegate.exported import read_manifest
from tunegate.inputs import Inputs, read_inputs
from tunegate.params import PipelineSettings
from tunegate.predictor import Predictor
from tunegate.progress import Progress
from tunegate.records import read_table
from tunegate.stages import STAGES, run_stage
from tunegate.task import Counts
from tunegate.tasks import answering_of
from tunegate.versions.inputs import current_inputs
from tunegate.workspace import Workspace

TRIED = ("augment", "tokenize", "train", "export")
DECIDING_ROWS = ("task", "options", "data", "ingest", "split", "validate")  # settings behind the rows
CODE = ("engines", "models", "stages", "tasks", "text", "training", "predictor.py")
KEPT = "counts.npz"


@dataclass(frozen=True)
class Trial:
    """`key`: the hash of all that decides its answers."""

    arm: str
    seed: int
    inputs: Inputs
    key: str


@dataclass(frozen=True)
class Ground:
    """A pipeline's rows as its last run left them; `split` are those that judge."""

    place: Place
    split: str

    @property
    def rows(self) -> Path:
        return self.folder / f"{self.split}.parquet"

    @property
    def folder(self) -> Path:
        return self.place.workspace.stage(self.place.pipeline, ROWS)

    def check(self, settings: PipelineSettings) -> None:
        """Raises UserError where there are no rows, or others than the settings now ask for."""
        workspace, pipeline = self.place.workspace, self.place.pipeline
        run_first = f"Run it first: tunegate run {pipeline}."
        if not self.rows.is_file() or not workspace.inputs(pipeline).is_file():
            raise UserError(f"{pipeline} has no checked rows yet.", run_first)
        then, now = read_inputs(workspace.inputs(pipeline)).params, settings.model_dump(mode="json", by_alias=True)
        if changed := [name for name in DECIDING_ROWS if then.get(name) != now[name]]:
            raise UserError(f"{', '.join(changed)} of {pipeline} changed since its rows were checked.", run_first)
        if len(read_table(self.rows, ["id"])) == 0:
            raise UserError(f"{pipeline} has no {self.split} rows.", "Raise their share (split) and run it again.")

    def trial(self, arm: str, settings: PipelineSettings, seed: int) -> Trial:
        """Its seed is that of training and of augmentation."""
        now = current_inputs(self.place.workspace, self.place.pipeline, settings)
        inputs = now.model_copy(update={"params": _params(settings, seed)})
        reads = tuple(dict.fromkeys(key for stage in TRIED for key in STAGES[stage].reads))
        digest = hashlib.sha256(inputs.only(reads).model_dump_json().encode())
        for path in (*sorted(self.folder.glob("*.parquet")), self.folder / "labels.json"):
            digest.update(f"{path.name} {_hash(path)}\n".encode())
        digest.update(f"{self.split} {_model(self.place.workspace, settings.model)} {_code()}".encode())
        return Trial(arm, seed, inputs, digest.hexdigest()[:32])


def _params(settings: PipelineSettings, seed: int) -> dict[str, Any]:
    params = settings.model_dump(mode="json", by_alias=True)
    params["augment"]["seed"] += seed - params["train"]["seed"]
    params["train"] |= {"seed": seed, "seeds": 1}
    params["export"] |= {"engine": "torch", "precisions": ["fp32"], "sure_precision": None}
    return params


def _hash(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _model(workspace: Workspace, name: str) -> str:
    folder = workspace.model(name)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return " ".join(f"{path.relative_to(folder)} {_hash(path)}" for path in files)


def _code() -> str:
    room = Path(tunegate.__file__).parent
    files = [path for name in CODE for path in sorted((room / name).rglob("*.py")) or [room / name]]
    return hashlib.sha256("".join(_hash(path) for path in files).encode()).hexdigest()


def counts_of(ground: Ground, trial: Trial, progress: Progress) -> Counts:
    """What its answers count, kept from before or tried now; a training that was killed is taken up where it was."""
    kept = ground.place.of(trial.key) / KEPT
    if not kept.is_file():
        counts = _tried(ground, trial, progress)
        _write(counts, kept)
        shutil.rmtree(ground.place.apart(trial.key).own, ignore_errors=True)
    return _read(kept)


def is_kept(ground: Ground, trial: Trial) -> bool:
    return (ground.place.of(trial.key) / KEPT).is_file()


def _tried(ground: Ground, trial: Trial, progress: Progress) -> Counts:
    pipeline, apart = ground.place.pipeline, ground.place.apart(trial.key)
    trial.inputs.write(apart.inputs(pipeline))
    with redirect_stdout(sys.stderr):  # what stages say of themselves is no result of this command
        for stage in TRIED:
            run_stage(stage, pipeline, apart)
    export = apart.stage(pipeline, "export")
    predictor = Predictor.open(export, "fp32", threads=os.cpu_count() or 1)
    rows, what = read_table(ground.rows), f"{ground.split} rows"
    answers = predictor.answers(rows, lambda done, total: progress.advance(what, done, total))
    manifest = read_manifest(export)
    return answering_of(manifest.task).counts(answers, rows, manifest.labels)


def _write(counts: Counts, path: Path) -> None:
    """Whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    head = json.dumps({"records": counts.records, "keys": counts.keys})
    with unfinished.open("wb") as file:
        np.savez_compressed(file, head=np.array(head), record=counts.record, key=counts.key, number=counts.number)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _read(path: Path) -> Counts:
    with np.load(path, allow_pickle=False) as kept:
        head: Mapping[str, Any] = json.loads(str(kept["head"]))
        return Counts(head["records"], tuple(head["keys"]), kept["record"], kept["key"], kept["number"])
