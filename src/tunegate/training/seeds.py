"""Several trainings that differ in their seeds alone, and which of them becomes the model.

Seeds alone move the scores of small data sets by points (Dodge et al. 2020), so their spread is worth knowing; the
best of them, or the average of their weights (Wortsman et al. 2022, "Model soups"), is worth having.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunegate.training.state import EpochScore, Run

if TYPE_CHECKING:
    import torch


AVERAGE = "average of their weights"


@dataclass(frozen=True)
class Finished:
    """A training that came to its end: its run, and the weights it left, copied."""

    seed: int
    run: Run
    weights: "dict[str, torch.Tensor]"

    @property
    def score(self) -> EpochScore:
        """Of the epoch whose weights were kept; the last where none was judged."""
        scores, best = self.run.scores, self.run.best_epoch
        return scores[-1 if best is None else best]


@dataclass(frozen=True)
class SeedScore:
    """One of several trainings (`seed 3`), or what was made of all of them, on validation rows."""

    name: str
    best_epoch: int | None  # from 1
    validation_loss: float | None
    validation_accuracy: float | None


def seed_scores(finished: Sequence[Finished], averaged: tuple[float, float] | None) -> list[SeedScore]:
    """Each seed's, then the averaged model's; none where there is one seed alone."""
    if len(finished) < 2:
        return []
    scores = [
        SeedScore(
            f"seed {one.seed}",
            None if one.run.best_epoch is None else one.run.best_epoch + 1,
            one.score.validation_loss,
            one.score.validation_accuracy,
        )
        for one in finished
    ]
    return [*scores, SeedScore(AVERAGE, None, *averaged)] if averaged else scores


def spread_table(scores: Sequence[SeedScore], exported: str) -> str:
    """Markdown: a line per seed, their mean and standard deviation, and what was exported; empty for one seed."""
    if not scores:
        return ""
    seeds = [score for score in scores if score.name != AVERAGE]
    rows = [(one.name, _cell(one.validation_loss), _cell(one.validation_accuracy)) for one in scores]
    spreads = [_spread([getattr(one, name) for one in seeds]) for name in ("validation_loss", "validation_accuracy")]
    rows.insert(len(seeds), ("mean ± standard deviation", spreads[0], spreads[1]))
    lines = [f"| {' | '.join(row)} |{' exported' if row[0] == exported else ''}\n" for row in rows]
    return "\n| seeds | validation loss | validation accuracy |\n|---|---|---|\n" + "".join(lines)


def _spread(numbers: list[float | None]) -> str:
    known = [number for number in numbers if number is not None]
    return f"{statistics.mean(known):.4f} ± {statistics.stdev(known):.4f}" if len(known) > 1 else ""


def _cell(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}"


def seed_folders(folder: Path, seed: int, seeds: int) -> dict[int, Path]:
    """Where each seed's checkpoints lie; one seed alone has the folder for itself."""
    if seeds == 1:
        return {seed: folder}
    return {number: folder / f"seed-{number}" for number in range(seed, seed + seeds)}


def best_of(finished: Sequence[Finished]) -> Finished:
    """That of the lowest validation loss, the first of equals; without validation rows the first."""
    losses = [one.score.validation_loss for one in finished]
    known = [loss for loss in losses if loss is not None]
    return finished[losses.index(min(known))] if known else finished[0]


def average_of(finished: Sequence[Finished]) -> "dict[str, torch.Tensor]":
    """The mean of their weights, by name."""
    means = {name: value.clone() for name, value in finished[0].weights.items()}
    for count, one in enumerate(finished[1:], start=2):
        for name, value in one.weights.items():
            means[name] += (value - means[name]) / count
    return means
