"""Labels cross every border by name: in another order they are mapped by name, or the border refuses them.

A head's rows have numbers and no names. Wherever a model, an export or a list of labels comes in, this permutes the
labels and looks at what is answered.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.stages.test_champion import champion, evaluated
from tests.tiny import tiny_bert
from tests.trained import PIPELINE, Trained
from tunegate.bento import EXPORT, Packaged
from tunegate.data_versions.suspects import find_suspects
from tunegate.engines.torch import TorchEngine
from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of
from tunegate.exported import GOLDEN, MANIFEST, Manifest, read_golden, read_manifest, write_json, write_manifest
from tunegate.models.base_head import SETTING
from tunegate.models.loading import Build, Loaded, input_names, load_base, save_model
from tunegate.params import ServiceSettings
from tunegate.predictor import Predictor
from tunegate.records import read_table, texts_of
from tunegate.releases.adopted_files import check_order, labels_of
from tunegate.service.room import checked_predictor
from tunegate.task import TaskOptions
from tunegate.tasks import TASKS, answering_of, encoding_of, examples_of, options_of, record_of
from tunegate.text.tokens import load_tokenizer

Config = dict[str, Any]


def options(task: str) -> TaskOptions:
    return options_of(task)().model_dump(mode="json")


LABELLED = [task for task in TASKS if "id2label" in encoding_of(task).head_options(["a", "b"], options(task))]
"""Tasks whose head has rows for labels."""


def labels(task: str) -> list[str]:
    return record_of(task).labels(examples_of(record_of(task)))


def turned(names: list[str]) -> list[str]:
    """The last label first, so that none of them keeps its number."""
    return [names[-1], *names[:-1]]


def base_of(task: str, folder: Path) -> Path:
    records = examples_of(record_of(task))
    texts = [text or "" for column in texts_of(records, record_of(task).PAYLOAD) for text in column.to_pylist()]
    return tiny_bert(folder, texts)


def loaded(task: str, folder: Path, names: list[str]) -> Loaded:
    head, build = (
        encoding_of(task).head(options(task)),
        Build(encoding_of(task).head_options(names, options(task)), {}, None, 1),
    )
    return load_base(folder, head, build, load_tokenizer(folder).vocabulary_size)


def predictor(task: str, folder: Path, model: Any, names: list[str]) -> Predictor:
    outputs = encoding_of(task).head(options(task)).outputs
    manifest = Manifest(
        task=task, labels=names, options=options(task), max_length=48, engine="torch", precisions=["fp32"],
        inputs=list(input_names(model)), outputs=list(outputs), files={},
    )  # fmt: skip
    return Predictor(manifest, "fp32", TorchEngine(model, outputs, "fp32"), {}, load_tokenizer(folder))


def with_opinions(found: Loaded) -> Any:
    """The model with weights whose answers differ from text to text, as a trained one's do."""
    import torch

    torch.manual_seed(5)
    with torch.no_grad():
        for value in found.model.parameters():
            if value.ndim > 1:
                value.normal_(0, 0.4)
    return found.model


