import json
from pathlib import Path

import numpy as np
import pytest

from tests.stages.prepared import PIPELINE, prepare, records, write_inputs
from tunegate.errors import RefusedError, UserError
from tunegate.models.inputs_wanted import read_inputs_wanted
from tunegate.stages import run_stage
from tunegate.stages.tokenize import TokenizeReport
from tunegate.text.tokens import load_tokenizer
from tunegate.window_files import load_windows
from tunegate.workspace import Workspace

ROWS = (
    {"text": "the cat sat on the mat", "label": "a"},
    {"text": "rain fell all night", "label": "b"},
    {"text": "the dog ran", "label": "a"},
)


def tokenize(workspace: Workspace) -> TokenizeReport:
    report = run_stage("tokenize", PIPELINE, workspace)
    assert isinstance(report, TokenizeReport)
    return report


def verdict(workspace: Workspace) -> dict[str, object]:
    path = workspace.stage(PIPELINE, "tokenize") / "verdict.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_tokens_on_disk_are_the_tokenizers(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS)
    report = tokenize(workspace)
    windows = load_windows(workspace.stage(PIPELINE, "tokenize") / "train")
    tokenizer = load_tokenizer(workspace.stage(PIPELINE, "tokenize")).tokenizer
    for number, row in enumerate(ROWS):
        ids = windows.tokens["input_ids"][windows.offsets[number] : windows.offsets[number + 1]]
        assert ids.tolist() == tokenizer.encode(row["text"]).ids
    assert report.splits["train"].rows == 3
    assert report.splits["train"].tokens == int(windows.offsets[-1])
    assert report.splits["train"].longest == int(windows.lengths.max())
    assert verdict(workspace) == {"accepted": True, "reasons": []}


def test_special_tokens_in_a_users_text_stay_text(tmp_path: Path) -> None:
    workspace = prepare(
        tmp_path, rows=[*ROWS, {"text": "the [SEP] cat", "label": "a"}], tokenize={"max_unknown_rate": 1.0}
    )
    tokenize(workspace)
    windows = load_windows(workspace.stage(PIPELINE, "tokenize") / "train")
    separator = load_tokenizer(workspace.stage(PIPELINE, "tokenize")).tokenizer.token_to_id("[SEP]")
    ids = windows.tokens["input_ids"][windows.offsets[3] : windows.offsets[4]]
    assert (ids == separator).sum() == 1  # the one at the end


def test_many_unknown_tokens_are_refused_by_train_and_the_worst_row_is_named(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS)
    from tunegate.records import write_table

    rows = [*ROWS, {"text": "雨 が 降る", "label": "b"}]
    write_table(records(rows, "train"), workspace.stage(PIPELINE, "augment") / "train.parquet")
    report = tokenize(workspace)
    assert report.splits["train"].unknown_rate > 0.05
    assert "[UNK_RATE]" in report.reasons[0] and "rows.csv:5 id=train-3" in report.reasons[0]
    with pytest.raises(RefusedError, match="UNK_RATE"):
        run_stage("train", PIPELINE, workspace)


def test_many_cut_rows_are_refused_and_counted(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=[*ROWS, {"text": "the cat " * 20, "label": "a"}])
    report = tokenize(workspace)
    assert report.splits["train"].truncated_rate == 0.25
    assert verdict(workspace)["accepted"] is False
    assert "[TOO_LONG] 1 of 4 train rows (25.0%) are longer than 32 tokens" in report.reasons[0]


def test_a_text_of_which_nothing_is_left_is_named(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=[*ROWS, {"text": "\u200b", "label": "a"}])
    report = tokenize(workspace)
    assert report.splits["train"].vanished_rows == 1
    assert any(
        "[TOKEN_VANISHES] 1 of 4 train rows" in warning and "rows.csv:5" in warning for warning in report.warnings
    )


def test_windows_longer_than_the_model_reads_are_a_mistake(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS, tokenize={"max_length": 65})
    with pytest.raises(UserError, match="max_length is 65, and the base model tiny reads at most 64"):
        tokenize(workspace)


