"""What a model that is always right and sure says, made from the targets of a task's own rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.task import IGNORED, Head, Targets
from tunegate.tasks import encoding_of, options_of
from tunegate.windows import Arrays, Windows, padded_width

SURE = 9.0


def perfect_outputs(
    task: str, windows: Windows, targets: Targets, classes: int, options: Mapping[str, Any] | None = None
) -> Arrays:
    """By the loss that the task's head learns with; `options` None are the task's by default."""
    head = encoding_of(task).head(options or options_of(task)().model_dump(mode="json"))
    return (
        words_filled_in(windows, targets) if head.loss == "masked_words" else _by_loss(head, windows, targets, classes)
    )


def _by_loss(head: Head, windows: Windows, targets: Targets, classes: int) -> Arrays:
    logits = head.outputs[0]
    if head.loss == "cross_entropy":
        words = targets.tokens.get("labels")
        every = np.arange(len(windows))
        wanted = targets.rows["labels"] if words is None else windows.padded(words, every, IGNORED, 8)
        return {logits: one_hot(wanted, classes)}
    if head.loss == "binary_cross_entropy":
        return {logits: SURE * (2 * np.asarray(targets.rows["labels"], dtype=float) - 1)}
    if head.loss == "mean_squared_error":
        return {logits: np.asarray(targets.rows["labels"], dtype=float)[:, None]}
    if head.loss in ("choice", "choice_of_places"):
        return {logits: _choice(windows, targets)}
    if head.loss == "span":
        width = padded_width(windows.lengths)
        ends = zip(head.outputs, ("start", "end"), strict=True)
        return {name: one_hot(targets.rows[end], width) for name, end in ends}
    if head.loss == "arcs":
        return _arcs(windows, targets)
    raise NotImplementedError(f"what a perfect model says that learns with {head.loss}")


def _arcs(windows: Windows, targets: Targets) -> Arrays:
    """An array per window, as long as the window is, of each output."""
    found: Arrays = {name: np.empty(len(windows), dtype=object) for name in ("arcs", "relations", "relation_scores")}
    for number, (start, end) in enumerate(zip(windows.offsets, windows.offsets[1:], strict=False)):
        heads, relations = targets.tokens["heads"][start:end], targets.tokens["relations"][start:end]
        found["arcs"][number] = one_hot(heads, end - start)
        found["relations"][number] = np.repeat(np.asarray(relations)[:, None], end - start, axis=1)
        found["relation_scores"][number] = np.zeros((end - start, end - start))
    return found


def _choice(windows: Windows, targets: Targets) -> NDArray[np.float64]:
    """A score per window, or per place in one."""
    if "place" in targets.rows:
        return one_hot(targets.rows["place"], padded_width(windows.lengths))[..., None]
    return SURE * (windows.number == targets.rows["labels"]).astype(float)[:, None]


def words_filled_in(windows: Windows, targets: Targets) -> Arrays:
    """At each position the token that was hidden, and any other as good as impossible."""
    asked = np.maximum(windows.padded(targets.tokens["words"], np.arange(len(windows)), IGNORED, 8), -1)
    best = np.stack([asked, (asked == 0).astype(int)], axis=-1)
    scores = np.broadcast_to(np.array([0.0, -30.0]), best.shape)
    return {"top_words": best, "top_scores": scores, "asked_scores": np.zeros(asked.shape)}


def one_hot(wanted: NDArray[np.generic], classes: int) -> NDArray[np.float64]:
    return np.where(np.arange(classes) == np.asarray(wanted)[..., None], SURE, 0.0)


def plain_texts(rows: pa.Table) -> list[str]:
    """Every text of every column, for a vocabulary."""
    return [word for name in rows.column_names for value in rows[name].to_pylist() for word in _texts(value)]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