def plain(value: Any) -> Any:
    """Without the last digits, and sets of names in one order."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(value) if all(isinstance(item, str) for item in value) else [plain(item) for item in value]
    return value


@pytest.mark.parametrize("task", LABELLED)
def test_a_model_built_on_one_with_labels_in_another_order_answers_with_the_same_names(
    task: str, tmp_path: Path
) -> None:
    names, records = labels(task), examples_of(record_of(task))
    base = base_of(task, tmp_path / "base")
    first = with_opinions(loaded(task, base, names))
    save_model(first, base / "tokenizer.json", tmp_path / "first")
    other = loaded(task, tmp_path / "first", turned(names))
    assert [effect.setting for effect in other.effects] == [SETTING] and not other.new
    one, two = predictor(task, base, first, names), predictor(task, base, other.model, turned(names))
    windows = one.encode(records)
    fitted = answering_of(task).fit(one.outputs(windows), windows, records, one.reading)
    one.fitted.update(fitted)
    two.fitted.update(fitted)
    asked = records.to_pylist()
    mine, theirs = one.responses(asked, with_scores=True), two.responses(asked, with_scores=True)
    assert plain(mine) == plain(theirs)
    assert len({json.dumps(plain(answer)) for answer in mine}) > 1, "answers that differ, or this shows nothing"


@pytest.mark.parametrize("task", LABELLED)
def test_what_is_to_be_learnt_is_the_same_name_whatever_its_number(task: str, tmp_path: Path) -> None:
    names, records = labels(task), examples_of(record_of(task))
    tokenizer = load_tokenizer(base_of(task, tmp_path / "base"))
    encoding = encoding_of(task)
    windows = encoding.encode(records, tokenizer, 48, options(task))
    one, two = (encoding.target(records, windows, order, options(task)) for order in (names, turned(names)))
    [said] = [name for name in ("labels", "relations") if name in {**one.rows, **one.tokens}]
    ours, theirs = ({**each.rows, **each.tokens}[said] for each in (one, two))
    place = np.array([turned(names).index(name) for name in names])
    if ours.ndim == 2:  # a column for each label
        np.testing.assert_array_equal(ours, theirs[:, place])
    else:
        np.testing.assert_array_equal(np.where(ours >= 0, place[ours.clip(0)], ours), theirs)
        assert (ours[ours >= 0] != theirs[ours >= 0]).all()


def test_rows_that_nobody_named_are_not_taken_for_anybodys(tmp_path: Path) -> None:
    """Two labels without names: transformers leaves both maps out of config.json, and shapes fit."""
    import torch

    task = LABELLED[0]
    base = base_of(task, tmp_path / "base")
    first = with_opinions(loaded(task, base, ["LABEL_0", "LABEL_1"]))
    save_model(first, base / "tokenizer.json", tmp_path / "first")
    assert "id2label" not in json.loads((tmp_path / "first" / "config.json").read_text())
    other = loaded(task, tmp_path / "first", ["food", "weather"])
    assert [effect.what for effect in other.effects] == [
        "the base model does not name its head's labels, so all rows start random"
    ]
    assert not torch.equal(other.model.classifier.weight, first.classifier.weight)


def change_json(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def turn_config(config: Config) -> Config:
    names = turned([config["id2label"][str(number)] for number in range(len(config["id2label"]))])
    return {**config, "id2label": dict(enumerate(names)), "label2id": {name: n for n, name in enumerate(names)}}


def turn_label_file(trained: Trained) -> None:
    change_json(trained.stage("validate") / "labels.json", turned)


def turn_model_config(trained: Trained) -> None:
    change_json(trained.model / "config.json", turn_config)


def turn_manifest(trained: Trained) -> None:
    """As somebody who edits the file: its seal is broken."""
    change_json(trained.export / MANIFEST, lambda manifest: {**manifest, "labels": turned(manifest["labels"])})


def seal_anew(folder: Path, names: list[str]) -> None:
    manifest = read_manifest(folder).model_copy(update={"labels": names, "files": {}})
    (folder / MANIFEST).unlink()
    write_manifest(folder, manifest)


def turn_manifest_and_seal(trained: Trained) -> None:
    seal_anew(trained.export, turned(read_manifest(trained.export).labels))


def turn_golden_too(trained: Trained) -> None:
    golden = read_golden(trained.export)
    write_json(
        trained.export / GOLDEN, golden.model_copy(update={"labels": turned(golden.labels)}).model_dump(mode="json")
    )
    turn_manifest_and_seal(trained)


def turn_all_that_is_said(trained: Trained) -> None:
    """Golden answers and all: the export contradicts itself nowhere, and is another one than was packaged."""
    golden, names = read_golden(trained.export), read_manifest(trained.export).labels
    called = dict(zip(names, turned(names), strict=True))
    answers = {
        precision: found.model_copy(update={"decided": [called[label] for label in found.decided]})
        for precision, found in golden.answers.items()
    }
    changed = golden.model_copy(update={"labels": turned(names), "answers": answers})
    write_json(trained.export / GOLDEN, changed.model_dump(mode="json"))
    seal_anew(trained.export, turned(names))


def export(trained: Trained, digest: str) -> None:
    trained.run("export")


def open_it(trained: Trained, digest: str) -> None:
    Predictor.open(trained.export)


def serve_it(trained: Trained, digest: str) -> None:
    packaged = Packaged(pipeline=PIPELINE, task=LABELLED[0], export=digest, limits=ServiceSettings())
    shutil.copytree(trained.export, trained.workspace.root / "serving" / EXPORT)
    checked_predictor(trained.workspace.root / "serving", packaged)


REFUSED: dict[str, tuple[Callable[[Trained], None], Callable[[Trained, str], None], str]] = {
    "the label file after training": (turn_label_file, export, "in another order, than the label file"),
    "the trained model's own names": (turn_model_config, export, "in another order, than the label file"),
    "an edited manifest": (turn_manifest, open_it, "was changed after it was written"),
    "a manifest that was sealed anew": (turn_manifest_and_seal, open_it, "golden rows do not belong to its labels"),
    "golden rows that were turned too": (turn_golden_too, open_it, "golden rows otherwise than when it was exported"),
    "an export in a Bento": (turn_all_that_is_said, serve_it, "is not the export that was packaged"),
}


@pytest.mark.parametrize("border", REFUSED)
def test_labels_in_another_order_are_refused(border: str, trained: Trained) -> None:
    turn, step, says = REFUSED[border]
    digest = read_manifest(trained.export).digest
    turn(trained)
    with pytest.raises(UserError, match=says):
        step(trained, digest)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label2id": {"a": 1, "b": 0}}, "nobody can tell which is right"),
        ({"id2label": {"0": "a", "2": "b"}}, "are not 0 to 1"),
        ({"id2label": {"0": "a", "1": "a"}}, "names 'a' twice"),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, "does not name the labels"),
    ],
)
def test_a_config_that_names_its_labels_in_two_ways_or_none_is_asked_about(
    change: Config, says: str, tmp_path: Path
) -> None:
    config = {"model_type": "bert", "id2label": {"0": "a", "1": "b"}, "label2id": {"LABEL_0": 0, "LABEL_1": 1}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert labels_of(tmp_path) == ["a", "b"], "transformers' own names in the other map say nothing"
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(UserError, match=says):
        labels_of(tmp_path)


def test_an_adopted_model_whose_names_stand_at_the_wrong_rows_is_noticed_by_its_answers(trained: Trained) -> None:
    check_order(trained.workspace, PIPELINE)
    turn_model_config(trained)
    turn_label_file(trained)
    for stage in ("export", "evaluate"):
        trained.run(stage)
    with pytest.raises(UserError, match=r'in another order.*most rows of "food" are answered "weather"'):
        check_order(trained.workspace, PIPELINE)


def test_scores_that_a_model_left_are_read_by_their_labels_names_whatever_the_label_file_says_now(
    trained: Trained,
) -> None:
    entry = "{task: text_classification, data: demo, model: models/tiny}"
    trained.workspace.params.write_text(f"pipelines:\n  {PIPELINE}: {entry}\n")
    rows = read_table(trained.stage("validate") / "test.parquet").to_pylist()
    for row in rows[:8]:  # labels that the model contradicts
        row["label"] = {"food": "weather", "weather": "food"}[row["label"]]
    trained.rows("test", [{"text": row["text"], "label": row["label"]} for row in rows])
    found = [suspects_by_name(trained)]
    turn_label_file(trained)
    found.append(suspects_by_name(trained))
    assert found[0] == found[1] and any(by == "model" for _, by, *_ in found[0])


def suspects_by_name(trained: Trained) -> list[tuple[str, str, str, str, float]]:
    suspects = find_suspects(trained.workspace, PIPELINE).suspects
    return sorted((one.id, one.by, one.label, one.suggested, round(one.probability, 4)) for one in suspects)


def test_a_champion_with_labels_in_another_order_is_asked_and_counted_by_their_names(trained: Trained) -> None:
    from safetensors.torch import load_file, save_file

    kept = trained.workspace.root / "kept"
    shutil.copytree(trained.export, kept)
    weights = trained.model / "model.safetensors"
    values = load_file(weights)
    for name in ("classifier.weight", "classifier.bias"):
        values[name] = values[name].roll(1, 0).contiguous()  # the last row first, as its name
    save_file(values, weights, metadata={"format": "pt"})
    turn_model_config(trained)
    turn_label_file(trained)
    trained.run("export")
    assert read_manifest(trained.export).labels == ["weather", "food"]
    champion(trained)
    shutil.rmtree(trained.export)
    kept.rename(trained.export)
    turn_label_file(trained)
    found = evaluated(trained)
    assert not found.identical and not found.labels_added and not found.labels_gone
    ids = read_table(trained.stage("validate") / "test.parquet")["id"].to_pylist()
    path = trained.stage("evaluate") / "answers.parquet"
    assert found.precision is not None
    ours, theirs = (answers_of(path, name, ids) for name in (found.precision, "champion"))
    assert ours["label"].to_pylist() == theirs["label"].to_pylist()
    assert len(set(ours["label"].to_pylist())) == 2
