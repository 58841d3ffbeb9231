"""Our gate beside three usual ones, on invented models whose true difference is known.

    python -m benchmarks.gates              the tables of docs/explanation/gate.md
    python -m benchmarks.gates --trials 200  quicker, coarser

The verdicts are those of the real gate (`tunegate.gate.judge`), with all its checks. What is invented is only which
rows two models answer right: the candidate differs from the champion on a share of rows (the discordance), a few more
of them for the worse or the better.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.report import markdown
from tunegate.gate.trials import Answered, Ground, Tally, Trial, counts_of, tally
from tunegate.params import GateSettings
from tunegate.statistics.noninferiority import decide
from tunegate.statistics.power import DISCORDANCE
from tunegate.statistics.proportions import Paired, tango
from tunegate.task import Metric

Right = NDArray[np.bool_]

ROWS, MARGIN, ACCURACY, LABELS = 4000, 0.01, 0.9, 20
STEP, RETRAINS = 0.005, 12
SETTINGS = GateSettings(
    floor=0.7, margin=MARGIN, max_calibration_error=None
)  # nothing is invented here of how sure a model is
ACCURATE = Metric("accuracy", "accuracy", True, "record", lambda sums: sums["correct"] / sums["n"], proportion=True)


@dataclass(frozen=True)
class World:
    """Test rows of `LABELS` labels and some lengths, and the champion's answers to them."""

    ground: Ground
    champion: Right

    def judged(self, candidate: Right, best: Right | None = None) -> Trial:
        """By our gate; `best` is the best version ever where that is not the champion."""
        rows = np.arange(len(candidate))
        old = answered(best) if best is not None else None
        return self.ground.judged(rows, answered(candidate), answered(self.champion), old)


@cache
def ground(rows: int = ROWS) -> Ground:
    """With every check that `tunegate new` leaves on: floor and baseline are no issue for these models."""
    random = np.random.default_rng(9)
    labels = random.permutation(np.arange(rows) % LABELS)
    table = pa.table(
        {
            "id": pa.array([f"r{number}" for number in range(rows)]),
            "group": pa.nulls(rows, pa.string()),
            "source": pa.array(["rows.csv"] * rows),
            "label": pa.array([f"label {number}" for number in labels]),
            "length": pa.array(random.integers(5, 200, rows)),
            "meta": pa.nulls(rows, pa.string()),
        }
    )
    return Ground(ACCURATE, table, ("label",), SETTINGS, {"tfidf": answered(random.random(rows) < 0.7)})


def make_world(random: np.random.Generator, rows: int = ROWS) -> World:
    """A champion, right on some rows or other."""
    return World(ground(rows), random.random(rows) < ACCURACY)


def answered(right: Right) -> Answered:
    return Answered(counts_of(right))


def candidate(random: np.random.Generator, champion: Right, change: float, discordance: float = DISCORDANCE) -> Right:
    """A model whose true accuracy differs by `change` and that is right elsewhere on the share `discordance` of rows
    (on more where the change alone is larger)."""
    won = max(0.0, (discordance + change) / 2)
    lost = max(0.0, (discordance - change) / 2) if won else -change
    flip = random.random(len(champion)) < np.where(champion, lost / ACCURACY, won / (1 - ACCURACY))
    return champion ^ flip


USUAL: Mapping[str, Callable[[World, Right], bool]] = {
    "a fixed tolerance of 1 point": lambda world, new: bool(new.mean() >= world.champion.mean() - MARGIN),
    "new >= old": lambda world, new: bool(new.mean() >= world.champion.mean()),
    "no slice may fall": lambda world, new: no_slice_falls(world, new),  # noqa: PLW0108 (defined below)
}


def no_slice_falls(world: World, new: Right) -> bool:
    """Of the labels: the share of right answers of none is lower than before."""
    _, label = np.unique(np.asarray(world.ground.rows["label"]), return_inverse=True)
    gains = np.bincount(label, new.astype(float) - world.champion)
    return bool((gains >= 0).all())


@dataclass(frozen=True)
class Row:
    """One true difference: our verdicts, and how often each usual gate lets the model pass."""

    change: float
    ours: Tally
    usual: dict[str, float]


def compare_gates(changes: tuple[float, ...], trials: int, seed: int = 0, rows: int = ROWS) -> list[Row]:
    """All gates on the same models."""
    found = []
    for change in changes:
        random = np.random.default_rng(seed)
        made = [(world := make_world(random, rows), candidate(random, world.champion, change)) for _ in range(trials)]
        passed = {name: float(np.mean([gate(world, new) for world, new in made])) for name, gate in USUAL.items()}
        found.append(Row(change, tally(world.judged(new) for world, new in made), passed))
    return found


def settled_share(change: float, trials: int, seed: int = 0, rows: int = ROWS) -> tuple[float, int]:
    """Of the cases that our gate calls UNDECIDED: the share that it settles once the rows it asked for are there, and
    how many such cases there were."""
    random, settled = np.random.default_rng(seed), []
    for _ in range(trials):
        world = make_world(random, rows)
        new = candidate(random, world.champion, change)
        first = world.judged(new)
        if first.verdict != "UNDECIDED" or first.more_rows is None:
            continue
        larger = make_world(random, rows + first.more_rows)
        champion = np.concatenate([world.champion, larger.champion[rows:]])
        more = candidate(random, larger.champion[rows:], change)
        world = replace(larger, champion=champion)
        settled.append(world.judged(np.concatenate([new, more])).verdict != "UNDECIDED")
    return (float(np.mean(settled)) if settled else float("nan")), len(settled)


