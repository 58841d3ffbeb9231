"""How versions, runs and comparisons read in a terminal and as objects. Text only."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunegate.errors import TunegateError

if TYPE_CHECKING:
    from tunegate.releases.compare import Compared, Pair
    from tunegate.versions.registry import Registry, Version
    from tunegate.versions.runs import Run
    from tunegate.workspace import Workspace


def as_object(registry: "Registry", version: "Version") -> dict[str, Any]:
    """For `--json`."""
    said = version.said.model_dump(exclude={"previous", "nonce", "pipeline", "version"}) if version.said else {}
    history = [
        {"environment": each.environment, "number": each.number, **_by(each.tag.message)}
        for each in registry.assignments
        if (each.pipeline, each.version) == (version.pipeline, version.short)
    ]
    return {
        **said,
        "name": version.name,
        "pipeline": version.pipeline,
        "commit": version.tag.commit,
        "live": registry.live(version),
        "forced": version.forced,
        "rejected": _by(registry.rejection(version)),
        "assigned": history,
    }


def _by(said: Any) -> dict[str, Any]:
    return {} if said is None else {name: getattr(said, name) for name in ("what", "who", "when", "why")}


def table(registry: "Registry", versions: "Sequence[Version]", scores: Mapping[str, str]) -> str:
    """The newest first; of a live version since when it is live, by whom and why, of others the registration's.

    `scores`: what is shown as a version's score, by its name.
    """
    if not versions:
        return "There is no version yet: the first run that passes its gate, or is approved, registers one."
    rows = [("version", "live in", "score", "verdict", "since", "by", "why")]
    for version in sorted(versions, key=lambda each: (each.pipeline, each.number), reverse=True):
        live, said = registry.live(version), version.said
        if live:  # in several: what holds in the first, which is production where it is there
            said = registry.history(version.pipeline, live[0])[-1].tag.message
        verdict = version.said.verdict if version.said else ""
        verdict = f"{verdict}, forced" if version.forced else verdict
        if (rejection := registry.rejection(version)) is not None:
            verdict, said = f"{verdict}, rejected", rejection
        facts = (_date(said.when), _name(said.who), said.why) if said else ("", "", "")
        rows.append((version.name, ", ".join(live) or "-", scores.get(version.name, "-"), verdict, *facts))
    return columns(rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned, two spaces apart; line breaks within a cell would tear the table."""
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def page(registry: "Registry", version: "Version", folders: Mapping[str, str]) -> str:
    """One version."""
    facts = as_object(registry, version)
    named = ("verdict", "verdict_hash", "who", "when", "why", "run", "commit", "bento", "task", "decision")
    lines = [version.name + (" (forced)" if version.forced else "")]
    lines += [f"  {name.replace('_', ' '):<13} {facts[name]}" for name in named if facts.get(name)]
    lines += [f"  {'labels':<13} {', '.join(facts['labels'])}"] if facts.get("labels") else []
    if no := facts["rejected"]:
        lines += [f"  {'rejected by':<13} {no['who']}, {no['when']}: {no['why']}"]
    lines += [f"  {'live in':<13} {', '.join(facts['live']) or 'nothing'}"]
    for each in facts["assigned"]:
        lines.append(
            f"  {each['environment']} #{each['number']}: {each.get('when', '')} {each.get('who', '')}: "
            f"{each.get('why', '')}"
        )
    lines += [f"  {path:<13} {value}" for path, value in folders.items()]
    return "\n".join([*lines, "", next_of(registry, version)])


def next_of(registry: "Registry", version: "Version") -> str:
    """What to do with it; back only where a version was live before."""
    live = registry.live(version)
    if live:
        back = next((name for name in live if registry.before(version.pipeline, name)), None)
        where = "" if back == "production" else f" --environment {back}"
        command = f'tunegate versions rollback {version.pipeline}{where} --why "..."'
        return f"It is live in {', '.join(live)}." + (f" Back to the one before: {command}" if back else "")
    if registry.rejection(version) is not None:
        return "It was rejected, and goes nowhere."
    return f'Make it live: tunegate versions promote {version.name} production --why "..."'


