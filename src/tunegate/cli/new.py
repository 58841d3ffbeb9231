"""`tunegate new`: a pipeline from a person's own file, shown as understood before anything is written."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.cli.options import names_in, said_as_options, typed
from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tunegate.new_pipeline.plan import Plan
    from tunegate.new_pipeline.task import Fit
    from tunegate.records import Payload

LABELS_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    app.command("new")(new)


def new(
    name: Annotated[str, typer.Argument(help="the pipeline's name: lower-case letters, digits, dashes")],
    data: Annotated[str, typer.Option(help="a file, a folder, a name under data/raw, or one of `tunegate data list`")],
    task: Annotated[str, typer.Option(help="the kind of problem, where the columns do not tell it")] = "",
    text: Annotated[str, typer.Option(help="the column with the text, where it is not named text")] = "",
    text_b: Annotated[str, typer.Option(help="the column with the second text of a pair")] = "",
    label: Annotated[str, typer.Option(help="the column with what is to be learnt (label, labels, ...)")] = "",
    label_columns: Annotated[str, typer.Option(help="columns of 0 and 1, one per label, with commas between")] = "",
    label_delimiter: Annotated[str, typer.Option(help="what stands between the labels of one cell")] = "",
    row_id: Annotated[str, typer.Option("--id", help="the column with the row's id, where it is not named id")] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=COLUMN for any other field (a list: FIELD=A,B,C); may be repeated")
    ] = None,
    model: Annotated[str, typer.Option(help="the base model's folder under data/ (default: models/minilm)")] = "",
    encoding: Annotated[str, typer.Option(help="the file's encoding, where it is not UTF-8")] = "",
    delimiter: Annotated[str, typer.Option(help="the character between columns, where it is not as usual")] = "",
    margin: Annotated[
        float | None,
        typer.Option(help="how much a new version may lose; 0.01 is one point (default: by the test rows)"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object; asks nothing.")] = False,
) -> None:
    """Add a pipeline: show the data as understood, write its entry in params.yaml, let DVC keep the data."""
    from tunegate.new_pipeline.model import DEFAULT, check_model
    from tunegate.new_pipeline.plan import Request, carry_out, make_plan

    workspace = Workspace.find()
    asks = sys.stdin.isatty() and not (yes or as_json)
    said = {"text": text, "text_b": text_b, "label": label, "id": row_id, **_pairs(column or [])}
    columns = {field: found for field, found in said.items() if found}
    base = check_model(workspace, model) if model else DEFAULT
    request = Request(
        name, data, task, base, columns, encoding or None, typed(delimiter) or None,
        names_in(label_columns), typed(label_delimiter) or None, margin,
    )  # fmt: skip
    with said_as_options():
        plan = make_plan(workspace, request, _ask if asks else None, _ask_task if asks else None)
    if not as_json:
        _show(plan)
    if asks and margin is None:
        plan = plan.with_margin(_ask_margin(plan))
    if asks and not typer.confirm("Add this pipeline?", default=True):
        raise typer.Abort
    changed = carry_out(workspace, plan)
    if as_json:
        print(json.dumps({**plan.summary(), "changed": changed}, indent=2, ensure_ascii=False))
    else:
        _show_next(workspace, plan, changed)


def _pairs(columns: list[str]) -> dict[str, str]:
    pairs = {field: found for field, _, found in (column.partition("=") for column in columns)}
    if not all(field and found for field, found in pairs.items()):
        raise UserError(f"--column {' '.join(columns)} is not FIELD=COLUMN.", "For example: --column group=customer.")
    return pairs


def _ask(column: "Payload", samples: "Mapping[str, str]") -> str:
    from tunegate.new_pipeline.columns import list_columns

    print(f"No column is named {column.name}. The columns, each with a value of it:\n{list_columns(samples)}")
    return str(typer.prompt(f"Which column is the {column.name} ({column.description})"))


def _ask_task(fits: "Sequence[Fit]") -> str:
    shown = "\n".join(f"  {fit.told}" for fit in fits)
    print(f"The data may be for more than one task:\n{shown}")
    return str(typer.prompt("Which task is it"))


def _ask_margin(plan: "Plan") -> float:
    chosen = plan.settings.gate.margin
    asked = {
        "points": "How much may a new version lose (0.01 is one point)?",
        "deviations": "By what share of the numbers' standard deviation may a new version's error be larger?",
        "loss": f"By how much may a new version's {plan.metric.title} be larger?",
    }
    return float(typer.prompt(asked[plan.unit], default=chosen, type=float))


def _show(plan: "Plan") -> None:
    from tunegate.new_pipeline.columns import shortened

    found = plan.survey
    first = f"the first {len(found.first)}" if len(found.first) > 1 else "the first"
    print(f"{_counted(found.rows, 'row')}; {first} as understood:\n")
    for row in found.first:
        print("".join(f"  {field:<8} {shortened(value, 100)}\n" for field, value in row.items()))
    if found.rejected:
        print(f"{_counted(found.rejected, 'line')} could not be read; the run says why, and goes on without them.\n")
    if found.labels or found.unlabelled:
        _show_labels(found.labels, found.unlabelled)
    _show_choices(plan)
    _show_margin(plan)


def _show_labels(labels: "Mapping[str, int]", unlabelled: int) -> None:
    counts = [f"{label} {count:,}" for label, count in labels.items()]
    more = f", and {len(counts) - LABELS_SHOWN} more" if len(counts) > LABELS_SHOWN else ""
    without = f"; {_counted(unlabelled, 'row')} without a label" if unlabelled else ""
    print(f"{_counted(len(counts), 'label')}: {', '.join(counts[:LABELS_SHOWN])}{more}{without}\n")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _show_choices(plan: "Plan") -> None:
    settings, found = plan.settings, plan.survey
    print(f"Task:       {settings.task}")
    print("Columns:    " + ", ".join(f"{field} from {column!r}" for field, column in found.columns.items()))
    if "files" in settings.ingest.model_fields_set:
        print("Files:      " + ", ".join(f"{name} as {split}" for name, split in settings.ingest.files.items()))
    if plan.unread:
        print(f"Not read:   {', '.join(plan.unread)}")
    if settings.options:
        print("Options:    " + ", ".join(f"{name} {value:g}" for name, value in settings.options.items()))
    print("Splits:     " + ", ".join(f"{split} {count:,}" for split, count in found.splits.items()) + " rows")
    print(f"Base model: {settings.model}\n")


def _show_margin(plan: "Plan") -> None:
    from tunegate.new_pipeline.margin import points
    from tunegate.statistics.power import certified_margin, rows_for_margin

    test_rows, margin = plan.survey.splits["test"], plan.settings.gate.margin
    if not test_rows:
        print("There are no test rows, so nothing can be certified: give some, or set split.test above 0.\n")
        return
    if plan.unit != "points":
        of = "the numbers' standard deviation" if plan.unit == "deviations" else plan.metric.title
        print(f"Margin:     {margin:g} of {of} (gate.margin, --margin chooses another)\n")
        return
    print(
        f"With {test_rows:,} test rows a new version that is as good can be certified to lose at most "
        f"{100 * certified_margin(test_rows):.1f} points;\na margin of 1 point takes {rows_for_margin(0.01):,} rows "
        "(6 % discordant answers, power 80 %, one-sided 5 %).\n\n"
        f"Margin:     {margin:g} ({points(margin)}; gate.margin, --margin chooses another)\n"
    )


def _show_next(workspace: Workspace, plan: "Plan", changed: list[str]) -> None:
    from tunegate.workspace import pipeline_of

    model, made_by = workspace.model(plan.settings.model), pipeline_of(plan.settings.model)
    print(f"Added {plan.name} to params.yaml.")
    if made_by:
        print(f"Its base model is what {made_by} trains: a run brings {made_by} up to date first.")
    elif not model.exists() and not model.with_name(f"{model.name}.dvc").exists():
        print(f"Its base model is not there yet: tunegate models add {model.name} (--help says from where)")
    print(f"Run it:     tunegate run {plan.name}\nKeep it:    git add {' '.join(changed)}")
