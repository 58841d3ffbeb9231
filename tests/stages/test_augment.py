"""New training rows: from training rows alone, each known by its parent, none a held-out text."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.stages.prepared import records
from tunegate.errors import RefusedError, UserError
from tunegate.inputs import Inputs
from tunegate.params import PipelineSettings
from tunegate.records import read_table, record_schema, write_table
from tunegate.stages import Report, run_stage
from tunegate.tasks import record_of
from tunegate.text.normalise import near_keys
from tunegate.workspace import Workspace, write_atomically

TRAIN = [
    {"id": "a", "text": "where is my parcel, it should be here", "label": "delivery"},
    {"id": "b", "text": "I want my money back for the broken lamp", "label": "refund"},
    {"id": "c", "text": "我的包裹在哪里，应该到了", "label": "delivery"},
    {"id": "d", "text": "yes", "label": "other"},
]
HELD_OUT = [{"text": "is this lamp broken", "label": "refund"}]


def augment(
    root: Path, settings: Mapping[str, Any], train: Sequence[Mapping[str, Any]] = TRAIN, accepted: bool = True
) -> tuple[list[dict[str, Any]], Report]:
    """All rows of the stage's train.parquet, and its report."""
    workspace = Workspace(root)
    for split, rows in (("train", train), ("validation", HELD_OUT), ("test", HELD_OUT)):
        write_table(records(rows, split), workspace.stage("p", "validate") / f"{split}.parquet")
    verdict = {"accepted": accepted, "reasons": [] if accepted else ["[TEXT_EMPTY] 9 of 10 rows have no text."]}
    write_atomically(workspace.stage("p", "validate") / "verdict.json", json.dumps(verdict))
    whole = PipelineSettings.model_validate(
        {"task": "text_classification", "data": "d", "model": "models/tiny", "augment": dict(settings)}
    )
    Inputs(pipeline="p", params=whole.model_dump(mode="json", by_alias=True)).write(workspace.inputs("p"))
    report = run_stage("augment", "p", workspace)
    return read_table(workspace.stage("p", "augment") / "train.parquet").to_pylist(), report


def products(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["origin"] != "raw"]


def test_nothing_is_made_unless_asked_for(tmp_path: Path) -> None:
    rows, report = augment(tmp_path, {})
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert "Nothing to do" in report.markdown()


def test_refused_data_is_not_augmented(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="TEXT_EMPTY"):
        augment(tmp_path, {"swap": 1}, accepted=False)


def test_a_product_names_its_parent_and_its_operation_and_keeps_its_label(tmp_path: Path) -> None:
    rows, _ = augment(tmp_path, {"swap": 2, "deletion": 1, "insertion": 1})
    parents = {row["id"]: row for row in TRAIN}
    made = products(rows)
    assert {row["operation"] for row in made} == {"swap", "deletion", "insertion"}
    for row in made:
        assert row["id"].startswith(f"{row['parent_id']}~{row['operation']}")
        assert row["label"] == parents[row["parent_id"]]["label"]
        assert row["split"] == "train" and row["text"] != parents[row["parent_id"]]["text"]
    assert len({row["id"] for row in rows}) == len(rows)


def test_more_rows_and_more_operations_change_no_other_product(tmp_path: Path) -> None:
    few, _ = augment(tmp_path / "few", {"swap": 1}, TRAIN[:2])
    many, _ = augment(tmp_path / "many", {"deletion": 2, "swap": 3}, [*TRAIN[2:], *TRAIN[:2]])
    texts = {row["id"]: row["text"] for row in many}
    assert products(few)
    assert all(texts[row["id"]] == row["text"] for row in products(few))


def test_another_seed_makes_other_products(tmp_path: Path) -> None:
    one, _ = augment(tmp_path / "one", {"swap": 3, "seed": 1})
    two, _ = augment(tmp_path / "two", {"swap": 3, "seed": 2})
    assert [row["text"] for row in one] != [row["text"] for row in two]


def test_no_product_equals_a_held_out_text_its_parent_or_a_sibling(tmp_path: Path) -> None:
    train = [{"id": "x", "text": "this is lamp broken", "label": "refund"}, {"id": "y", "text": "no", "label": "other"}]
    rows, report = augment(tmp_path, {"swap": 20, "deletion": 20}, train)
    import pyarrow as pa

    made = near_keys([pa.array([row["text"] for row in products(rows)])]).tolist()
    assert len(set(made)) == len(made)
    forbidden = near_keys([pa.array([HELD_OUT[0]["text"], *(row["text"] for row in train)])]).tolist()
    assert not set(made) & set(forbidden)
    assert report.model_dump()["rejected"]["swap"] > 0


def test_copies_are_weights_unless_rows_are_asked_for(tmp_path: Path) -> None:
    weighted, _ = augment(tmp_path / "weights", {"copies": {"delivery": 2}})
    assert [row["weight"] for row in weighted] == [3.0, 1.0, 3.0, 1.0]
    as_rows, report = augment(tmp_path / "rows", {"copies": {"delivery": 2}, "copy_as": "rows"})
    assert [row["id"] for row in products(as_rows)] == ["a~copy1", "a~copy2", "c~copy1", "c~copy2"]
    assert {row["weight"] for row in as_rows} == {1.0}
    assert report.model_dump()["made"] == {"copy": 4}


def test_copies_of_an_unknown_label_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='Did you mean "delivery"'):
        augment(tmp_path, {"copies": {"delivry": 2}})


