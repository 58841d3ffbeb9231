"""What a person would read off a training's curves, with the figure that shows it and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.task import IGNORED
from tunegate.training.batches import Examples, TokenExamples
from tunegate.training.state import EpochScore

NOTHING_LEARNT = 0.98  # of the loss of answering with the labels' shares
DIVERGING = 1.2  # times the lowest training loss
OVER_FITTED = 1.1  # times the lowest validation loss, while the training loss fell
STILL_FALLING = 0.05  # share by which the validation loss fell in the last epoch
FEW_ROWS = 8  # few-shot fine-tuning of BERT begins to work at 8 to 16 a label (Gao et al. 2021, arXiv:2012.15723)
NAMED = 5  # labels that a sentence names


class Diagnosis(BaseModel):
    """`figure` is one sentence with the number that shows it; the picture is the learning curve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["nothing learnt", "diverging", "over-fitted", "under-trained", "few rows"]
    figure: str
    remedy: str


@dataclass(frozen=True)
class LabelCounts:
    """How often each label is the answer: in training (rows, or words), and in validation; int64 [labels]."""

    names: Sequence[str]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]

    @property
    def chance(self) -> float | None:
        """The validation loss of a model that answers with the labels' shares: their entropy, in nats."""
        total = self.validation.sum()
        shares = self.validation[self.validation > 0] / max(1, total)
        return float(-(shares * np.log(shares)).sum()) if total and len(shares) > 1 else None


def counts_of(train: Examples, validation: Examples | None, names: Sequence[str], loss: str) -> LabelCounts | None:
    """Where the task chooses one of its labels, else None. Rows count once, whatever their weight."""
    if loss != "cross_entropy" or not isinstance(train, TokenExamples) or not names:
        return None
    parts = [_counted(part, len(names)) for part in (train, validation)]
    return None if parts[0] is None or parts[1] is None else LabelCounts(names, parts[0], parts[1])


def _counted(examples: Examples | None, labels: int) -> NDArray[np.int64] | None:
    if examples is None:
        return np.zeros(labels, dtype=np.int64)
    if not isinstance(examples, TokenExamples):
        return None
    said = {**examples.said.rows, **examples.said.tokens}.get("labels")
    if said is None:
        return None
    asked = said[said != IGNORED].astype(np.int64)
    return np.bincount(asked, minlength=labels).astype(np.int64)


def diagnose(scores: Sequence[EpochScore], counts: LabelCounts | None = None) -> tuple[Diagnosis, ...]:
    """The gravest first. `scores`: of the epochs, in their order; there may be none."""
    found = [_nothing_learnt(scores, counts), _diverging(scores), _over_fitted(scores), _under_trained(scores)]
    return tuple(one for one in (*found, _few_rows(counts)) if one is not None)


def _nothing_learnt(scores: Sequence[EpochScore], counts: LabelCounts | None) -> Diagnosis | None:
    losses = _validation(scores)
    chance = counts.chance if counts else None
    if not losses or chance is None or min(losses) < NOTHING_LEARNT * chance:
        return None
    assert counts is not None
    most = int(counts.validation.argmax())
    share = counts.validation[most] / counts.validation.sum()
    accuracy = scores[losses.index(min(losses))].validation_accuracy
    return Diagnosis(
        name="nothing learnt",
        figure=f"The lowest validation loss is {min(losses):.3f}, and to answer with each label's share costs "
        f"{chance:.3f}: the model has collapsed to the labels' frequencies ({accuracy or 0:.0%} right; "
        f"{counts.names[most]!r} alone is {share:.0%}).",
        remedy="Look whether labels belong to their texts; then train longer, or with a third or three times the "
        "learning rate.",
    )


def _diverging(scores: Sequence[EpochScore]) -> Diagnosis | None:
    losses = [score.train_loss for score in scores]
    if not losses or losses[-1] <= DIVERGING * min(losses):
        return None
    epoch = losses.index(min(losses)) + 1
    return Diagnosis(
        name="diverging",
        figure=f"The training loss rose from {min(losses):.3f} in epoch {epoch} to {losses[-1]:.3f} in the last.",
        remedy="Lower train.learning_rate to a third, or raise train.warmup.",
    )


def _over_fitted(scores: Sequence[EpochScore]) -> Diagnosis | None:
    losses = _validation(scores)
    if not losses or losses[-1] <= OVER_FITTED * min(losses):
        return None
    best = losses.index(min(losses))
    if scores[-1].train_loss >= scores[best].train_loss:
        return None
    return Diagnosis(
        name="over-fitted",
        figure=f"After epoch {best + 1} the validation loss rose from {losses[best]:.3f} to {losses[-1]:.3f}, while "
        f"the training loss fell from {scores[best].train_loss:.3f} to {scores[-1].train_loss:.3f}. "
        f"The weights of epoch {best + 1} are kept.",
        remedy=f"Set train.epochs to {best + 1} or train.patience to 1; more rows, train.dropout or augmentation help "
        "further.",
    )


def _under_trained(scores: Sequence[EpochScore]) -> Diagnosis | None:
    losses = _validation(scores)
    if len(losses) < 2 or losses[-1] > min(losses) or losses[-1] > (1 - STILL_FALLING) * losses[-2]:
        return None
    return Diagnosis(
        name="under-trained",
        figure=f"The validation loss still fell in the last epoch, from {losses[-2]:.3f} to {losses[-1]:.3f}.",
        remedy=f"Raise train.epochs (there were {len(scores)}) or train.learning_rate.",
    )


def _few_rows(counts: LabelCounts | None) -> Diagnosis | None:
    if counts is None:
        return None
    few = [number for number in np.argsort(counts.train, kind="stable") if counts.train[number] < FEW_ROWS]
    if not few:
        return None
    named = ", ".join(f"{counts.names[number]!r} {counts.train[number]}" for number in few[:NAMED])
    labels = "1 label stands" if len(few) == 1 else f"{len(few)} labels stand"
    return Diagnosis(
        name="few rows",
        figure=f"{labels} fewer than {FEW_ROWS} times among what is learnt from: {named}"
        f"{', ...' if len(few) > NAMED else ''}.",
        remedy="Label more rows of these, join them with another label, or take them out.",
    )


def _validation(scores: Sequence[EpochScore]) -> list[float]:
    return [score.validation_loss for score in scores if score.validation_loss is not None]


def in_words(found: Sequence[Diagnosis]) -> str:
    """For the report, as Markdown."""
    return "".join(f"\n**{one.name}**: {one.figure} {one.remedy}\n" for one in found)
