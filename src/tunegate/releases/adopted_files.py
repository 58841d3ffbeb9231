"""What `train` would have left, made from a model that was trained elsewhere."""

import json
from pathlib import Path

from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.findings import Findings
from tunegate.evaluation.swapped import pairs, swapped
from tunegate.models.folder import TOKENIZER, WEIGHTS, read_config
from tunegate.models.label_names import are_names, label_names
from tunegate.records import read_table
from tunegate.stages.train import TrainReport
from tunegate.task import TaskOptions
from tunegate.tasks import encoding_of, record_of
from tunegate.training.checkpoints import sha256
from tunegate.training.curves import COLUMNS
from tunegate.workspace import Workspace, fresh_folder, write_atomically


def labels_of(folder: Path) -> list[str]:
    """The model's labels in its own order. Raises UserError where its config names none, or in two ways."""
    labels = label_names(read_config(folder), folder)
    if not labels or not are_names(labels):
        raise UserError(
            f"{folder.name}/config.json does not name the labels that the model answers with (id2label).",
            "Write them there, in the order of the model's outputs, as the data calls them.",
        )
    return labels


def check_labels(known: list[str], in_data: list[str], folder: Path) -> None:
    """`in_data` are the label file's: the model's own first, then what it never heard of. Raises UserError."""
    new = [label for label in in_data if label not in known]
    if new:
        some = ", ".join(new[:5]) + (f" and {len(new) - 5} more" if len(new) > 5 else "")
        raise UserError(
            f"The data has labels that the model of {folder} does not know: {some}.",
            "Name the labels in its config.json (id2label) as the data calls them, or adopt it for data of its labels.",
        )


def check_order(tree: Workspace, pipeline: str) -> None:
    """Whether the names in config.json are those of the rows they stand at, by the answers to test rows.

    Raises UserError where they seem to have changed places: the person lets an adopted model through whatever the gate
    says, and would let through one that is right and named wrongly.
    """
    findings = Findings.model_validate_json(tree.report(pipeline, "evaluate").read_text(encoding="utf-8"))
    records = read_table(tree.stage(pipeline, "validate") / "test.parquet")
    answers = tree.stage(pipeline, "evaluate") / "answers.parquet"
    given = answers_of(answers, findings.served, records["id"].to_pylist())
    found = swapped(*pairs(records, given, record_of(findings.task).PAYLOAD))
    if found:
        some = "; ".join(f'most rows of "{label}" are answered "{other}"' for label, other in list(found.items())[:5])
        raise UserError(
            f"The model's labels stand in another order than its config.json says: {some}.",
            "Write id2label of its config.json in the order of the model's outputs, and adopt it again.",
        )


def stand_in_for_training(tree: Workspace, pipeline: str, task: str, options: TaskOptions, folder: Path) -> None:
    """Fill the train stage's outputs in the tree. `folder` is the model's, under `data/models`. Raises UserError."""
    from tunegate.models.loading import load_finished, save_model

    try:
        model = load_finished(folder, encoding_of(task).head(options))
    except UserError as error:
        raise UserError(
            f"The model in {folder.name} is not fine-tuned for {task}: {error.problem}",
            "Adopt a model with its head; a base model comes in with `tunegate models add`.",
        ) from error
    with fresh_folder(tree.stage(pipeline, "train")) as out:
        save_model(model, folder / TOKENIZER, out / "model")
    write_atomically(tree.plot(pipeline, "curves"), f"{','.join(COLUMNS)}\n")
    report = TrainReport(
        tune="adopted",
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained_parameters=0,
        new_weights=[],
        rows=0,
        labels=len(labels_of(folder)),
        device="cpu",
        precision="fp32",
        threads=0,
        steps=0,
        epochs=[],
        best_epoch=0,
        stopped_early=False,
        weights_sha256=sha256(tree.stage(pipeline, "train") / "model" / WEIGHTS),
    )
    text = json.dumps(report.model_dump(mode="json"), indent=2, ensure_ascii=False)
    write_atomically(tree.report(pipeline, "train"), f"{text}\n")
    words = f"Adopted, not trained here: {report.parameters:,} parameters for {report.labels} labels.\n"
    write_atomically(tree.report(pipeline, "train", ".md"), words)