def test_data_that_validate_refused_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="TEXT_EMPTY"):
        tokenize(prepare(tmp_path, rows=ROWS, accepted=False))


def test_pieces_give_the_same_tokens_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = prepare(tmp_path)
    tokenize(workspace)
    whole = load_windows(workspace.stage(PIPELINE, "tokenize") / "train")
    whole_ids, whole_record = np.array(whole.tokens["input_ids"]), np.array(whole.record)
    monkeypatch.setattr("tunegate.stages.tokenize.ROWS_AT_ONCE", 5)
    tokenize(workspace)
    pieces = load_windows(workspace.stage(PIPELINE, "tokenize") / "train")
    assert np.array_equal(pieces.tokens["input_ids"], whole_ids)
    assert np.array_equal(pieces.record, whole_record)


def test_windows_beyond_the_base_models_positions_are_refused_or_wanted(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS, tokenize={"max_length": 100})
    with pytest.raises(UserError, match=r"reads at most 64 tokens") as caught:
        tokenize(workspace)
    assert "tokenize.longer_positions" in caught.value.remedy
    write_inputs(workspace, tokenize={"max_length": 100, "longer_positions": "interpolate"})
    tokenize(workspace)
    wanted = read_inputs_wanted(workspace.stage(PIPELINE, "tokenize"))
    assert (wanted.positions, wanted.lengthening, wanted.base_tokens) == (100, "interpolate", None)


def test_words_of_ones_own_are_tokens_and_their_pieces_are_kept_for_training(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS, tokenize={"extra_words": ["catmat", "night"]})
    before = load_tokenizer(workspace.model("models/tiny"))
    report = tokenize(workspace)
    wanted = read_inputs_wanted(workspace.stage(PIPELINE, "tokenize"))
    after = load_tokenizer(workspace.stage(PIPELINE, "tokenize"))
    assert report.vocabulary == wanted.tokens == before.vocabulary_size + 1  # "night" was a token already
    assert wanted.made_of == (tuple(before.tokenizer.encode("catmat", add_special_tokens=False).ids),)
    assert after.tokenizer.encode("catmat", add_special_tokens=False).ids == [before.vocabulary_size]


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_a_vocabulary_of_the_training_rows_takes_the_base_models_place(kind: str, tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS, tokenize={"vocabulary": {"kind": kind, "size": 60}})
    report = tokenize(workspace)
    wanted = read_inputs_wanted(workspace.stage(PIPELINE, "tokenize"))
    before, after = (
        load_tokenizer(folder) for folder in (workspace.model("models/tiny"), workspace.stage(PIPELINE, "tokenize"))
    )
    assert report.vocabulary == wanted.tokens == after.vocabulary_size <= 60
    assert (wanted.base_tokens, wanted.kept_tokens) == (before.vocabulary_size, 0)
    vocabulary = after.tokenizer.get_vocab(with_added_tokens=True)
    mask = before.tokenizer.token_to_id("[MASK]")
    assert wanted.made_of[vocabulary["[MASK]"]] == (mask,)
    known = next(piece for piece in vocabulary if piece.isalpha() and before.tokenizer.token_to_id(piece))
    assert wanted.made_of[vocabulary[known]] == (before.tokenizer.token_to_id(known),)
    assert list(report.vocabularies) == ["own", "base"] and "by the own vocabulary" in report.markdown()
    again = tokenize(workspace)
    assert again == report


def test_an_own_vocabulary_does_not_move_the_token_that_positions_are_counted_from(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, rows=ROWS, tokenize={"vocabulary": {"size": 60}})
    path = workspace.model("models/tiny") / "tokenizer.json"
    path.write_text(path.read_text().replace('"[PAD]"', '"<x>"').replace('"[MASK]"', '"<pad>"'))
    with pytest.raises(UserError, match="the base model pads with token 4"):
        tokenize(workspace)
