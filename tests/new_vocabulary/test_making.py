"""From rows to a base model: training rows make the vocabulary, validation rows judge it, test rows are not read."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.stages.prepared import PIPELINE, prepare
from tests.text.vocabularies.test_vocabularies import TEXTS
from tests.tiny import tiny_tokenizer
from tunegate.errors import RefusedError, UserError
from tunegate.models.adding import add_model
from tunegate.models.fresh import FAMILIES
from tunegate.models.loading import Build, load_base
from tunegate.models.scratch import SIZES
from tunegate.new_vocabulary.making import Vocabulary, as_source, make_vocabulary, tokenizers_beside
from tunegate.new_vocabulary.texts import of_files, of_pipeline
from tunegate.params import IngestSettings
from tunegate.progress import Progress
from tunegate.task import Head
from tunegate.text.tokens import load_tokenizer
from tunegate.vocabulary_settings import VocabularySettings
from tunegate.workspace import Workspace

QUIET = Progress("vocabulary", StringIO())


def project(root: Path) -> Workspace:
    """Rows of every split, each with a sign of its own."""
    signs = {"train": "é", "validation": "ü", "test": "ñ"}
    workspace = prepare(root, rows=[{"text": f"{text} {signs['train']}", "label": "a"} for text in TEXTS])
    from tests.stages.prepared import records
    from tunegate.records import write_table

    for split, sign in signs.items():
        rows = [{"text": f"{text} {sign}", "label": "a"} for text in TEXTS]
        write_table(records(rows, split), workspace.stage(PIPELINE, "validate") / f"{split}.parquet")
    entry = {"task": "text_classification", "data": "small", "model": "models/own"}
    workspace.params.write_text(json.dumps({"pipelines": {PIPELINE: entry}}))
    return workspace


def made(workspace: Workspace, **chosen: Any) -> Vocabulary:
    settings = VocabularySettings.model_validate({"size": 200, "strip_accents": False, **chosen})
    with of_pipeline(workspace, PIPELINE, QUIET) as texts:
        return make_vocabulary("models/own", texts, settings, tokenizers_beside(workspace, ["models/tiny"]))


def test_training_rows_make_it_and_validation_rows_judge_it(tmp_path: Path) -> None:
    found = made(project(tmp_path))
    vocabulary = found.tokenizer.get_vocab()
    assert ("é" in vocabulary, "ü" in vocabulary, "ñ" in vocabulary) == (True, True, False)  # Zürich
    found = made(project(tmp_path), kind="unigram")
    assert "ñ" not in "".join(found.tokenizer.get_vocab())
    assert found.rows == len(TEXTS)
    assert list(found.measures) == ["models/own", "models/tiny"]
    assert {one.texts for one in found.measures.values()} == {len(TEXTS)}
    assert found.facts()["held_out"]["models/own"]["unknown_rate"] == 0


def test_rows_that_were_refused_make_no_vocabulary(tmp_path: Path) -> None:
    workspace = project(tmp_path)
    (workspace.stage(PIPELINE, "validate") / "verdict.json").write_text('{"accepted": false, "reasons": ["too few"]}')
    with pytest.raises(RefusedError, match="too few"):
        made(workspace)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_comes_out_is_a_base_model_that_can_learn_to_fill_in_words(family: Any, tmp_path: Path) -> None:
    import torch

    workspace = project(tmp_path)
    vocabulary = made(workspace, kind="unigram" if family == "albert" else "wordpiece")
    for times in (1, 2):
        with as_source(vocabulary, family, SIZES["tiny"]) as source:
            added = add_model(workspace, "own", source, replace=False)
        assert added.changed == (times == 1)  # the same rows, the same files
    model = added.model
    assert (model.architecture, model.layers, model.hidden, model.vocabulary) == (family, 2, 128, vocabulary.size)
    folder = workspace.model("models/own")
    kept = json.loads((folder / "vocabulary.json").read_text())
    assert kept["source"] == PIPELINE and kept["settings"]["size"] == 200
    tokenizer = load_tokenizer(folder)
    head = Head("masked_words", ("top_words",), "masked_words")
    loaded = load_base(folder, head, Build({"top_words": 2}, {}, None, 0), tokenizer.vocabulary_size)
    assert not [name for name in loaded.new if not name.startswith(("cls", "predictions"))]
    encoding = tokenizer.tokenizer.encode("the weather")
    ids = torch.tensor([encoding.ids])
    answer = loaded.model(input_ids=ids, attention_mask=ids * 0 + 1, asked=ids * 0 + 1)
    assert answer["top_words"].shape == (1, ids.shape[1], 2)


def test_bare_files_hold_a_tenth_of_their_rows_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "body\n" + "".join(f"{text.replace(',', ' ')} {number}\n" for text in TEXTS for number in range(40))
    )
    with of_files([path], IngestSettings(columns={"text": "body"}), QUIET) as texts:
        train, held_out = list(texts.train.texts()), list(texts.held_out.texts())
    assert len(train) + len(held_out) == 40 * len(TEXTS)
    assert 0.05 < len(held_out) / (40 * len(TEXTS)) < 0.15
    assert not set(train) & set(held_out)


def test_a_passage_that_many_rows_are_about_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": TEXTS[0], "text_b": f"question {n % 3}"}) + "\n" for n in range(60)))
    with of_files([path], IngestSettings(), QUIET) as texts:
        read = [*texts.train.texts()]
    assert sorted(read) == sorted({TEXTS[0], "question 0", "question 1", "question 2"})


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    tiny_tokenizer(workspace.model("models/tiny"), ["a"])
    assert list(tokenizers_beside(workspace, ["models/tiny"])) == ["models/tiny"]
    with pytest.raises(UserError, match="no tokenizer in data/models/other"):
        tokenizers_beside(workspace, ["models/other"])


@pytest.mark.slow
def test_rows_that_were_never_validated_are_read_and_checked_aside(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    entry = {"task": "pretraining", "data": "small", "model": "models/own", "ingest": {"format": "lines"}}
    workspace.params.write_text(json.dumps({"pipelines": {PIPELINE: entry}}))
    workspace.raw("small").mkdir(parents=True)
    lines = [f"{text} And so on, {number} times." for text in TEXTS for number in range(20)]
    (workspace.raw("small") / "texts.txt").write_text("\n".join(lines))
    with of_pipeline(workspace, PIPELINE, QUIET) as texts:
        assert len(texts.train) > len(texts.held_out) > 0
    assert not workspace.stage(PIPELINE, "validate").exists()
