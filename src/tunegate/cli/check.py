"""`tunegate check`: ingest and validate on a person's own files. It needs no pipeline and changes nothing."""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.cli.options import as_options, names_in, reading, said_as_options, typed
from tunegate.errors import ExitStatus, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tunegate.params import IngestSettings, ValidateSettings
    from tunegate.task import RecordPart
    from tunegate.text.readers import RawFile
    from tunegate.validation.examine import Examination
    from tunegate.validation.summary import Summary

LINES_SHOWN = 10  # line numbers per finding and file; --json has all of them
LABELS_SHOWN = 30
REJECTS_SHOWN = 5


def add_to(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    files: Annotated[list[Path], typer.Argument(help="files or folders with the rows (CSV, TSV, JSON lines, ...)")],
    task: Annotated[str, typer.Option(help="the kind of problem")],
    test: Annotated[list[Path] | None, typer.Option(help="a file with the test rows; may be repeated")] = None,
    validation: Annotated[list[Path] | None, typer.Option(help="a file with the validation rows")] = None,
    text: Annotated[str, typer.Option(help="the column with the text, where it is not named text")] = "",
    text_b: Annotated[str, typer.Option(help="the column with the second text of a pair")] = "",
    label: Annotated[str, typer.Option(help="the column with what is to be learnt (label, labels, ...)")] = "",
    label_columns: Annotated[str, typer.Option(help="columns of 0 and 1, one per label, with commas between")] = "",
    label_delimiter: Annotated[str, typer.Option(help="what stands between the labels of one cell")] = "",
    row_id: Annotated[str, typer.Option("--id", help="the column with the row's id, where it is not named id")] = "",
    column: Annotated[list[str] | None, typer.Option(help="FIELD=COLUMN for any other field (split=part)")] = None,
    encoding: Annotated[str, typer.Option(help="the files' encoding")] = "utf-8",
    delimiter: Annotated[str, typer.Option(help="the character between columns, where it is not as usual")] = "",
    personal_data: Annotated[bool, typer.Option("--personal-data", help="Look for addresses and numbers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with every line number.")] = False,
) -> None:
    """Look for duplicates, leaks, conflicting labels, broken text and odd lengths in labelled files."""
    from tunegate.params import ValidateSettings
    from tunegate.tasks import record_of

    part = record_of(task)
    said = {"text": text, "text_b": text_b, "label": label, "id": row_id, **_pairs(column or [])}
    of_sets = {"label_columns": list(names_in(label_columns)), "label_delimiter": typed(label_delimiter) or None}
    settings = reading(encoding, delimiter).model_copy(update=of_sets)
    given = {"auto": files, "test": test or [], "validation": validation or []}
    with said_as_options():
        raw = [file for split, paths in given.items() for path in paths for file in _raw_files(path, split, settings)]
        settings = _with_columns(settings, {field: name for field, name in said.items() if name}, raw, part)
        summary, rejects = _judge(raw, part, settings, ValidateSettings(personal_data=personal_data))
    if as_json:
        print(summary.model_dump_json(indent=2))
    else:
        _show(summary, rejects, len(raw))
    raise typer.Exit(ExitStatus.PASSED if summary.accepted else ExitStatus.REFUSED)


def _pairs(columns: list[str]) -> dict[str, str]:
    pairs = {field: found for field, _, found in (column.partition("=") for column in columns)}
    if not all(field and found for field, found in pairs.items()):
        raise UserError(f"--column {' '.join(columns)} is not FIELD=COLUMN.", "For example: --column split=part.")
    return pairs


def _raw_files(path: Path, split: str, settings: "IngestSettings") -> "list[RawFile]":
    """A folder whose files are named for splits (train.csv, test.csv) keeps them; `auto` means: no split is given."""
    from tunegate.new_pipeline.survey import split_files
    from tunegate.text.readers import choose_files, file_of

    if not path.is_dir():
        return [replace(file_of(path, settings), split=split)]
    named = split_files(path) if split == "auto" else {}
    patterns = settings.model_copy(update={"files": named or {"*": split}})
    return choose_files(path, patterns, str)[0]


def _with_columns(
    settings: "IngestSettings", given: "Mapping[str, str]", files: "Sequence[RawFile]", part: "RecordPart"
) -> "IngestSettings":
    from tunegate.new_pipeline.answers import as_own_field, check_answers
    from tunegate.new_pipeline.columns import choose_columns
    from tunegate.new_pipeline.lists import choose_lists
    from tunegate.new_pipeline.survey import sample_values

    given = as_own_field(given, part.PAYLOAD)
    lists, given = choose_lists(part.PAYLOAD, sample_values(files, settings), given)
    settings = settings.model_copy(update={"lists": lists})
    check_answers(files, settings, part.PAYLOAD, given)
    columns = choose_columns(part.PAYLOAD, sample_values(files, settings), given, ask=None)
    return settings.model_copy(update={"columns": columns})


