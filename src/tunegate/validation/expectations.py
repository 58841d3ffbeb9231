"""The one module that knows Great Expectations: a suite and a frame of scalar facts in, outcomes out.

Why it is used this way (pandas engine, scalar columns only, SUMMARY, results matched by `meta`) stands in DESIGN:
on list columns the engine is silently wrong, `success=False` also means "the check crashed", results come back in
another order, and the failing rows come from our own facts.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

Suite = dict[str, Any]
"""A suite in Great Expectations' own JSON: `name`, `expectations` (each `type`, `kwargs`, `meta`), `meta`."""

POSITION = "tunegate_position"
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations says of one expectation. `unexpected` is None where it does not count rows."""

    success: bool
    unexpected: int | None
    observed: object = None


class CrashedExpectationError(RuntimeError):
    """An expectation could not be computed: an error in the suite or in the program, never bad data."""


def suite_of(name: str, expectations: Sequence[Mapping[str, Any]]) -> Suite:
    """The expectations as a suite that Great Expectations reads, with the version that it was made for."""
    from importlib.metadata import version

    meta = {"great_expectations_version": version("great_expectations")}
    return {"name": name, "expectations": [dict(one) for one in expectations], "meta": meta}


def judge(suite: Suite, frame: pa.Table) -> list[Outcome]:
    """One outcome per expectation, in the suite's order.

    Raises CrashedExpectationError when one cannot be computed, and whatever Great Expectations raises for a suite
    that it cannot read.
    """
    gx = _great_expectations()
    expectations = [_expectation(gx, position, one) for position, one in enumerate(suite["expectations"])]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.add_pandas("facts").add_dataframe_asset(suite["name"])
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name=suite["name"],
            data=batch.add_batch_definition_whole_dataframe("all"),
            suite=context.suites.add(gx.ExpectationSuite(name=suite["name"], expectations=expectations)),
        )
    )
    result = definition.run(batch_parameters={"dataframe": _pandas(frame)}, result_format=RESULT_FORMAT)
    outcomes = dict(_outcome(one) for one in result.results)
    return [outcomes[position] for position in range(len(suite["expectations"]))]


def _great_expectations() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when the library is imported
    import great_expectations

    return great_expectations


def _expectation(gx: Any, position: int, one: Mapping[str, Any]) -> Any:
    """With its position in `meta`, because results come back in another order.

    Made one by one: a suite of plain dicts logs an expectation that it does not know, and leaves it out.
    """
    kinds = gx.expectations.expectation_configuration
    meta = {**(one.get("meta") or {}), POSITION: position}
    return kinds.ExpectationConfiguration(type=one["type"], kwargs=one["kwargs"], meta=meta).to_domain_obj()


def _pandas(frame: pa.Table) -> Any:
    """Repeated strings (labels) as categories: a million rows hold no million objects."""
    return frame.to_pandas(strings_to_categorical=True)


def _outcome(result: Any) -> tuple[int, Outcome]:
    config = result.expectation_config
    if message := _crash(result.exception_info):
        raise CrashedExpectationError(f"{config.type}({config.kwargs}) could not be computed: {message}")
    counted = result.result.get("unexpected_count")
    outcome = Outcome(
        success=bool(result.success),
        unexpected=None if counted is None else int(counted),
        observed=result.result.get("observed_value"),
    )
    return int(config.meta[POSITION]), outcome


def _crash(info: Mapping[str, Any] | None) -> str | None:
    """The exception's message; `exception_info` is one report, or one per metric."""
    info = info or {}
    reports = [info] if "raised_exception" in info else list(info.values())
    return next((str(report["exception_message"]) for report in reports if report["raised_exception"]), None)
