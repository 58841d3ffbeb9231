"""docs/tasks.md: every task of the table as its own modules tell it, and what it did on real data."""

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.tasks import Case, cases, results

NO_AUGMENTER = "none: any change of a row could make its answer untrue"
BETTER = {True: "higher is better", False: "lower is better"}


def tasks_page() -> list[str]:
    """The page's lines."""
    from tunegate.tasks import TASKS

    lines = [
        "# Tasks\n",
        "A pipeline's `task` says what is learnt. Everything else (data versions, training, the gate, the page, the "
        "service) is alike for all. How a request and an answer of each look over HTTP stands in "
        "[reference/service.md](reference/service.md).\n",
        "| task | what it is |",
        "|---|---|",
        *(f"| [`{name}`](#{name}) | {what} |" for name, what in TASKS.items()),
        "",
    ]
    for name, what in TASKS.items():
        lines += _task(name, what)
    return lines


def _task(name: str, what: str) -> Iterator[str]:
    from tunegate.cli.params import settings_of
    from tunegate.tasks import answering_of, record_of

    record, answering = record_of(name), answering_of(name)
    yield f"\n## {name}\n"
    yield f"{what[0].upper()}{what[1:]}.\n"
    yield "| field of a row | | meaning |\n|---|---|---|"
    for column in record.PAYLOAD:
        kind = "asked" if column.kind in ("text", "beside") else "answer"
        yield f"| `{column.name}` | {kind}{'' if column.required else ', optional'} | {column.description} |"
    yield f"\nAn example:\n\n```json\n{json.dumps(record.EXAMPLES[0], ensure_ascii=False)}\n```\n"
    settings = settings_of(record.Options, "options.")
    if settings:
        yield "| setting | default | meaning |\n|---|---|---|"
        yield from (f"| `{row.key}` | `{row.default}` | {row.meaning} |" for row in settings)
        yield ""
    metrics = "; ".join(
        f"`{metric.name}` ({metric.title}, {BETTER[metric.higher_is_better]})" for metric in answering.METRICS
    )
    yield f"- **Measured by** {metrics}. The gate decides by the first; resampled by {answering.METRICS[0].unit}."
    yield f"- **Cheap baselines**: {', '.join(f'`{one}`' for one in answering.BASELINES)}."
    augmenters = ", ".join(f"`{one}`" for one in record.AUGMENTERS) or NO_AUGMENTER
    yield f"- **Augmentation** that keeps answers true: {augmenters}."
    yield from _real(name)


def _real(task: str) -> Iterator[str]:
    """What was measured on real data."""
    found = results()
    rows = [(case, found[name]) for name, case in cases().items() if case.task == task and name in found]
    if not rows:
        return
    yield "\n| real data | rows: train, test | metric | best cheap baseline | minutes, training | MB |"
    yield "|---|---|---|---|---|---|"
    yield from (_row(case, result) for case, result in rows)
    yield ""
    for machine in dict.fromkeys(f"{result['machine']}, {result['day']}" for _, result in rows):
        yield f"Measured on {machine}."
    notes = [f"- `{case.name}`: {note}." for case, result in rows for note in _notes(case, result)]
    if notes:
        yield "\n" + "\n".join(notes)


def _row(case: Case, result: dict[str, Any]) -> str:
    score = f"{result['metric']} {result['value']:.3f} [{result['low']:.3f}, {result['high']:.3f}]"
    minutes = f"{result['minutes']}, {result['train_minutes']}" if "minutes" in result else "not taken"
    baseline = f"{result['baseline_value']:.3f} ({result['baseline']})"
    return (
        f"| `{case.name}`: {case.what} | {result['train_rows']:,}, {result['test_rows']:,} | {score} | {baseline} "
        f"| {minutes} | {result['megabytes']:.0f} |"
    )


def _notes(case: Case, result: dict[str, Any]) -> Iterator[str]:
    low, high = result["difference"]
    beaten = low > 0 if result["higher_is_better"] else high < 0
    if not beaten:
        reason = f": {case.why_not}" if case.why_not else ""
        yield f"not surely better than the baseline (difference {low:+.3f} to {high:+.3f}){reason}"
    if case.published:
        yield f"elsewhere, {case.published}"
