"""Where and how a stage runs: the hints in dvc.yaml's `meta:`, over which a pipeline's `resources` win."""

from collections.abc import Mapping
from dataclasses import replace

from tunegate.dvc.project import Hints, Step
from tunegate.params import ResourceSettings

LOCAL = "local"  # where the run itself is


def placed(step: Step, resources: Mapping[str, ResourceSettings]) -> Step:
    """The step with what `resources` say of its stage; what they leave out stays."""
    own = resources.get(step.stage)
    if own is None:
        return step
    hints = step.hints
    return replace(
        step,
        hints=Hints(
            pool=own.pool or hints.pool,
            retries=hints.retries if own.retries is None else own.retries,
            retry_seconds=hints.retry_seconds,
            timeout_seconds=own.timeout or hints.timeout_seconds,
            wait_seconds=own.wait or hints.wait_seconds,
            lost_seconds=own.lost_after or hints.lost_seconds,
        ),
    )
