"""What `train` would have left, made from a model that was trained elsewhere."""

import json
from pathlib import Path

from tunegate.errors import UserError
from tunegate.models.folder import TOKENIZER, WEIGHTS, read_config
from tunegate.stages.train import TrainReport
from tunegate.task import TaskOptions
from tunegate.tasks import encoding_of
from tunegate.training.checkpoints import sha256
from tunegate.training.curves import COLUMNS
from tunegate.workspace import Workspace, fresh_folder, write_atomically


def labels_of(folder: Path) -> list[str]:
    """The model's labels in its own order. Raises UserError where its config names none."""
    config = read_config(folder)
    named = {int(number): str(label) for number, label in (config.get("id2label") or {}).items()}
    labels = [named[number] for number in sorted(named)]
    if not labels or all(label == f"LABEL_{number}" for number, label in enumerate(labels)):
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
