"""Do the rows that came since the champion's data fit what all the others teach? A batch labelled carelessly does not.

The candidate has learnt from rows of the same batch, and still answers them much worse than the rows that were known
before: either their labels are wrong, or they are of a kind that more rows must teach first. Comparing with the
champion cannot show that, because both models fail on them alike. New test rows are looked at in the order in which
they came, in blocks, since carelessness comes in batches.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.gate.arrived import Arrived
from tunegate.gate.checks import Check, Evidence
from tunegate.statistics.independent import Share, difference
from tunegate.statistics.proportions import ONE_SIDED

FEWEST = 30  # rows of a block, and of the rows known before: fewer prove little
MOST_BLOCKS = 12
NAMED = 10  # rows to look at first


@dataclass(frozen=True)
class _Block:
    members: NDArray[np.int64]  # rows, in the order in which they came
    share: Share
    gap: float  # how much worse than the rows known before
    lower: float
    upper: float


def new_rows_fit(evidence: Evidence) -> list[Check]:
    """One check over all blocks; none where no champion's data is known, or too few rows are new."""
    limit, arrived = evidence.settings.max_new_rows_gap, evidence.arrived
    if limit is None or arrived is None:
        return []
    new = arrived.new
    if new.sum() < FEWEST or (~new).sum() < FEWEST:
        return []
    known = Share(int(arrived.right[~new].sum()), int((~new).sum()))
    blocks = [_block(arrived, members, known, _count(new)) for members in _blocks(arrived.rows, new)]
    return [_check(arrived, known, blocks, limit)]


def _count(new: NDArray[np.bool_]) -> int:
    return int(min(MOST_BLOCKS, new.sum() // FEWEST))


def _blocks(rows: pa.Table, new: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    numbers = np.flatnonzero(new)
    sources = np.unique(np.array(rows["source"].to_pylist(), dtype=str), return_inverse=True)[1][numbers]
    lines = np.asarray(rows["source_line"].combine_chunks())[numbers]
    return np.array_split(numbers[np.lexsort((lines, sources))], _count(new))


def _block(arrived: Arrived, members: NDArray[np.int64], known: Share, blocks: int) -> _Block:
    """Bounds at 5 % over all blocks together (Bonferroni)."""
    share = Share(int(arrived.right[members].sum()), len(members))
    lower, upper = difference(known, share, error=ONE_SIDED / blocks)
    return _Block(members, share, known.value - share.value, lower, upper)


def _check(arrived: Arrived, known: Share, blocks: list[_Block], limit: float) -> Check:
    worst = max(blocks, key=lambda block: block.lower)
    fits = worst.lower <= limit
    what = f"{_place(arrived.rows, worst)}: {worst.share.value:.1%} of {worst.share.rows} new test rows are right"
    against = f"against {known.value:.1%} of the {known.rows:,} known before"
    said = "no batch of new rows is surely" if fits else "a batch of new rows is surely"
    return Check(
        name="new rows",
        verdict="PASS" if fits else "FAIL",
        reason=f"{said} answered more than {limit:g} worse than the others; the worst is {what}, {against}.",
        remedy="" if fits else _remedy(arrived, worst),
        estimate=worst.gap,
        low=worst.lower,
        high=worst.upper,
        threshold=limit,
        n=worst.share.rows,
    )


def _place(rows: pa.Table, block: _Block) -> str:
    first, last = (rows.slice(int(block.members[end]), 1).to_pylist()[0] for end in (0, -1))
    if first["source"] == last["source"]:
        return f"{first['source']} lines {first['source_line']} to {last['source_line']}"
    return f"{first['source']}:{first['source_line']} to {last['source']}:{last['source_line']}"


def _remedy(arrived: Arrived, block: _Block) -> str:
    wrong = block.members[~arrived.right[block.members]]
    surest = np.sort(wrong[np.argsort(-arrived.confidence[wrong], kind="stable")][:NAMED])
    named = ", ".join(str(line) for line in arrived.rows["source_line"].take(pa.array(surest)).to_pylist())
    return (
        f"Look at the labels of that batch, these lines first: {named}. `tunegate data suspects` ranks all rows. If "
        "the labels are right, add more rows like them or raise gate.max_new_rows_gap."
    )
