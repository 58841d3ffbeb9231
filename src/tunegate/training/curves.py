"""The course of a training as a table that DVC and spreadsheets can plot."""

import csv
import io

from tunegate.train_settings import TrainSettings
from tunegate.training.optimiser import schedule
from tunegate.training.state import Run

POINTS = 100  # about as many as a plot can show

COLUMNS = ("step", "epoch", "learning_rate", "train_loss", "validation_loss", "validation_accuracy")


def curves(run: Run, settings: TrainSettings) -> str:
    """CSV: about a hundred points, each the mean loss since the one before; validation columns at ends of epochs."""
    losses = run.losses[: run.step].double().cpu().numpy()
    per_epoch = run.steps // settings.epochs
    ends = {per_epoch * (number + 1): score for number, score in enumerate(run.scores)}
    every = max(1, run.step // POINTS)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    before = 0
    for step in sorted({*range(every, run.step + 1, every), *ends}):
        rate = settings.learning_rate * schedule(step - 1, run.steps, settings.warmup, settings.schedule)
        score = ends.get(step)
        judged = (score.validation_loss, score.validation_accuracy) if score else (None, None)
        shown = ["" if number is None else f"{number:.6f}" for number in judged]
        table.writerow([step, -(-step // per_epoch), f"{rate:.3e}", f"{losses[before:step].mean():.6f}", *shown])
        before = step
    return text.getvalue()
