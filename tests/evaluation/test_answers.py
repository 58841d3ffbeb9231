"""The file of answers, and the name of a set of test rows."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.gate.evidence import answers
from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of, fingerprint, seen, side_by_side
from tunegate.records import write_table
from tunegate.tasks import answering_of, record_of

PAYLOAD = record_of("text_classification").PAYLOAD
ROWS = pa.table(
    {
        "id": ["one", "two", "three"],
        "text": ["rain", "bread", "wind"],
        "text_b": pa.array([None, None, None], pa.string()),
        "label": ["weather", "food", "weather"],
    }
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    models = {
        "fp32": answers(["weather", "food", "food"], ["food", "weather"]),
        "majority": answers(["weather"] * 3, ["food", "weather"]),
    }
    write_table(
        side_by_side(ROWS, PAYLOAD, models, {name: ["food", "weather"] for name in models}),
        tmp_path / "answers.parquet",
    )
    return tmp_path / "answers.parquet"


def test_a_models_answers_come_back_in_the_order_asked_for_as_the_task_reads_them(file: Path) -> None:
    found = answers_of(file, "fp32", ["three", "one"])
    assert found["label"].to_pylist() == ["food", "weather"]
    assert answering_of("text_classification").scores(found).shape == (2, 2)


@pytest.mark.parametrize(("model", "row"), [("bf16", "one"), ("fp32", "four"), ("fp", "one")])
def test_a_model_or_row_that_is_not_there_is_an_error(file: Path, model: str, row: str) -> None:
    with pytest.raises(UserError, match=f"holds no answers of {model}"):
        answers_of(file, model, [row])


def test_a_fingerprint_is_of_the_rows_and_not_of_their_order() -> None:
    assert fingerprint(ROWS.take([2, 0, 1]), PAYLOAD) == fingerprint(ROWS, PAYLOAD)


@pytest.mark.parametrize("column", ["id", "text", "text_b", "label"])
def test_a_fingerprint_knows_every_part_of_a_row(column: str) -> None:
    values = ["changed", *ROWS[column].to_pylist()[1:]]
    changed = ROWS.set_column(ROWS.column_names.index(column), column, pa.array(values, pa.string()))
    assert fingerprint(changed, PAYLOAD) != fingerprint(ROWS, PAYLOAD)


def test_a_question_that_training_held_is_seen_whatever_its_label() -> None:
    train = ROWS.slice(0, 1).set_column(3, "label", pa.array(["food"]))
    assert seen(train, ROWS, PAYLOAD) == 1
    assert seen(train.slice(0, 0), ROWS, PAYLOAD) == 0