def _judge(
    files: "Sequence[RawFile]", part: "RecordPart", ingest_settings: "IngestSettings", settings: "ValidateSettings"
) -> "tuple[Summary, pa.Table]":
    """The summary, and the lines that could not be read."""
    import pyarrow.dataset as ds

    from tunegate.params import SplitSettings
    from tunegate.progress import Progress
    from tunegate.records import read_table
    from tunegate.stages.ingest import ingest
    from tunegate.validation.checks import Rules
    from tunegate.validation.examine import examine

    progress = Progress("check", sys.stderr)
    nothing_held_out = SplitSettings(test=0.0, validation=0.0)
    with TemporaryDirectory(prefix="tunegate-check-") as folder:
        out = Path(folder)
        ingest(files, part.PAYLOAD, ingest_settings, nothing_held_out, out, progress)
        rejects = read_table(out / "rejects.parquet")
        rows = ds.dataset(out / "records.parquet")
        has_test = bool(rows.count_rows(filter=ds.field("split") == "test"))
        examination = examine(
            rows,
            len(rejects),
            Rules(part, _for_a_file(settings, has_test)),
            lambda done, total: progress.advance("rows", done, total),
        )
        return _summary(examination, rejects), rejects


def _for_a_file(settings: "ValidateSettings", has_test: bool) -> "ValidateSettings":
    """What asks for splits is left out: a pipeline makes those that are not given."""
    from tunegate.params import CheckSettings

    idle = ["SPLIT_EMPTY"] if has_test else ["SPLIT_EMPTY", "SPLIT_RATIO", "CLASS_UNTESTED"]
    return settings.model_copy(update={"checks": {code: CheckSettings(action="off") for code in idle}})


def _summary(examination: "Examination", rejects: "pa.Table") -> "Summary":
    from tunegate.validation.dataset import label_table
    from tunegate.validation.summary import summary_of

    return summary_of(examination, rejects, label_table(examination.facts.table))


def _show(summary: "Summary", rejects: "pa.Table", files: int) -> None:
    from tunegate.validation.summary import listed

    splits = [f"{split} {number:,}" for split, number in summary.splits.items() if number]
    split = f" ({', '.join(splits)})" if len(splits) > 1 else ""
    rows = f"{summary.rows:,} {'row' if summary.rows == 1 else 'rows'}{split}"
    print(f"{rows} from {files} {'file' if files == 1 else 'files'}")
    _show_rejects(rejects)
    for finding in summary.findings:
        print(f"\n{finding.message}")
        for source, lines in finding.lines.items():
            print(f"    {source} line {listed(lines, LINES_SHOWN)}")
    if not summary.findings:
        print("\nNo check found anything.")
    _show_labels(summary)
    if lengths := summary.lengths:
        print(
            f"\ncharacters per text: shortest {lengths.shortest:,}, median {lengths.median:,}, "
            f"99 % at most {lengths.most:,}, longest {lengths.longest:,}"
        )
    print(f"\n{_verdict(summary)} Nothing was changed.")


def _show_rejects(rejects: "pa.Table") -> None:
    if not len(rejects):
        return
    print(f"\n{len(rejects):,} {'line' if len(rejects) == 1 else 'lines'} could not be read:")
    for reject in rejects.slice(0, REJECTS_SHOWN).to_pylist():
        place = f"{reject['source']}:{reject['source_line']}"
        print(f"    {place} [{reject['rule']}] {reject['reason'].rstrip('.')}. {as_options(reject['remedy'])}")
    if len(rejects) > REJECTS_SHOWN:
        print(f"    and {len(rejects) - REJECTS_SHOWN:,} more (--json lists them all)")


def _show_labels(summary: "Summary") -> None:
    if not summary.labels:
        return
    splits = [split for split, number in summary.splits.items() if number]
    width = min(max(len(label) for label in summary.labels), 60)
    columns = f" ({', '.join(splits)})" if len(splits) > 1 else ""
    print(f"\n{len(summary.labels)} {'label' if len(summary.labels) == 1 else 'labels'}{columns}:")
    for label, counts in list(summary.labels.items())[:LABELS_SHOWN]:
        print(f"    {label[:60]:<{width}} " + " ".join(f"{counts[split]:>8,}" for split in splits))
    if len(summary.labels) > LABELS_SHOWN:
        print(f"    and {len(summary.labels) - LABELS_SHOWN} more")


def _verdict(summary: "Summary") -> str:
    taken_out = f"A pipeline would take {summary.quarantined:,} {'row' if summary.quarantined == 1 else 'rows'} out"
    if summary.accepted:
        return f"{taken_out} and accept the data."
    codes = ", ".join(finding.code for finding in summary.findings if finding.refuses)
    return f"{taken_out} and, with its default limits, refuse the data ({codes})."
