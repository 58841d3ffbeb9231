import csv
import io
from pathlib import Path

import pytest

from tests.training.learning import learning
from tunegate.training.curves import COLUMNS, curves


def test_the_curve_has_every_epochs_end_and_its_losses_are_those_of_the_run(tmp_path: Path) -> None:
    work = learning(tmp_path)
    run = work.fit()
    rows = list(csv.DictReader(io.StringIO(curves(run, work.training.settings))))
    assert tuple(rows[0]) == COLUMNS
    ends = [row for row in rows if row["validation_loss"]]
    assert [(row["step"], row["epoch"]) for row in ends] == [("6", "1"), ("12", "2"), ("18", "3")]
    assert float(ends[1]["validation_loss"]) == pytest.approx(run.scores[1].validation_loss, abs=1e-6)
    steps = [float(row["train_loss"]) for row in rows[:6]]
    assert sum(steps) / 6 == pytest.approx(run.scores[0].train_loss, abs=1e-6)
