"""The examination of a data set: facts, the rows' checks, the data set's checks, and what follows from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.params import ValidateSettings
from tunegate.records import as_text, question_columns
from tunegate.task import Check, RecordPart
from tunegate.validation.checks import Rules, data_checks, has_own_limit, row_checks
from tunegate.validation.collect import Advance, Facts, collect
from tunegate.validation.dataset import Measure, Sizes, label_table, measures
from tunegate.validation.details import Details
from tunegate.validation.expectations import CrashedExpectationError, Outcome, Suite, judge, suite_of
from tunegate.validation.messages import Finding, snippet
from tunegate.validation.suites import data_expectations, row_expectations


@dataclass(frozen=True)
class Examination:
    """`rule` numbers, per record, the check in `checks` that takes the row out; -1 where it stays."""

    facts: Facts
    checks: tuple[Check, ...]
    rule: NDArray[np.int16]
    findings: tuple[Finding, ...]
    suites: dict[str, Suite]
    sizes: Sizes

    @property
    def kept(self) -> pa.Table:
        """The facts of the rows that stay."""
        return self.facts.table.filter(pa.array(self.rule < 0))

    @property
    def reasons(self) -> list[str]:
        """Why the data is refused; empty when it is accepted."""
        return [finding.sentence() for finding in self.findings if finding.refuses]

    @property
    def labels(self) -> dict[str, dict[str, int]]:
        """Rows that stay per label and split."""
        return label_table(self.kept)

    def quarantined_by_rule(self) -> dict[str, int]:
        """The rules that took rows out, the one with the most rows first; each row counts once."""
        numbers = np.bincount(self.rule[self.rule >= 0], minlength=len(self.checks)).tolist()
        counted = {check.code: number for check, number in zip(self.checks, numbers, strict=True) if number}
        return dict(sorted(counted.items(), key=lambda item: -item[1]))


def examine(rows: ds.Dataset, rejects: int, rules: Rules, advance: Advance = lambda done, total: None) -> Examination:
    """Everything there is to say of the records. Raises UserError for settings or a suite that cannot be used."""
    settings = rules.settings
    checks, on_the_whole = row_checks(rules), data_checks(settings)
    facts = collect(rows, rules, checks, advance)
    rule = _first_rule(facts, checks)
    sizes = _sizes(rule, rejects, checks, settings)
    kept = facts.table.filter(pa.array(rule < 0))
    measured = measures(kept, sizes, facts.words, rules)
    measured = {check.code: measured[check.code] for check in on_the_whole if check.code in measured}
    suites = {
        "rows": suite_of(
            "rows", row_expectations(checks, settings, None if "labels" in facts.table.column_names else facts.labels)
        ),
        "data": suite_of("data", data_expectations(measured)),
    }
    findings = [
        *_row_findings(
            facts,
            checks,
            judge(suites["rows"], _judged_columns(facts.table, suites["rows"])) if checks else [],
            settings,
        ),
        *_data_findings(measured, judge(suites["data"], _frame(measured)) if measured else [], settings),
    ]
    if rules.suite is not None:
        suites["own"] = rules.suite
        findings += _own_findings(rules.suite, _with_payload(facts.table, rows, rules.part))
    shown = _with_first_rows(findings, facts, checks, rows, rules.part)
    return Examination(facts, checks, rule, tuple(shown), suites, sizes)


def _judged_columns(facts: pa.Table, suite: Suite) -> pa.Table:
    """What the suite looks at and no more: a million ids as Python objects would take most of the memory."""
    return facts.select(sorted({one["kwargs"]["column"] for one in suite["expectations"]}))


def _first_rule(facts: Facts, checks: Sequence[Check]) -> NDArray[np.int16]:
    rule = np.full(len(facts.table), -1, dtype=np.int16)
    for number, check in enumerate(checks):
        if check.action == "quarantine":
            rule[(rule < 0) & facts.boolean(check.fact)] = number
    return rule


def _sizes(rule: NDArray[np.int16], rejects: int, checks: Sequence[Check], settings: ValidateSettings) -> Sizes:
    counts = {check.code: int((rule == number).sum()) for number, check in enumerate(checks)}
    apart = {check.code for check in checks if has_own_limit(check, settings)}
    return Sizes(len(rule) + rejects, rejects, {code: count for code, count in counts.items() if code not in apart})


def _row_findings(
    facts: Facts, checks: Sequence[Check], outcomes: Sequence[Outcome], settings: ValidateSettings
) -> Iterable[Finding]:
    for check, outcome in zip(checks, outcomes, strict=True):
        count = int(facts.boolean(check.fact).sum())
        if outcome.unexpected not in (count, None if count else 0):
            raise RuntimeError(f"{check.code}: {count} rows by our facts, {outcome.unexpected} by Great Expectations")
        if count:
            limited = check.action == "fail" or has_own_limit(check, settings)
            yield Finding(
                code=check.code,
                action=check.action,
                refuses=limited and not outcome.success,
                what=check.what,
                remedy=check.remedy,
                count=count,
                total=len(facts.table),
            )


def _frame(measured: dict[str, Measure]) -> pa.Table:
    return pa.table({code: pa.array([measure.value], type=pa.float64()) for code, measure in measured.items()})


def _data_findings(
    measured: dict[str, Measure], outcomes: Sequence[Outcome], settings: ValidateSettings
) -> Iterable[Finding]:
    table = {check.code: check for check in data_checks(settings)}
    for (code, measure), outcome in zip(measured.items(), outcomes, strict=True):
        if not outcome.success:
            check = table[code]
            yield Finding(code, check.action, check.action == "fail", measure.what, check.remedy)


def _own_findings(suite: Suite, frame: pa.Table) -> Iterable[Finding]:
    """Of the user's suite; `meta` of an expectation may hold `code`, `action` (fail, warn), `what`, `remedy`."""
    try:
        outcomes = judge(suite, frame)
    except CrashedExpectationError as error:
        raise UserError(f"validate.suite: {error}.", f"The columns are {', '.join(frame.column_names)}.") from error
    except Exception as error:  # Great Expectations raises many kinds for a suite that it cannot read
        raise UserError(
            f"validate.suite is no suite that Great Expectations can read: {error}.",
            "Give its expectations as type, kwargs and meta, as Great Expectations writes them.",
        ) from error
    for one, outcome in zip(suite["expectations"], outcomes, strict=True):
        meta = one.get("meta") or {}
        if not outcome.success:
            yield Finding(
                code=str(meta.get("code", "SUITE")),
                action=str(meta.get("action", "fail")),
                refuses=meta.get("action", "fail") == "fail",
                what=str(meta.get("what", f"{one['type']} {one['kwargs']} does not hold")),
                remedy=str(meta.get("remedy", "The expectation stands in validate.suite.")),
                count=outcome.unexpected,
                total=None if outcome.unexpected is None else len(frame),
            )


