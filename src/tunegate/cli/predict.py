"""`tunegate predict`: answers of the packaged version, without a server."""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from tunegate.cli.options import column_pair, reading, said_as_options
from tunegate.errors import UserError
from tunegate.workspace import Workspace, check_pipeline_name, no_such_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunegate.file_answers import FileQuestions, Row
    from tunegate.params import IngestSettings
    from tunegate.predictor import Predictor

DELIMITERS = {".csv": ",", ".tsv": "\t"}
OUTPUTS = (*DELIMITERS, ".jsonl")
DIGITS = 4  # of numbers that people read; --json and files of answers have all of them


def add_to(app: typer.Typer) -> None:
    app.command("predict")(predict)


def predict(
    pipeline: Annotated[str, typer.Argument(help="the pipeline, a name from params.yaml")],
    text: Annotated[str | None, typer.Option(help="one text to answer")] = None,
    text_b: Annotated[str | None, typer.Option(help="the second text, where the model reads pairs")] = None,
    record: Annotated[str | None, typer.Option(help='one record as JSON: {"text": "..."}')] = None,
    file: Annotated[
        Path | None, typer.Option(help="a file of questions: CSV, TSV, JSON lines, Parquet, XLSX, JSON as SQuAD's")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="where the file's answers go: .csv, .tsv or .jsonl")] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=column of the file, for example text=body")] = None,
    encoding: Annotated[str, typer.Option(help="the file's encoding, where it is not the pipeline's")] = "",
    delimiter: Annotated[str, typer.Option(help="the character between columns, where it is not the pipeline's")] = "",
    scores: Annotated[bool, typer.Option("--scores", help="Also say the scores of every possibility.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs (of a file: lines).")] = False,
) -> None:
    """Answer with the packaged version of a pipeline: one text, or a file row by row in its order."""
    given = [name for name, value in (("--text", text), ("--record", record), ("--file", file)) if value is not None]
    if len(given) != 1:
        raise UserError("Give either --text, --record or --file.", 'For example: --text "Where is my parcel?"')
    _refuse_idle(
        given[0],
        {"--text-b": text_b, "--column": column, "--encoding": encoding or None, "--delimiter": delimiter or None},
    )
    if output is not None:
        _check_output(output, file)
    question = _question(text, text_b, record) if file is None else None
    from tunegate.file_answers import file_questions

    workspace = Workspace.find()
    predictor, version = _open(workspace, check_pipeline_name(pipeline))
    if file is None:
        _answer_one(question, predictor, version, scores, as_json)
    else:
        settings = reading(encoding, delimiter, _ingest_settings(workspace, pipeline))
        questions = file_questions(file, predictor.manifest, settings, dict(map(column_pair, column or [])))
        with said_as_options(), _counted(_answers(predictor, questions, scores), output) as rows:
            _write(rows, predictor, output, as_json, scores)


ONLY_WITH = {"--text-b": "--text", "--column": "--file", "--encoding": "--file", "--delimiter": "--file"}


def _refuse_idle(given: str, others: dict[str, object]) -> None:
    """What would not be looked at is said, not passed over."""
    for name, value in others.items():
        if value is not None and given != ONLY_WITH[name]:
            raise UserError(
                f"{name} goes with {ONLY_WITH[name]}, not with {given}.", f"Leave it out, or leave {given}."
            )


def _question(text: str | None, text_b: str | None, record: str | None) -> object:
    """The record as it was given; whether it is one of the task's is seen later."""
    if record is None:
        return {name: value for name, value in (("text", text), ("text_b", text_b)) if value is not None}
    try:
        return json.loads(record)
    except ValueError as error:
        raise UserError(f"--record is not JSON: {error}.", """For example: --record '{"text": "..."}'""") from error


def _check_output(output: Path, file: Path | None) -> None:
    if file is None or output.suffix not in OUTPUTS:
        raise UserError(
            f"--output {output} fits no file of answers.", f"Use it with --file, ending {', '.join(OUTPUTS)}."
        )
    if output.exists() and file.exists() and output.samefile(file):
        raise UserError(f"--output {output} is the file that is read.", "Name another, which the answers may replace.")
    if output.is_dir() or not output.parent.is_dir():
        wrong = f"{output} is a folder" if output.is_dir() else f"there is no folder {output.parent}"
        raise UserError(f"--output cannot be written: {wrong}.", "Name a file in a folder that is there.")


