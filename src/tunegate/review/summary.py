"""A summary as Markdown, fit for a pull request. It holds no text of rows; names of others stand escaped."""

import re
from collections.abc import Iterator

from tunegate.errors import TunegateError
from tunegate.review.flips import Compared, compared
from tunegate.review.rendering import number, signed, when
from tunegate.review.reports import CheckSeen, EvaluateSeen, GateSeen, ValidateSeen
from tunegate.review.site import Site
from tunegate.review.snapshots import NOW, Snapshot
from tunegate.review.text import shown
from tunegate.review.views.home import PipelineShown, home_view
from tunegate.workspace import Workspace

SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


def summary(workspace: Workspace) -> str:
    """What the working tree's results say, and how they compare with what is live."""
    site = Site(workspace)
    lines = ["# tunegate: results", ""]
    for pipeline in home_view(site).pipelines:
        lines += _pipeline(site.snapshot(pipeline.name, NOW), pipeline)
    return "\n".join(lines).rstrip() + "\n"


def _pipeline(now: Snapshot, pipeline: PipelineShown) -> Iterator[str]:
    yield f"## {safe(pipeline.name)}"
    yield ""
    if pipeline.problem:
        yield from (safe(pipeline.problem), "")
        return
    gate, scores = now.report("gate", GateSeen), now.report("evaluate", EvaluateSeen)
    if gate is None:
        yield from ("Not run yet.", "")
    else:
        yield from _verdict(gate, scores)
    yield from _live(now, pipeline)
    data = now.report("validate", ValidateSeen)
    if data is not None:
        state = "accepted" if data.accepted else "**refused**"
        yield from (f"Data: {state}, {data.rows:,} rows, {data.quarantined:,} in quarantine.", "")
    for each in pipeline.waiting:
        yield from (f"**Waits for a decision:** {each.kind} {safe(each.name)}.", "")


def _verdict(gate: GateSeen, scores: EvaluateSeen | None) -> Iterator[str]:
    measured = ""
    if scores:
        found = scores.primary
        measured = (
            f" {safe(found['name'])} {number(found['value'])} ({number(found['low'])} to {number(found['high'])})"
        )
    yield from (f"**{gate.verdict}**{measured} `{gate.hash[:12]}`", "")
    yield from ("| check | verdict | estimate | 95 % interval | threshold | reason |", "|---|---|---:|---:|---:|---|")
    yield from (_check(check) for check in gate.checks)
    remedies = [f"- {safe(check.name)}: {safe(check.remedy)}" for check in gate.checks if check.remedy]
    yield from ("", *(["What to do:", *remedies, ""] if remedies else []))


def _check(check: CheckSeen) -> str:
    spread = f"{number(check.low)} to {number(check.high)}" if check.low is not None else "–"
    cells = [check.verdict, number(check.estimate), spread, number(check.threshold), safe(check.reason)]
    return f"| {safe(check.name)} | {' | '.join(cells)} |"


def _live(now: Snapshot, pipeline: PipelineShown) -> Iterator[str]:
    for each in pipeline.live:
        yield f"- {each.environment}: {safe(each.ref)} since {when(each.when)}, {safe(each.who)}: {safe(each.why)}"
    champion = next((each.ref for each in pipeline.live if each.environment == "production"), None)
    yield ""
    if champion:
        try:
            before = Site(now.workspace).snapshot(pipeline.name, champion)
            yield from _difference(champion, compared(before, now))
        except TunegateError as error:
            yield from (f"Not compared with {champion}: {safe(error.problem)}", "")


def _difference(champion: str, found: Compared) -> Iterator[str]:
    yield f"Against {champion} on {found.rows:,} shared test rows:"
    yield from ("", "| metric | before | after | difference | 95 % interval |", "|---|---:|---:|---:|---:|")
    for pair in found.metrics:
        gain = pair.difference
        spread = f"{signed(gain.low)} to {signed(gain.high)}"
        values = [number(pair.before.value), number(pair.after.value), signed(gain.value), spread]
        yield f"| {pair.name} | {' | '.join(values)} |"
    counts = ", ".join(f"{found.count(kind):,} {kind}" for kind in ("fixed", "broken", "other"))
    yield from ("", f"Rows answered otherwise: {counts}.", "")


def safe(text: str) -> str:
    """Others' words as words: no markup, no HTML, no name that is told of it."""
    plain = SPECIAL.sub(r"\\\1", " ".join(shown(text, 600).split()))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060")
