"""The verdict as Markdown, for people: what was decided, why, against whom, and what to do."""

from collections.abc import Iterator, Sequence

from tunegate.gate.checks import Check
from tunegate.gate.notes import Compared, Note
from tunegate.gate.sliced import Slice

SHOWN_NOTES = 8  # of slices; all stand in the report
SHOWN_SLICES = 12


def checks_table(checks: Sequence[Check]) -> Iterator[str]:
    """A line per check, its reason with the numbers in it."""
    yield from ("| check | verdict | reason |", "|---|---|---|")
    for check in checks:
        yield f"| {_cell(check.name)} | {check.verdict} | {_cell(check.reason)} |"


def remedies(checks: Sequence[Check]) -> Iterator[str]:
    told = [f"- {_cell(check.name)}: {check.remedy}" for check in checks if check.remedy]
    if told:
        yield from ("", "What to do:", *told)


def versions_line(compared: Sequence[Compared], improved: bool | None) -> Iterator[str]:
    """Who the candidate was compared with, and whether it is better, which decides nothing."""
    for one in compared:
        if one.problem or one.same_as:
            continue
        name = f"{one.reference} {one.version}" if one.version else one.reference
        out = sum(one.left_out.values())
        yield f"\nCompared with the {name} on {one.rows:,} test rows ({out:,} left out)."
    if improved is not None:
        yield f"\nImprovement over the champion: {'surely better' if improved else 'not shown'} (decides nothing)."


def slices_table(slices: Sequence[Slice]) -> Iterator[str]:
    """The slices that a reader should look at: harmed, critical, or with the largest loss."""
    told = [part for part in slices if part.state == "harmed" or part.critical or part.losses > part.wins]
    if not told:
        return
    moved = "error grew | error shrank" if told[0].of == "errors" else "broken | fixed"
    yield from ("", f"| slice | rows | {moved} | difference | adjusted p | |", "|---|---|---|---|---|---|---|")
    for part in told[:SHOWN_SLICES]:
        shown = part.difference
        span = f"{shown.value:+.3f} ({shown.low:+.3f} to {shown.high:+.3f})" if shown else "–"
        state = part.state.replace("_", " ") + (", critical" if part.critical else "")
        cells = (_cell(part.name), f"{part.n:,}", part.losses, part.wins, span, f"{part.adjusted:.2g}", state)
        yield f"| {' | '.join(map(str, cells))} |"
    if len(told) > SHOWN_SLICES:
        yield f"\n{len(told) - SHOWN_SLICES} more slices that lost more than they won are in gate.json."


def notes_list(notes: Sequence[Note]) -> Iterator[str]:
    if not notes:
        return
    yield from ("", "Notes:")
    yield from (f"- {_cell(note.name)}: {note.reason}" for note in notes[:SHOWN_NOTES])
    if len(notes) > SHOWN_NOTES:
        yield f"- and {len(notes) - SHOWN_NOTES} more slices that are too small, in gate.json."


def _cell(text: str) -> str:
    """Names of labels and columns come from data: they must not break a table or become markup."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
