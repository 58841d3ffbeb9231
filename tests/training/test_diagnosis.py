"""Curves of each kind get their diagnosis, with the number that shows it, and sound ones get none."""

import math

import numpy as np
import pytest

from tests.training.learning import examples
from tunegate.task import IGNORED, Targets
from tunegate.training.diagnosis import LabelCounts, counts_of, diagnose, in_words
from tunegate.training.state import EpochScore


def scores(*losses: tuple[float, float | None]) -> list[EpochScore]:
    """Of (training loss, validation loss)."""
    return [EpochScore(train, validation, None if validation is None else 0.8) for train, validation in losses]


def counts(train: list[int], validation: list[int]) -> LabelCounts:
    return LabelCounts([f"label {n}" for n in range(len(train))], np.array(train), np.array(validation))


SOUND = scores((0.9, 0.8), (0.5, 0.52), (0.3, 0.51))
ENOUGH = counts([100, 100], [20, 20])


@pytest.mark.parametrize(
    ("course", "told", "name", "figures"),
    [
        (scores((0.70, 0.70), (0.69, 0.6931)), ENOUGH, "nothing learnt", ("0.693", "50%")),
        (scores((0.5, 0.5), (0.3, 0.5), (0.9, 0.5)), ENOUGH, "diverging", ("0.300", "0.900", "epoch 2")),
        (scores((0.5, 0.5), (0.3, 0.4), (0.1, 0.6)), ENOUGH, "over-fitted", ("0.400", "0.600", "epoch 2")),
        (scores((0.6, 0.6), (0.5, 0.5)), ENOUGH, "under-trained", ("0.600", "0.500")),
        (SOUND, counts([100, 7], [20, 20]), "few rows", ("'label 1' 7", "1 label stands")),
    ],
)
def test_each_fault_is_named_with_its_figures_and_a_remedy(
    course: list[EpochScore], told: LabelCounts, name: str, figures: tuple[str, ...]
) -> None:
    [found] = diagnose(course, told)
    assert found.name == name and found.remedy
    assert all(figure in found.figure for figure in figures), found.figure
    assert f"**{name}**" in in_words([found])


def test_a_sound_training_has_no_diagnosis_nor_has_one_without_validation_rows() -> None:
    assert diagnose(SOUND, ENOUGH) == ()
    assert diagnose(scores((0.9, None), (0.5, None)), counts([9, 9], [0, 0])) == ()
    assert diagnose([], None) == ()


def test_one_epoch_is_no_course() -> None:
    assert diagnose(scores((0.4, 0.3)), ENOUGH) == ()


def test_the_chance_loss_is_the_entropy_of_the_validation_labels() -> None:
    assert counts([1, 1], [30, 10]).chance == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert counts([1, 1], [10, 0]).chance is None and counts([1, 1], [0, 0]).chance is None


def test_labels_are_counted_by_rows_or_words_and_only_where_one_is_chosen() -> None:
    train, validation = (examples(rows, 0, ("input_ids",)) for rows in (48, 24))
    found = counts_of(train, validation, ["a", "b"], "cross_entropy")
    assert found is not None and found.train.sum() == 48 and found.validation.sum() == 24
    assert counts_of(train, None, ["a", "b"], "cross_entropy") is not None
    assert counts_of(train, validation, ["a", "b"], "binary") is None
    words = np.where(np.arange(train.windows.offsets[-1]) % 2, 1, IGNORED)
    tagged = type(train)(train.windows, Targets(tokens={"labels": words}), train.weights, train.names, train.pad, 1)
    counted = counts_of(tagged, None, ["O", "B"], "cross_entropy")
    assert counted is not None and counted.train.tolist() == [0, int((words == 1).sum())]
