"""How long stages took, by the records of earlier runs."""

from collections.abc import Iterable
from statistics import median

from tunegate.versions.runs import Run

TIMES = 5  # of which the median is told: one run on a busy machine does not mislead


def past_seconds(runs: Iterable[Run]) -> dict[str, float]:
    """By the stage's address (`train@support`), of the times that it really ran; `runs` come newest first."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for stage in run.ended.stages:
            if stage.state == "ran":
                address = stage.name if "@" in stage.name else f"{stage.name}@{run.pipeline}"
                found.setdefault(address, []).append(stage.seconds)
    return {address: median(seconds[:TIMES]) for address, seconds in found.items()}