def test_chinese_is_changed_by_characters(tmp_path: Path) -> None:
    rows, _ = augment(tmp_path, {"deletion": 3}, TRAIN[2:3])
    assert products(rows)
    assert all(len(row["text"]) == len(TRAIN[2]["text"]) - 1 for row in products(rows))


def test_inserted_words_can_come_from_all_training_texts(tmp_path: Path) -> None:
    rows, _ = augment(tmp_path, {"insertion": 20, "insert_from": "vocabulary"}, [*TRAIN[:2], TRAIN[3]])
    known = {word for row in TRAIN for word in row["text"].split()}
    added = {word for row in products(rows) if row["parent_id"] == "d" for word in row["text"].split()} - {"yes"}
    assert len(added) > 3 and added <= known


def test_words_are_replaced_by_a_persons_own_synonyms(tmp_path: Path) -> None:
    (tmp_path / "synonyms.txt").write_text("broken, damaged\nparcel, package\n包裹 邮包\n", encoding="utf-8")
    rows, _ = augment(tmp_path, {"replacement": 1, "synonyms": "synonyms.txt"})
    made = {row["parent_id"]: row["text"] for row in products(rows)}
    assert made["a"] == "where is my package, it should be here"
    assert made["b"] == "I want my money back for the damaged lamp"
    assert made["c"] == "我的邮包在哪里，应该到了"
    assert "d" not in made  # nothing to replace: equal to its parent


def test_chinese_is_changed_by_the_words_of_a_persons_own_dictionary(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("包裹 12 n\n哪里\n应该\n", encoding="utf-8")
    settings = {"deletion": 12, "chinese_words": "dictionary", "dictionary": "words.txt", "rate": 0.01}
    rows, _ = augment(tmp_path, settings, TRAIN[2:3])
    made = [row["text"] for row in products(rows)]
    assert made and all(("包" in text) == ("裹" in text) and ("哪" in text) == ("里" in text) for text in made)
    assert any("包裹" not in text for text in made)


@pytest.mark.parametrize(("content", "said"), [(b"alone\n", "no two words"), (b"\xff\xfe\x00", "cannot be read")])
def test_a_file_of_synonyms_that_is_none_is_said_so(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "synonyms.txt").write_bytes(content)
    with pytest.raises(UserError, match=said):
        augment(tmp_path, {"replacement": 1, "synonyms": "synonyms.txt"})


def test_a_product_near_a_held_out_row_or_another_labels_row_is_rejected_and_counted(tmp_path: Path) -> None:
    train = [
        {"id": "x", "text": "the small lamp is broken now", "label": "refund"},
        {"id": "y", "text": "is the lamp that i bought in may broken or not yet", "label": "other"},
        {"id": "z", "text": "the lamp that I bought in May is broken or not, yet!", "label": "refund"},
    ]
    rows, report = augment(tmp_path, {"deletion": 8, "swap": 4}, train)
    found = report.model_dump()
    assert not [row for row in products(rows) if row["parent_id"] in ("y", "z")]  # each other's words, another label
    assert found["reasons"]["is near another label's row"] > 0
    assert products(rows) and sum(found["reasons"].values()) == sum(found["rejected"].values())
    train[0]["text"] = "is this lamp not broken"
    rows, report = augment(tmp_path, {"deletion": 8, "swap": 4}, train[:1])
    held_out = set(HELD_OUT[0]["text"].split())
    assert products(rows) and not [row for row in products(rows) if held_out <= set(row["text"].split())]
    assert report.model_dump()["reasons"]["is near a held-out row"] > 0
    assert "rejected: the text is near a held-out row" in report.markdown()


def choices(split: str) -> pa.Table:
    """Two rows of options, others in each split."""
    payload = record_of("multiple_choice").PAYLOAD
    rows = [
        {
            "id": f"{split}{n}",
            "question": f"{split} {n}?",
            "options": [f"{split} {n} {word}" for word in "abc"],
            "answer": n,
        }
        for n in range(2)
    ]
    whole = [{"split": split, "source": "x", "source_line": 1, "weight": 1.0, "origin": "raw", **row} for row in rows]
    return pa.Table.from_pylist(whole, schema=record_schema(payload))


def test_options_in_another_order_keep_their_answer_and_are_of_training_alone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for split in ("train", "validation", "test"):
        write_table(choices(split), workspace.stage("p", "validate") / f"{split}.parquet")
    write_atomically(workspace.stage("p", "validate") / "verdict.json", json.dumps({"accepted": True, "reasons": []}))
    settings = {"task": "multiple_choice", "data": "d", "model": "models/tiny", "augment": {"shuffle": 3}}
    params = PipelineSettings.model_validate(settings).model_dump(mode="json", by_alias=True)
    Inputs(pipeline="p", params=params).write(workspace.inputs("p"))
    report = run_stage("augment", "p", workspace)
    rows = read_table(workspace.stage("p", "augment") / "train.parquet").to_pylist()
    made = products(rows)
    assert 2 <= len(made) <= 6  # equal orders of one row are rejected
    assert {row["split"] for row in rows} == {"train"}
    for row in made:
        number = int(row["parent_id"][-1])
        assert row["options"][row["answer"]] == f"train {number} {'abc'[number]}"
        assert row["options"] != [f"train {number} {word}" for word in "abc"]
    assert "| shuffle |" in report.markdown()
