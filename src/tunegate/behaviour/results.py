"""What behaviour tests found, as the gate, the page and other programs read it: `evaluate/behaviour.json`."""

from pydantic import BaseModel, ConfigDict, Field

from tunegate.params import Precision
from tunegate.statistics.proportions import clopper_pearson, lower_bound, upper_bound


class Found(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Failing(Found):
    """A case that failed. `row` is the test row it was drawn from, None for one made from a template."""

    row: str | None
    record: dict[str, str]
    changed: dict[str, str] | None  # what was asked instead, where something was changed
    wanted: str  # in words
    got: str


class TestResult(Found):
    """`low` to `high` is the exact two-sided 95 % interval of the rate of failures, `lower` and `upper` are the exact
    one-sided 5 % bounds by which the gate decides; all None where there was no case."""

    __test__ = False  # pytest looks for classes named so

    name: str
    kind: str
    what: str  # in words: what was asked
    tolerated: float
    n: int
    failures: int
    rate: float | None
    low: float | None
    high: float | None
    lower: float | None
    upper: float | None
    examples: list[Failing]


class Behaviour(Found):
    """By precision, every test in the file's order."""

    file: str
    hash: str  # SHA-256 of the file
    precisions: dict[Precision, list[TestResult]] = Field(min_length=1)


def bounds(failures: int, n: int) -> dict[str, float | None]:
    """Rate, interval and bounds, as `TestResult` names them."""
    if n == 0:
        return dict.fromkeys(("rate", "low", "high", "lower", "upper"))
    low, high = clopper_pearson(failures, n)
    return {
        "rate": failures / n,
        "low": low,
        "high": high,
        "lower": lower_bound(failures, n),
        "upper": upper_bound(failures, n),
    }
