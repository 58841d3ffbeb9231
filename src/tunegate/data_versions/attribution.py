"""Was it the data or the model? Two models on two versions' test rows: four accuracies, and flips by data change.

On the same rows the difference is the models' doing; by the same model it is the rows'. Rows that stand in the other
version's training or validation rows are left out of the comparisons of the model that may have learnt from them, which
is why they are left out of all four and counted.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.data_versions.changes import DataDiff
from tunegate.data_versions.matching import NOBODY, Rows
from tunegate.data_versions.naming import DataVersion, settings_of
from tunegate.dvc.storage import fetch_folder
from tunegate.errors import UserError
from tunegate.records import SPLITS, label_column
from tunegate.statistics.proportions import Paired, tango, wilson
from tunegate.tasks import answering_of, record_of
from tunegate.versions.lineage import lineage_at
from tunegate.workspace import Workspace

Model = Callable[[pa.Table], list[str]]
"""Records to the labels that a model gives them."""

TEST = SPLITS.index("test")
TWO_SIDED = 0.025  # the error of each bound of a 95 % interval
ANY = "all"


class Accuracy(BaseModel):
    """`low` and `high`: Wilson's 95 % interval. None where there are no rows."""

    model_config = ConfigDict(frozen=True)

    right: int
    rows: int
    value: float | None
    low: float | None
    high: float | None


class Flips(BaseModel):
    """New test rows of one kind of data change: the old model wrong and the new one right (fixed), or the reverse."""

    model_config = ConfigDict(frozen=True)

    kind: str
    rows: int
    fixed: int
    broken: int


class Flipped(BaseModel):
    """One row whose answer turned right or wrong."""

    model_config = ConfigDict(frozen=True)

    kind: str
    fixed: bool
    id: str
    source: str
    source_line: int
    label: str
    old_answer: str
    new_answer: str


class Attribution(BaseModel):
    """`old_old`: the old model on the old test rows, and so on. `model` is (new - old) on the same new rows with its
    95 % interval (Tango, paired); `data` the old model's (new rows - old rows)."""

    model_config = ConfigDict(frozen=True)

    old_old: Accuracy
    old_new: Accuracy
    new_old: Accuracy
    new_new: Accuracy
    left_out_old: int
    left_out_new: int
    model: tuple[float, float, float] | None
    data: float | None
    flips: list[Flips]
    flipped: list[Flipped]


def attribute(diff: DataDiff, task: str, old: Model, new: Model) -> Attribution:
    """Score both models on both versions' test rows. Raises UserError for a task without one label per row."""
    label = label_column(record_of(task).PAYLOAD)
    if label is None:
        raise UserError("Models are compared by data change where rows have one label only.", "Leave --models out.")
    partner, kind, kinds = diff.pairs()
    backwards = np.full(len(diff.sides[0]), NOBODY)
    backwards[partner[partner != NOBODY]] = np.flatnonzero(partner != NOBODY)
    rows = [_test_rows(diff, side, others) for side, others in ((0, backwards), (1, partner))]
    tables = [diff.sides[side].take(numbers) for side, (numbers, _) in enumerate(rows)]
    answers = {(name, side): model(tables[side]) for name, model in (("old", old), ("new", new)) for side in (0, 1)}
    right = {key: _right(tables[key[1]], label, given) for key, given in answers.items()}
    fixed, broken = ~right["old", 1] & right["new", 1], right["old", 1] & ~right["new", 1]
    numbers = rows[1][0]
    named = np.where(partner[numbers] == NOBODY, kinds.index("added"), kind[numbers])
    scores = {key: _accuracy(found) for key, found in right.items()}
    before, after = scores["old", 0].value, scores["old", 1].value
    return Attribution(
        old_old=scores["old", 0],
        old_new=scores["old", 1],
        new_old=scores["new", 0],
        new_new=scores["new", 1],
        left_out_old=rows[0][1],
        left_out_new=rows[1][1],
        model=_difference(fixed, broken),
        data=None if before is None or after is None else after - before,
        flips=[_flips(ANY, named >= 0, fixed, broken)]
        + [_flips(kinds[place], named == place, fixed, broken) for place in np.unique(named).tolist()],
        flipped=_flipped(
            tables[1],
            label,
            (answers["old", 1], answers["new", 1]),
            [kinds[place] for place in named],
            fixed | broken,
        ),
    )


def models_of(workspace: Workspace, versions: tuple[DataVersion, DataVersion]) -> tuple[Model, Model]:
    """The models that belong to two data versions: of a commit its run's export, of the data as it lies the tree's own.

    Raises UserError where a version has none.
    """
    return _model(_export(workspace, versions[0])), _model(_export(workspace, versions[1]))


