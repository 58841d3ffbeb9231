"""A data diff as people read it: in a terminal, and as Markdown fit for a pull request."""

from collections.abc import Sequence

from tunegate.data_versions.changes import KINDS, TITLES, Change, DataDiff

FLOWS_SHOWN = 15
LABELS_SHOWN = 20
ROWS_SHOWN = 5  # per kind
CHARACTERS = 90  # of a text
SURE = 0.05


def terminal(diff: DataDiff, rows: int = ROWS_SHOWN) -> str:
    """The whole difference with the first rows of every kind."""
    lines = [f"{diff.before.name} -> {diff.after.name} (read as {diff.pipeline} reads it)", ""]
    lines += [
        f"  {side.name}: {_rows(side.rows)}" + _unread(side.rejected, side.unread) for side in (diff.before, diff.after)
    ]
    if diff.is_empty:
        return "\n".join([*lines, "", "No row differs."])
    width = max(len(title) for title in TITLES.values())
    lines += ["", *(f"  {TITLES[kind]:<{width}} {diff.counts[kind]:>9,}" for kind in KINDS)]
    lines += [f"  {'the same':<{width}} {diff.same:>9,}"]
    lines += _table("Labels that changed, on rows that are in both:", _flow_rows(diff))
    lines += _table("Labels:", _label_rows(diff))
    lines += _table("Columns:", _column_rows(diff))
    lines += [f"\n{note}" for note in diff.notes]
    for kind in KINDS:
        if diff.counts[kind] and rows:
            more = diff.counts[kind] - rows
            lines += [f"\n{TITLES[kind]}:", *(f"  {_change(change)}" for change in diff.rows(kind, limit=rows))]
            lines += [f"  and {more:,} more"] if more > 0 else []
    return "\n".join(lines)


def markdown(diff: DataDiff, rows: int = ROWS_SHOWN) -> str:
    """The same as Markdown; texts of rows stand escaped."""
    lines = [f"## Data: {_safe(diff.before.name)} to {_safe(diff.after.name)}", ""]
    lines += ["| | rows | lines that could not be read |", "|---|---:|---:|"]
    lines += [f"| {_safe(side.name)} | {side.rows:,} | {side.rejected:,} |" for side in (diff.before, diff.after)]
    if diff.is_empty:
        return "\n".join([*lines, "", "No row differs.", ""])
    lines += ["", "| change | rows |", "|---|---:|", *(f"| {TITLES[kind]} | {diff.counts[kind]:,} |" for kind in KINDS)]
    lines += [f"| the same | {diff.same:,} |"]
    for title, table in (
        ("Labels that changed, on rows that are in both", _flow_rows(diff)),
        ("Labels", _label_rows(diff)),
        ("Columns", _column_rows(diff)),
    ):
        lines += _markdown_table(title, table)
    lines += [f"\n{note}" for note in diff.notes]
    for kind in KINDS:
        if diff.counts[kind] and rows:
            lines += [f"\n<details><summary>{TITLES[kind]}: {diff.counts[kind]:,}</summary>\n"]
            lines += [f"- {_safe(_change(change))}" for change in diff.rows(kind, limit=rows)]
            more = diff.counts[kind] - rows
            lines += [*([f"- and {more:,} more"] if more > 0 else []), "\n</details>"]
    return "\n".join([*lines, ""])


def _flow_rows(diff: DataDiff) -> list[list[str]]:
    if not diff.flow:
        return []
    rows = [[str(flow.before), "->", str(flow.after), f"{flow.rows:,}"] for flow in diff.flow[:FLOWS_SHOWN]]
    rest = sum(flow.rows for flow in diff.flow[FLOWS_SHOWN:])
    return [["before", "", "after", "rows"], *rows, *([["others", "", "", f"{rest:,}"]] if rest else [])]


def _label_rows(diff: DataDiff) -> list[list[str]]:
    touched = [one for one in diff.labels if one.added or one.removed or one.gained or one.lost]
    touched.sort(key=lambda one: -(one.added + one.removed + one.gained + one.lost))
    if not touched:
        return []
    rows = [
        [
            one.label[:40],
            f"{one.before:,}",
            f"{one.after:,}",
            f"{100 * (one.share_after - one.share_before):+.1f}",
            f"+{one.added:,} -{one.removed:,}",
            _p(one.p_added),
            f"+{one.gained:,} -{one.lost:,}",
            _p(one.p_relabelled),
        ]
        for one in touched[:LABELS_SHOWN]
    ]
    more = len(touched) - LABELS_SHOWN
    rest = [[f"and {more} more labels", *[""] * 7]] if more > 0 else []
    return [["label", "before", "after", "points", "came, went", "p", "relabelled", "p"], *rows, *rest]


def _column_rows(diff: DataDiff) -> list[list[str]]:
    return [
        ["column", "PSI", "limit", "moved", "p of what came"],
        *(
            [one.column, _number(one.index), _number(one.limit), "yes" if one.moved else "no", _p(one.p)]
            for one in diff.columns
        ),
    ]


def _table(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    cells = [
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return ["", title, *cells]


def _markdown_table(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    head, *body = rows
    return [
        f"\n### {title}\n",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(_safe(cell) for cell in row)} |" for row in body),
    ]


def _change(change: Change) -> str:
    row = change.after or change.before or {}
    place = f"{row.get('id')} ({row.get('source')}:{row.get('source_line')})"
    if change.before is None or change.after is None:
        return f"{place} [{row.get('label')}] {_short(row.get('text'))}"
    said = []
    if "text" in change.changed:
        said.append(f"{_short(change.before.get('text'))} -> {_short(change.after.get('text'))}")
    else:
        said.append(_short(row.get("text")))
    for name in ("label", "split"):
        if name in change.changed:
            said.append(f"[{change.before.get(name)} -> {change.after.get(name)}]")
    said += [f"({name} changed)" for name in change.changed if name in ("other columns", "id")]
    return f"{place} {' '.join(said)}"


def _short(text: object) -> str:
    plain = " ".join(str(text).split())
    return plain if len(plain) <= CHARACTERS else f"{plain[: CHARACTERS - 1]}…"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _unread(rejected: int, unread: Sequence[str]) -> str:
    lines = f", {rejected:,} {'line' if rejected == 1 else 'lines'} that could not be read" if rejected else ""
    return lines + (f"; not read: {', '.join(unread)}" if unread else "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _safe(text: str) -> str:
    """No table cell, tag, link or emphasis comes of a text from the data."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")
