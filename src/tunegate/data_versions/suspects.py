"""Likely label errors, by confident learning (Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating
Uncertainty in Dataset Labels, JAIR 70), and what to label next.

Probabilities are out of fold: of a cheap learner that was trained on the other folds; for test rows the trained model's
own where it has answered them, which has not seen them either.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.data_versions.naming import settings_of
from tunegate.data_versions.out_of_fold import probabilities as out_of_fold
from tunegate.data_versions.tables import write_rows
from tunegate.errors import UserError
from tunegate.evaluation.answers import labels_of
from tunegate.records import SPLITS, Payload, label_column, read_table, texts_of
from tunegate.tasks import record_of
from tunegate.text.normalise import near_keys
from tunegate.workspace import Workspace

FOLDS = 5
LEAST_SURE = 20
Floats = NDArray[np.float64]


class Suspect(BaseModel):
    """A row whose label may be wrong. `margin`: by how much the suggested label is more probable."""

    model_config = ConfigDict(frozen=True)

    id: str
    split: str
    source: str
    source_line: int
    text: str
    label: str
    suggested: str
    probability: float  # of the label that it has
    suggested_probability: float
    margin: float
    by: str  # cross-validation, or model


class LeastSure(BaseModel):
    """A row about which the learner can hardly decide: more rows like it would teach it most."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    source_line: int
    text: str
    label: str
    between: tuple[str, str]
    probabilities: tuple[float, float]


class Wanted(BaseModel):
    """What the gate could not decide for want of rows."""

    model_config = ConfigDict(frozen=True)

    name: str
    reason: str
    more_rows: int | None


class Suspects(BaseModel):
    """`suspects` the surest first; `wanted` and `least_sure` say what to label next."""

    model_config = ConfigDict(frozen=True)

    pipeline: str
    rows: int
    suspects: list[Suspect]
    wanted: list[Wanted]
    least_sure: list[LeastSure]


def find_suspects(workspace: Workspace, pipeline: str, seed: int = 0) -> Suspects:
    """Of the rows that validation kept. Raises UserError before the first run, and for a task without one label."""
    part = record_of(settings_of(workspace, pipeline).task)
    label = label_column(part.PAYLOAD)
    folder = workspace.stage(pipeline, "validate")
    if label is None:
        raise UserError(
            f"The task of {pipeline} has no single label per row.", "Suspects are found for one label only."
        )
    if not (folder / "labels.json").is_file():
        raise UserError(f"{pipeline} has no validated data yet.", f"Run it first: `tunegate run {pipeline}`.")
    rows = pa.concat_tables([read_table(folder / f"{split}.parquet") for split in SPLITS]).combine_chunks()
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    given = np.asarray(pc.index_in(rows[label], value_set=pa.array(labels)).combine_chunks(), dtype=np.int64)
    probabilities, by = _probabilities(workspace, pipeline, rows, labels, (given, seed))
    suggested = suggestions(probabilities, given)
    margin = _at(probabilities, suggested) - _at(probabilities, given)
    found = np.flatnonzero((suggested != given) & (margin > 0))
    order = found[np.argsort(-margin[found], kind="stable")]
    texts = _texts(rows, part.PAYLOAD)
    return Suspects(
        pipeline=pipeline,
        rows=len(rows),
        suspects=[
            Suspect(
                **_place(rows, row),
                split=rows["split"][row].as_py(),
                text=texts[row],
                label=labels[given[row]],
                suggested=labels[suggested[row]],
                probability=float(probabilities[row, given[row]]),
                suggested_probability=float(probabilities[row, suggested[row]]),
                margin=float(margin[row]),
                by=by[row],
            )
            for row in order.tolist()
        ],
        wanted=_wanted(workspace.report(pipeline, "gate")),
        least_sure=_least_sure(rows, texts, labels, given, probabilities),
    )