def run_table(runs: "Sequence[Run]", decided: Mapping[str, str]) -> str:
    """`decided`: what people decided, by run."""
    if not runs:
        return "There is no run on record yet: `tunegate run` makes the first one."
    rows = [("run", "when", "by", "status", "verdict", "decided", "minutes", "commit")]
    for run in runs:
        minutes = sum(stage.seconds for stage in run.ended.stages) / 60
        rows.append(
            (
                run.name, _date(run.when), _name(run.who), run.ended.status, run.ended.verdict or "-",
                decided.get(run.name, "-"), f"{minutes:.1f}", run.commit[:10],
            )
        )  # fmt: skip
    return columns(rows)


def flips_of(workspace: "Workspace", found: "Compared", most: int) -> dict[str, Any]:
    """The rows that came out otherwise, where both answered the same ones; else `flips_missing` says why."""
    from tunegate.review.flips import BROKEN, FIXED
    from tunegate.review.flips import compared as by_rows
    from tunegate.review.snapshots import open_snapshot

    before, after = found.before, found.after
    try:
        sides = [open_snapshot(workspace, each.pipeline, each.commit) for each in (before, after)]
        rows = by_rows(*sides)
    except TunegateError as error:
        return {"flips_missing": f"{error.problem} {error.remedy}"}
    pairs = [
        {"name": pair.name, **{side: getattr(pair, side).model_dump() for side in ("before", "after", "difference")}}
        for pair in rows.metrics
    ]
    return {
        "shared_rows": rows.rows,
        "shared_scores": pairs,
        "fixed": rows.count(FIXED),
        "broken": rows.count(BROKEN),
        "flips": rows.flips.slice(0, most).to_pylist(),
    }


def compared(found: "Compared", flips: Mapping[str, Any]) -> str:
    """A comparison for a terminal."""
    lines = [f"{found.before.name} and {found.after.name}", ""]
    if not found.same_rows:
        lines += ["They were scored on different test rows: these scores are not to be compared with each other.", ""]
    lines += [
        columns([("score", found.before.name, found.after.name), *(_cells(pair, _score) for pair in found.scores)])
    ]
    lines += ["", *_shared(flips)]
    if found.settings:
        lines += [
            "",
            columns(
                [("setting", found.before.name, found.after.name), *(_cells(pair, str) for pair in found.settings)]
            ),
        ]
    else:
        lines += ["", "No setting differs."]
    lines += [
        "",
        columns([("test rows of", found.before.name, found.after.name), *(_cells(pair, str) for pair in found.labels)]),
    ]
    return "\n".join(lines)


def _shared(flips: Mapping[str, Any]) -> list[str]:
    if "flips_missing" in flips:
        return [f"No row-by-row comparison: {flips['flips_missing']}"]
    lines = [
        f"On the {flips['shared_rows']:,} test rows that both answered: "
        f"{flips['fixed']} fixed, {flips['broken']} broken."
    ]
    for pair in flips["shared_scores"]:
        lines.append(
            f"  {pair['name']:<16} {_estimate(pair['before'])}  ->  {_estimate(pair['after'])}, "
            f"difference {_estimate(pair['difference'], '+')}"
        )
    lines += [
        f"  {row['kind']:<7} {row['id']}: {row['before']} -> {row['after']} (label {row['label']})"
        for row in flips["flips"]
    ]
    return lines


def _estimate(found: Mapping[str, float], sign: str = "") -> str:
    return f"{found['value']:{sign}.3f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


def _score(score: Any) -> str:
    return f"{_estimate(score.model_dump())} on {score.n:,}"


def _cells(pair: "Pair", show: Any) -> tuple[str, str, str]:
    before, after = ("-" if side is None else str(show(side)) for side in (pair.before, pair.after))
    return pair.name, before, after


def _date(when: str) -> str:
    return when[:16].replace("T", " ")


def _name(who: str) -> str:
    """Without the mail."""
    return who.partition(" <")[0]