def _with_payload(facts: pa.Table, rows: ds.Dataset, part: RecordPart) -> pa.Table:
    payload = rows.to_table(columns=[one.name for one in part.PAYLOAD])
    for name in payload.column_names:
        if name not in facts.column_names:
            facts = facts.append_column(name, payload[name])
    return facts


def _with_first_rows(
    findings: Sequence[Finding], facts: Facts, checks: Sequence[Check], rows: ds.Dataset, part: RecordPart
) -> list[Finding]:
    """Each finding on rows with the first of them: where it is, its id, how its text starts, and what is wrong."""
    counted = {finding.code for finding in findings if finding.count}
    found = [check for check in checks if check.code in counted]
    numbers = [int(facts.boolean(check.fact).argmax()) for check in found]
    details = Details(facts, part)
    described = {
        check.code: f"{details.place(row)} id={facts.table['id'][row].as_py()} {snippet(text)}"
        + details.of(check, row, payload)
        for check, row, (text, payload) in zip(found, numbers, _payloads(numbers, rows, part), strict=True)
    }
    return [replace(finding, first=described.get(finding.code)) for finding in findings]


def _payloads(numbers: list[int], rows: ds.Dataset, part: RecordPart) -> list[tuple[str | None, dict[str, Any]]]:
    """The first text that each of these rows has, and its whole payload."""
    if not numbers:
        return []
    taken = rows.take(pa.array(numbers), columns=[column.name for column in part.PAYLOAD])
    texts = pc.coalesce(*(as_text(taken[name]) for name in question_columns(part.PAYLOAD))).to_pylist()
    return list(zip(texts, taken.to_pylist(), strict=True))