@dataclass(frozen=True)
class Chain:
    """What a chain of retrains did to production: the true accuracy lost in all, and whether a candidate that is
    `MARGIN` better than the first version passed afterwards."""

    lost: float
    better_passes: bool


def chains(count: int, seed: int = 0, *, creeping: bool = False) -> Iterator[Chain]:
    """`RETRAINS` in a row, each truly `STEP` worse than the one before (`creeping`: than what is live); what passes
    goes into production. All are judged on the same test rows. A training knows nothing of those, so that the luck of
    one candidate is not inherited by the next.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        world = make_world(random)
        best, lost, live = world.champion, 0.0, world.champion
        for number in range(1, RETRAINS + 1):
            loss = (lost if creeping else (number - 1) * STEP) + STEP
            new = candidate(random, best, -loss)
            if passes(new, live, best):
                live, lost = new, loss
        better = candidate(random, best, MARGIN)
        yield Chain(lost, passes(better, live, best))


def passes(new: Right, live: Right, best: Right) -> bool:
    """No regression and no erosion, as the gate decides them."""
    return all(decide(paired(new, old), MARGIN).verdict == "PASS" for old in (live, best))


def paired(new: Right, old: Right) -> Paired:
    return Paired(int((new & ~old).sum()), int((old & ~new).sum()), len(new))


def exact_pass(change: float, rows: int = ROWS, margin: float = MARGIN, discordance: float = DISCORDANCE) -> float:
    """The chance that no regression alone passes, over all counts that could be seen: no simulation, no noise."""
    from scipy.stats import binom

    won, lost = (discordance + change) / 2, (discordance - change) / 2
    most, total = 0, 0.0  # most losses that still pass: rises with the wins
    for wins in range(int(binom.ppf(1e-9, rows, won)), int(binom.isf(1e-9, rows, won)) + 1):
        while tango(Paired(wins, most, rows))[0] > -margin:
            most += 1
        total += binom.pmf(wins, rows, won) * binom.cdf(most - 1, rows - wins, lost / (1 - won))
    return float(total)


def undecided_share(rows: int, margin: float, trials: int, change: float = 0.0, seed: int = 0) -> float:
    """How often an equal model (or one changed so) is neither passed nor failed: by the two counts alone, since the
    slices and the other checks hardly ever leave an equal model undecided."""
    shares = [(DISCORDANCE + change) / 2, (DISCORDANCE - change) / 2, 1 - DISCORDANCE]
    drawn = np.random.default_rng(seed).multinomial(rows, shares, size=trials)
    verdicts = [decide(Paired(int(wins), int(losses), rows), margin).verdict for wins, losses, _ in drawn]
    return verdicts.count("UNDECIDED") / trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    print(f"{ROWS:,} test rows, {LABELS} labels, discordance {DISCORDANCE:.0%}, margin {MARGIN:.0%}; {trials} trials\n")
    exact = ", ".join(f"{exact_pass(change):.2%} at {100 * change:g} points" for change in (0.0, -STEP, -MARGIN))
    print(f"no regression alone passes, by enumeration: {exact}\n")
    print(markdown(_gates_table(compare_gates((0.01, 0.0, -0.005, -0.01, -0.02, -0.05), trials))))
    print(markdown(_undecided_table(trials)))
    print(markdown(_settled_table(trials // 4)))  # each draws rows anew
    print(markdown(_chains_table(trials)))


def _gates_table(found: list[Row]) -> list[list[str]]:
    head = ["true difference", "PASS", "UNDECIDED", "FAIL", *(f"{name}: passes" for name in USUAL)]
    return [head] + [
        [
            f"{100 * row.change:+g} points",
            *(f"{row.ours.share(verdict):.1%}" for verdict in ("PASS", "UNDECIDED", "FAIL")),
            *(f"{share:.1%}" for share in row.usual.values()),
        ]
        for row in found
    ]


def _undecided_table(trials: int) -> list[list[str]]:
    margins = (0.005, 0.01, 0.02, 0.03, 0.05)
    head = ["test rows", *(f"margin {100 * margin:g} points" for margin in margins)]
    sizes = (225, 500, 1000, 2000, 4000, 8000, 16000)
    return [head] + [
        [f"{rows:,}", *(f"{undecided_share(rows, margin, trials):.0%}" for margin in margins)] for rows in sizes
    ]


def _settled_table(trials: int) -> list[list[str]]:
    found = {change: settled_share(change, trials) for change in (0.0, -0.005, -0.02)}
    rows = [[f"{100 * change:+g} points", f"{cases:,}", f"{share:.1%}"] for change, (share, cases) in found.items()]
    return [["true difference", "undecided cases", "settled by the rows asked for"], *rows]


def _chains_table(trials: int) -> list[list[str]]:
    kinds = {"than the one before": list(chains(trials)), "than what is live": list(chains(trials, creeping=True))}
    head = [f"{RETRAINS} retrains, each {100 * STEP:g} points worse", "lost at most 1 point", "a better one passes"]
    return [head] + [
        [
            name,
            f"{np.mean([chain.lost <= MARGIN + 1e-9 for chain in made]):.1%}",
            f"{np.mean([chain.better_passes for chain in made]):.1%}",
        ]
        for name, made in kinds.items()
    ]


if __name__ == "__main__":
    main()
