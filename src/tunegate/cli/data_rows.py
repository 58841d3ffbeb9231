"""`tunegate data quarantine`, `readmit` and `suspects`: single rows that need a person."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunegate.workspace import Workspace

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")]
Named = Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")]
ROWS_SHOWN = 20
CHARACTERS = 100  # of a row's text


def add_to(data: typer.Typer) -> None:
    data.command("quarantine")(quarantine)
    data.command("readmit")(readmit)
    data.command("suspects")(suspects)


def quarantine(
    pipeline: Named,
    rule: Annotated[str | None, typer.Option(help="only rows that this rule took out, for example TEXT_EMPTY")] = None,
    export: Annotated[Path | None, typer.Option(help="write the rows for repair (.csv or .jsonl)")] = None,
    rows: Annotated[int, typer.Option(min=0, help="rows to show")] = ROWS_SHOWN,
    as_json: Json = False,
) -> None:
    """List the rows that validation took out, with reasons and remedies."""
    from tunegate.data_versions import quarantine as room

    workspace = Workspace.find()
    table = room.quarantined(workspace, pipeline, rule)
    written = room.export(workspace, pipeline, export, rule) if export else None
    if as_json:
        shown = {"pipeline": pipeline, "by_rule": room.by_rule(table), "rows": table.slice(0, rows).to_pylist()}
        print(json.dumps({**shown, "exported": written}, ensure_ascii=False))
        return
    print(f"{pipeline}: {len(table):,} {'row is' if len(table) == 1 else 'rows are'} quarantined.")
    for code, count in room.by_rule(table).items():
        print(f"  {code:<18} {count:>7,}")
    for row in table.slice(0, rows).to_pylist():
        print(f"\n{row['source']}:{row['source_line']} [{row['rule']}] {_short(row['raw'])}")
        print(f"    {row['reason'].rstrip('.')}. {row['remedy']}")
    if len(table) > rows:
        print(f"\nand {len(table) - rows:,} more")
    if export:
        print(f"\n{written:,} rows for repair in {export}. Bring them back: tunegate data readmit {pipeline} {export}")


def readmit(
    pipeline: Named,
    file: Annotated[Path, typer.Argument(help="the exported file, with corrected rows")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write data that validation would refuse, too.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Push the new version to DVC's and git's remotes.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; without --yes nothing is written.")
    ] = False,
) -> None:
    """Bring corrected rows back in the place of the raw ones, as a new data version."""
    from tunegate.cli.data_add import write_after_a_look
    from tunegate.data_versions import quarantine as room

    workspace = Workspace.find()
    write_after_a_look(
        workspace,
        lambda progress: room.readmit(workspace, pipeline, file, progress),
        f"Correct rows of {pipeline}: {file.name}",
        yes=yes,
        anyway=anyway,
        push=push,
        as_json=as_json,
    )


def suspects(
    pipeline: Named,
    export: Annotated[Path | None, typer.Option(help="write all suspects (.csv or .jsonl)")] = None,
    rows: Annotated[int, typer.Option(min=0, help="suspects to show")] = ROWS_SHOWN,
    as_json: Json = False,
) -> None:
    """Rank rows whose label may be wrong, and say what to label next."""
    from tunegate.data_versions import suspects as room
    from tunegate.data_versions.tables import check_ending

    if export:
        check_ending(export)
    print("Training on four fifths of the rows, five times ...", file=sys.stderr)
    found = room.find_suspects(Workspace.find(), pipeline)
    written = room.export(found, export) if export else None
    if as_json:
        print(json.dumps({**found.model_dump(mode="json"), "exported": written}, ensure_ascii=False))
        return
    print(f"{pipeline}: {len(found.suspects):,} of {found.rows:,} labels may be wrong, the surest first.")
    print(_showing(rows, len(found.suspects)))
    for one in found.suspects[:rows]:
        print(f"{one.source}:{one.source_line} {one.label} ({one.probability:.2f}) -> {one.suggested} "
              f"({one.suggested_probability:.2f})  {_short(one.text)}")  # fmt: skip
    if found.wanted:
        print("\nWhat the gate lacks rows for:")
    for wanted in found.wanted:
        more = f" about {wanted.more_rows:,} more rows" if wanted.more_rows else ""
        print(f"  {wanted.name}:{more} ({wanted.reason})")
    print("\nWhat to label more of, like these rows between two labels:")
    for least in found.least_sure[:5]:
        print(f"  {least.source}:{least.source_line} {' or '.join(least.between)}?  {_short(least.text)}")
    if export:
        print(f"\n{written:,} in {export}. Correct `label` there, then: tunegate data readmit {pipeline} {export}")


def _showing(rows: int, found: int) -> str:
    return f"showing {rows:,} of {found:,} (--rows, --export)\n" if found > rows else ""


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= CHARACTERS else f"{plain[: CHARACTERS - 1]}…"