def suggestions(probabilities: Floats, given: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the label that it confidently belongs to, its own where there is none other, int64 [n].

    A label is confident for a row when its probability reaches the mean that rows of that label have for it.
    """
    size = probabilities.shape[1]
    counts = np.bincount(given, minlength=size)
    sums = np.bincount(given, weights=_at(probabilities, given), minlength=size)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    best = confident.argmax(axis=1)
    return np.where(confident.max(axis=1) >= 0, best, given)


def export(found: Suspects, path: Path) -> int:
    """Write them as CSV or JSON lines, fit for `tunegate data readmit` once `label` is corrected."""
    columns = ["source", "source_line", "id", "split", "text", "label", "suggested", "probability"]
    return write_rows(path, [*columns, "suggested_probability", "by"], (one.model_dump() for one in found.suspects))


def _probabilities(
    workspace: Workspace, pipeline: str, rows: pa.Table, labels: list[str], learner: tuple[NDArray[np.int64], int]
) -> tuple[Floats, list[str]]:
    """`learner`: the labels that the rows have, and the seed."""
    given, seed = learner
    payload = record_of(settings_of(workspace, pipeline).task).PAYLOAD
    probabilities = out_of_fold(_texts(rows, payload), given, len(labels), _folds(rows, payload, seed), seed)
    by = ["cross-validation"] * len(rows)
    for row, scores in _of_model(workspace, pipeline, rows, labels):
        probabilities[row], by[row] = scores, "model"
    return probabilities, by


def _folds(rows: pa.Table, payload: tuple[Payload, ...], seed: int) -> NDArray[np.int64]:
    """Rows of one text stand in one fold: a twin with the same wrong label must not vouch for it."""
    _, groups = np.unique(near_keys(texts_of(rows, payload)), return_inverse=True)
    numbers = np.random.default_rng(seed).permutation(int(groups.max()) + 1) % FOLDS if len(groups) else groups
    return np.asarray(numbers[groups], dtype=np.int64)


def _of_model(workspace: Workspace, pipeline: str, rows: pa.Table, labels: list[str]) -> list[tuple[int, Floats]]:
    """The trained model's scores of test rows, label by label, where evaluate has them for the labels of now."""
    path = workspace.stage(pipeline, "evaluate") / "answers.parquet"
    if not path.is_file():
        return []
    table = read_table(path)
    name = next((one for one in ("fp32.scores", "bf16.scores") if one in table.column_names), None)
    scored = labels_of(table, name.removesuffix(".scores")) if name else []
    if name is None or set(scored) != set(labels):
        return []
    place = [scored.index(label) for label in labels]
    places = {one: row for row, one in enumerate(rows["id"].to_pylist()) if rows["split"][row].as_py() == "test"}
    return [
        (places[one], np.array(scores)[place])
        for one, scores in zip(table["id"].to_pylist(), table[name].to_pylist(), strict=True)
        if one in places
    ]


def _wanted(gate: Path) -> list[Wanted]:
    if not gate.is_file():
        return []
    report: dict[str, Any] = json.loads(gate.read_text(encoding="utf-8"))
    checks = [one for one in report.get("checks", []) if one["verdict"] == "UNDECIDED"]
    slices = [
        {**one, "reason": f"{one.get('n')} rows are too few to decide"}
        for one in report.get("slices", [])
        if one.get("state") == "too_small"
    ]
    return [
        Wanted(name=str(one["name"]), reason=str(one.get("reason", "")), more_rows=one.get("more_rows"))
        for one in (*checks, *slices)
    ]


def _least_sure(
    rows: pa.Table, texts: list[str], labels: list[str], given: NDArray[np.int64], probabilities: Floats
) -> list[LeastSure]:
    if probabilities.shape[1] < 2:
        return []
    order = np.argsort(-probabilities, axis=1)[:, :2]
    top = np.take_along_axis(probabilities, order, axis=1)
    chosen = np.argsort(top[:, 0] - top[:, 1], kind="stable")[:LEAST_SURE]
    return [
        LeastSure(
            **_place(rows, row),
            text=texts[row],
            label=labels[given[row]],
            between=(labels[order[row, 0]], labels[order[row, 1]]),
            probabilities=(float(top[row, 0]), float(top[row, 1])),
        )
        for row in chosen.tolist()
    ]


def _place(rows: pa.Table, row: int) -> dict[str, Any]:
    return {name: rows[name][row].as_py() for name in ("id", "source", "source_line")}


def _texts(rows: pa.Table, payload: tuple[Payload, ...]) -> list[str]:
    columns = [column.to_pylist() for column in texts_of(rows, payload)]
    return [" / ".join(str(text) for text in texts if text) for texts in zip(*columns, strict=True)]


def _at(probabilities: Floats, labels: NDArray[np.int64]) -> Floats:
    return np.asarray(probabilities[np.arange(len(labels)), labels])