def _open(workspace: Workspace, pipeline: str) -> "tuple[Predictor, str]":
    from tunegate.bento import SERVING, packaged_bento, read_packaged, tag_of
    from tunegate.service.room import checked_predictor

    bento = packaged_bento(workspace, pipeline)
    folder = bento / "src" / SERVING
    return checked_predictor(folder, read_packaged(folder), threads=len(os.sched_getaffinity(0))), tag_of(bento)


def _answer_one(record: object, predictor: "Predictor", version: str, scores: bool, as_json: bool) -> None:
    from tunegate.asked import Mistake, check_question
    from tunegate.tasks import record_of

    part = record_of(predictor.manifest.task)
    asked = check_question(record, part.Record, predictor.manifest.filled)
    if isinstance(asked, Mistake):
        said = asked.message.startswith(asked.where) or repr(asked.where) in asked.message
        where = "" if said else f" ({asked.where})"
        raise UserError(
            f"This is no question for the model{where}: {asked.message}",
            f"A record of {part.TITLE} has: {', '.join(_fields(predictor))}. Give it with --text or --record.",
        )
    [answer] = predictor.responses([asked], scores)
    if as_json:
        print(json.dumps({"answers": [answer], "version": version}, ensure_ascii=False, indent=2))
        return
    for name, value in answer.items():
        shown = _for_people(value)
        print(f"{name}: {json.dumps(shown, ensure_ascii=False) if isinstance(shown, dict | list) else shown}")


def _fields(predictor: "Predictor") -> list[str]:
    """What a record of this model may have."""
    from tunegate.tasks import record_of

    manifest = predictor.manifest
    return [name for name in record_of(manifest.task).Record.model_fields if manifest.filled.get(name) != "never"]


def _ingest_settings(workspace: Workspace, pipeline: str) -> "IngestSettings":
    from tunegate.pipelines import pipelines_of

    pipelines = pipelines_of(workspace)
    if pipeline not in pipelines:
        raise no_such_pipeline(pipeline, pipelines)
    return pipelines[pipeline].ingest


def _answers(predictor: "Predictor", questions: "FileQuestions", scores: bool) -> "Iterator[Row]":
    from tunegate.file_answers import answer_file
    from tunegate.progress import Progress

    progress = Progress("predict", sys.stderr)
    return answer_file(predictor, questions, scores, lambda done, total: progress.advance("rows", done, total))


@contextmanager
def _counted(rows: "Iterator[Row]", output: Path | None) -> "Iterator[Iterator[Row]]":
    """The same rows; once a file of them is whole, people are told how many got no answer."""
    total = without = 0

    def seen() -> "Iterator[Row]":
        nonlocal total, without
        for row in rows:
            total, without = total + 1, without + ("error" in row)
            yield row

    yield seen()
    if output is not None:
        failed = f", {without:,} without an answer (see the column error)" if without else ""
        of = f"{total - without:,} of {total:,} {'row' if total == 1 else 'rows'} answered{failed}"
        print(f"{of}; written to {output}", file=sys.stderr)


def _write(rows: "Iterator[Row]", predictor: "Predictor", output: Path | None, as_json: bool, scores: bool) -> None:
    from tunegate.file_answers import write_delimited, write_json_lines
    from tunegate.tasks import record_of

    absent = {name for name, there in (("scores", scores), ("sure", predictor.says_sure)) if not there}
    fields = [name for name in record_of(predictor.manifest.task).Answer.model_fields if name not in absent]
    with _opened(output) as stream:
        if as_json or (output is not None and output.suffix == ".jsonl"):
            write_json_lines(rows, stream)
        elif output is not None:
            write_delimited(rows, stream, fields, DELIMITERS[output.suffix])
        else:
            write_delimited(map(_row_for_people, rows), stream, fields, "\t")


def _row_for_people(row: "Row") -> "Row":
    return {name: _for_people(value) for name, value in row.items()}


def _for_people(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return _row_for_people(value)
    return [_for_people(item) for item in value] if isinstance(value, list) else value


@contextmanager
def _opened(output: Path | None) -> "Iterator[TextIO]":
    """Standard output, or a file that gets its name only when it is whole."""
    if output is None:
        yield sys.stdout
        return
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        stream = unfinished.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror}.", "Name a file that you may write.") from error
    try:
        with stream:
            yield stream
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
