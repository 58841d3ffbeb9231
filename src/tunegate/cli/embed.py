"""`tunegate embed`: vectors of a file's texts, for a person's own use."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunegate.cli.options import column_pair, reading, said_as_options
from tunegate.errors import UserError
from tunegate.workspace import Workspace, check_pipeline_name

DEFAULT_MODEL = "models/minilm"


def add_to(app: typer.Typer) -> None:
    app.command("embed")(embed)


def embed(
    file: Annotated[Path, typer.Argument(help="the texts: CSV, TSV, JSON lines, Parquet, XLSX")],
    output: Annotated[Path, typer.Argument(help="where the vectors go: .parquet, or .npy for the numbers alone")],
    model: Annotated[str, typer.Option(help=f"a base model's folder under data/ (default: {DEFAULT_MODEL})")] = "",
    pipeline: Annotated[str, typer.Option(help="the fine-tuned encoder of this pipeline instead")] = "",
    layer: Annotated[int, typer.Option(help="of which layer: -1 the last, 0 the embeddings")] = -1,
    pooling: Annotated[str, typer.Option(help="mean or max over a text's tokens, or cls: the first token")] = "mean",
    column: Annotated[list[str] | None, typer.Option(help="field=column of the file, for example text=body")] = None,
    encoding: Annotated[str, typer.Option(help="the file's encoding, where it is not UTF-8")] = "",
    delimiter: Annotated[str, typer.Option(help="the character between columns, where it is not as usual")] = "",
) -> None:
    """Write a vector for every text of a file: a layer's states, pooled.

    Long texts are read in overlapping windows, whose vectors are averaged.
    """
    from tunegate.embedding import OUTPUTS, Embedder, embed_file, questions_of
    from tunegate.progress import Progress

    if output.suffix not in OUTPUTS:
        raise UserError(f"{output} fits no file of vectors.", f"End its name in {' or '.join(OUTPUTS)}.")
    if output.is_dir() or not output.parent.is_dir():
        raise UserError(f"{output} cannot be written.", "Name a file in a folder that is there.")
    if model and pipeline:
        raise UserError("--model and --pipeline name two models.", "Leave one of them out.")
    columns = [column_pair(option) for option in column or []]
    with said_as_options():
        questions = questions_of(file, reading(encoding, delimiter), columns)
        total = questions.count()  # before the model: what is wrong with the file is said at once
        embedder = Embedder.open(_folder(Workspace.find(), model, pipeline), layer, pooling)  # type: ignore[arg-type]
        progress = Progress("embed", sys.stderr)
        done = embed_file(embedder, questions, total, output, lambda seen, of: progress.advance("rows", seen, of))
    without = f", {total - done:,} without a vector" if done < total else ""
    print(f"{done:,} of {total:,} rows, {embedder.width} numbers each{without}; written to {output}", file=sys.stderr)


def _folder(workspace: Workspace, model: str, pipeline: str) -> Path:
    if not pipeline:
        return workspace.model(model or DEFAULT_MODEL)
    folder = workspace.stage(check_pipeline_name(pipeline), "train") / "model"
    if not folder.is_dir():
        raise UserError(
            f"The pipeline {pipeline} has no trained model here.",
            f"Run `tunegate run {pipeline}` first, or name a base model with --model.",
        )
    return folder
