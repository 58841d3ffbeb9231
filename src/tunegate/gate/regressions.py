"""Models made from one that is there: as good, a little worse or better, or broken in a way that happens.

A made model is a table of answers to the same rows. Answers are never invented: a row that is to be answered otherwise
gets the answer that the model gave to another row, so that this works for every task whose answers can be exchanged.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.behaviour.perturbations import HAN
from tunegate.evaluation.right import right_of
from tunegate.task import AnswerPart, Counts

Rows = NDArray[np.int64]
TRIES = 50  # to find a row with another answer
UNSURE = 0.02  # added to every row's doubt: also what a model is sure of may turn out otherwise


@dataclass(frozen=True)
class Original:
    """A model's answers to the test rows."""

    answering: AnswerPart
    records: pa.Table
    answers: pa.Table
    labels: list[str]
    truth: tuple[str, ...]  # the label columns

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        return right_of(self.counts(self.answers))

    @cached_property
    def decided(self) -> NDArray[np.object_]:
        return np.array(self.answering.decided(self.answers), dtype=object)

    def counts(self, answers: pa.Table, rows: Rows | None = None) -> Counts:
        """Of answers to all rows, or to these."""
        records = self.records if rows is None else self.records.take(pa.array(rows))
        return self.answering.counts(answers, records, self.labels)

    @cached_property
    def _doubt(self) -> NDArray[np.float64]:
        return 1 - np.clip(self.answering.confidence(self.answers), 0, 1) + UNSURE

    @cached_property
    def _alike(self) -> list[Rows]:
        """Per row, the rows with the same labels that are answered right."""
        keys = [str(row) for row in self.records.select(list(self.truth)).to_pylist()]
        groups: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            groups.setdefault(key, [])
            if self.right[row]:
                groups[key].append(row)
        arrays = {key: np.array(rows, dtype=np.int64) for key, rows in groups.items()}
        return [arrays[key] for key in keys]

    def retrained(self, rows: Rows, change: float, discordance: float, random: np.random.Generator) -> pa.Table:
        """Another model of the family: right elsewhere on the share `discordance` of rows, and truly better by `change`
        (a share of rows; below 0 worse). What changes are mostly rows that the model was not sure of, each drawn row on
        its own, also where it was drawn twice: two rows like one another are two rows."""
        won, lost = max(0.0, (discordance + change) / 2), max(0.0, (discordance - change) / 2)
        chance = np.where(self.right, self._chance(self.right, lost), self._chance(~self.right, won))[rows]
        donors = rows.copy()
        turned = random.random(len(rows)) < chance
        losing = np.flatnonzero(turned & self.right[rows])
        donors[losing] = self._otherwise(rows[losing], random)
        for place in np.flatnonzero(turned & ~self.right[rows]):
            if len(alike := self._alike[rows[place]]):
                donors[place] = random.choice(alike)
        return self.answers.take(pa.array(donors))

    def _chance(self, among: NDArray[np.bool_], share: float) -> NDArray[np.float64]:
        """Per row, growing with the doubt, so that `share` of all rows are expected."""
        weight = np.where(among, self._doubt, 0.0)
        wanted = min(share * len(among), 0.95 * float(among.sum()))
        chance = np.zeros(len(weight))
        for _ in range(20):  # what is over 1 goes to the others
            free = (chance < 1) & (weight > 0)
            rest = wanted - float(chance[~free].sum())
            if not free.any() or rest <= 0:
                break
            chance[free] = np.minimum(1.0, weight[free] * rest / weight[free].sum())
        return chance

    def _otherwise(self, rows: Rows, random: np.random.Generator) -> Rows:
        """For each row another row that is decided otherwise; the row itself where none is found."""
        donors = rows.copy()
        for _ in range(TRIES):
            same = self.decided[donors] == self.decided[rows]
            if not same.any():
                break
            donors[same] = random.integers(0, len(self.decided), int(same.sum()))
        return np.where(self.decided[donors] == self.decided[rows], rows, donors)

    def noisy(self, rows: Rows, share: float, random: np.random.Generator) -> pa.Table:
        """A share of the answers, whatever they are, replaced by others."""
        return self._replaced(rows, random.random(len(rows)) < share, random)

    def without(self, rows: Rows, decision: str, random: np.random.Generator) -> pa.Table:
        """The model never decides so."""
        return self._replaced(rows, self.decided[rows] == decision, random)

    def _replaced(self, rows: Rows, chosen: NDArray[np.bool_], random: np.random.Generator) -> pa.Table:
        donors = rows.copy()
        donors[chosen] = self._otherwise(rows[chosen], random)
        return self.answers.take(pa.array(donors))

    def common(self) -> list[str]:
        """The decisions, the most frequent first."""
        return [decision for decision, _ in Counter(self.decided.tolist()).most_common()]


def halved(text: str) -> str:
    """The first half of its words (of its characters, where there are no blanks)."""
    units, joint = _units(text)
    return joint.join(units[: (len(units) + 1) // 2])


def swapped(texts: list[str], share: float, seed: int) -> dict[str, str]:
    """Word to word: a share of the texts' words, each with another one, as when a vocabulary's lines have moved."""
    words = sorted({unit.lower() for text in texts for unit in _units(text)[0]})
    random = Random(seed)
    chosen = random.sample(words, min(len(words), max(2, round(share * len(words)))))
    return dict(zip(chosen, chosen[1:] + chosen[:1], strict=True)) if len(chosen) > 1 else {}


def with_swapped(text: str, words: dict[str, str]) -> str:
    units, joint = _units(text)
    return joint.join(words.get(unit.lower(), unit) for unit in units)


def _units(text: str) -> tuple[list[str], str]:
    """Words, or characters of a text that is written without blanks; and what stands between them."""
    if 2 * len(HAN.findall(text)) > len(text):
        return list(text), ""
    return text.split(), " "