def _export(workspace: Workspace, version: DataVersion) -> Path:
    if version.commit is not None:
        made = lineage_at(workspace, version.commit, version.pipeline).get("export")
        hash_value = made.made.get(f"data/{version.pipeline}/export") if made else None
        if hash_value:
            return fetch_folder(workspace, hash_value)
    elif version.name == settings_of(workspace, version.pipeline).data:
        folder = workspace.stage(version.pipeline, "export")
        if (folder / "manifest.json").is_file():
            return folder
    raise UserError(
        f"{version.name} names no trained model of {version.pipeline}.",
        f"Name versions (`{version.pipeline}@v1.2.0`), commits of runs, or the data of a pipeline that has been run.",
    )


def _model(export: Path) -> Model:
    from tunegate.predictor import Predictor

    predictor = Predictor.open(export)
    decided = answering_of(predictor.manifest.task).decided
    return lambda records: decided(predictor.answers(records))


def _test_rows(diff: DataDiff, side: int, partner: Rows) -> tuple[Rows, int]:
    """Test rows with a text and a label that are test rows in the other version too, or not in it; how many are not."""
    rows = diff.sides[side]
    numbers = np.flatnonzero((rows.split == TEST) & (rows.label >= 0) & (rows.lengths > 0))
    filled = np.asarray(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(rows.text(numbers))), 0), dtype=bool)
    numbers = numbers[filled]
    there = partner[numbers]
    learnt = (there != NOBODY) & (np.append(diff.sides[1 - side].split, TEST)[there] != TEST)
    return numbers[~learnt], int(learnt.sum())


def _right(table: pa.Table, label: str, answers: list[str]) -> NDArray[np.bool_]:
    given = table[label].to_pylist()
    return np.array([mine == truth for mine, truth in zip(answers, given, strict=True)], dtype=bool)


def _accuracy(right: NDArray[np.bool_]) -> Accuracy:
    rows, hits = len(right), int(right.sum())
    if not rows:
        return Accuracy(right=0, rows=0, value=None, low=None, high=None)
    low, high = wilson(hits, rows)
    return Accuracy(right=hits, rows=rows, value=hits / rows, low=low, high=high)


def _difference(fixed: NDArray[np.bool_], broken: NDArray[np.bool_]) -> tuple[float, float, float] | None:
    if not len(fixed):
        return None
    pair = Paired(int(fixed.sum()), int(broken.sum()), len(fixed))
    return pair.difference, *tango(pair, error=TWO_SIDED)


def _flips(kind: str, where: NDArray[np.bool_], fixed: NDArray[np.bool_], broken: NDArray[np.bool_]) -> Flips:
    return Flips(kind=kind, rows=int(where.sum()), fixed=int((fixed & where).sum()), broken=int((broken & where).sum()))


def _flipped(
    table: pa.Table, label: str, answers: tuple[list[str], list[str]], kinds: list[str], where: NDArray[np.bool_]
) -> list[Flipped]:
    found = []
    for row in np.flatnonzero(where).tolist():
        record: Mapping[str, object] = table.slice(row, 1).to_pylist()[0]
        found.append(
            Flipped(
                kind=kinds[row],
                fixed=answers[1][row] == record[label],
                id=str(record["id"]),
                source=str(record["source"]),
                source_line=int(str(record["source_line"])),
                label=str(record[label]),
                old_answer=answers[0][row],
                new_answer=answers[1][row],
            )
        )
    return found


def terminal(found: Attribution) -> str:
    """For people."""
    lines = ["", "Was it the data or the model? Accuracy with its 95 % interval:", ""]
    lines += [f"  {'':<10} {'old test rows':<26} new test rows"]
    for name, left, right in (("old model", found.old_old, found.old_new), ("new model", found.new_old, found.new_new)):
        lines.append(f"  {name:<10} {_told(left):<26} {_told(right)}")
    if found.model is not None:
        value, low, high = found.model
        interval = f"[{100 * low:+.1f}, {100 * high:+.1f}]"
        lines += ["", f"  the model: {100 * value:+.1f} points {interval} on the same new test rows"]
    if found.data is not None:
        lines += [f"  the data:  {100 * found.data:+.1f} points for the old model, from old to new test rows"]
    left_out = found.left_out_old + found.left_out_new
    if left_out:
        lines += [f"  left out: {left_out:,} test rows that the other version trains or validates on"]
    lines += ["", f"  {'new test rows':<14} {'rows':>8} {'fixed':>8} {'broken':>8}"]
    lines += [f"  {one.kind:<14} {one.rows:>8,} {one.fixed:>8,} {one.broken:>8,}" for one in found.flips]
    return "\n".join(lines)


def _told(one: Accuracy) -> str:
    if one.value is None or one.low is None or one.high is None:
        return "no rows"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
