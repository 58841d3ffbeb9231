"""What holds for every task in the table: its three parts exist, agree with each other, and read its own examples."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.params import Settings
from tunegate.records import ROW
from tunegate.task import TextTokenizer
from tunegate.tasks import TASKS, answering_of, check_task, encoding_of, options_of, record_of
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Arrays

MAX_LENGTH = 32


def examples(task: str) -> pa.Table:
    """The task's own examples with all payload columns; absent optional ones are null."""
    record = record_of(task)
    return pa.table(
        {
            column.name: pa.array([example.get(column.name) for example in record.EXAMPLES], column.type)
            for column in record.PAYLOAD
        }
    )


def question(task: str, row: int) -> dict[str, object]:
    """An example as the service is asked it: the record's fields without those that hold the answer."""
    fields = record_of(task).Record.model_fields
    return {name: value for name, value in record_of(task).EXAMPLES[row].items() if name in fields}


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def tokenizer(task: str, tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    texts = [value for example in record_of(task).EXAMPLES for value in example.values()]
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), texts))


def perfect_outputs(task: str, tokenizer: TextTokenizer, labels: list[str]) -> Arrays:
    """What a model that is always right and sure says: the target's class far above the others."""
    rows = examples(task)
    windows = encoding_of(task).encode(rows, tokenizer, MAX_LENGTH)
    target = encoding_of(task).target(rows, windows, labels)["labels"]
    return {
        encoding_of(task).HEAD.outputs[0]: np.where(np.arange(len(labels)) == np.asarray(target)[:, None], 9.0, 0.0)
    }


def test_the_package_is_named_as_in_the_table(task: str) -> None:
    assert task == record_of(task).NAME
    folder = Path(str(modules(task)[0].__file__)).parent
    assert folder.name == task
    assert {path.name for path in folder.glob("*.py")} == {"__init__.py", "record.py", "encode.py", "answer.py"}


def test_its_settings_are_strict_and_say_what_they_mean(task: str) -> None:
    assert issubclass(options_of(task), Settings)
    assert all(field.description for field in options_of(task).model_fields.values())


def test_its_payload_does_not_hide_a_column_of_every_row(task: str) -> None:
    assert not {column.name for column in record_of(task).PAYLOAD} & set(ROW.names)
    assert all(column.description for column in record_of(task).PAYLOAD)


def test_its_examples_have_every_required_field_and_no_other(task: str) -> None:
    names = {column.name for column in record_of(task).PAYLOAD}
    required = {column.name for column in record_of(task).PAYLOAD if column.required}
    assert all(required <= set(example) <= names for example in record_of(task).EXAMPLES)


def test_the_service_takes_its_examples_and_refuses_an_unknown_field(task: str) -> None:
    record = record_of(task).Record
    assert record.model_validate(question(task, 0))
    with pytest.raises(ValidationError):
        record.model_validate({**question(task, 0), "surprise": 1})


def test_every_field_of_question_and_answer_says_what_it_is(task: str) -> None:
    for model in (record_of(task).Record, record_of(task).Answer):
        assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_its_checks_name_facts_that_it_makes(task: str) -> None:
    facts = record_of(task).facts(examples(task))
    assert {check.fact for check in record_of(task).CHECKS} == set(facts)
    assert all(len(fact) == len(examples(task)) and fact.dtype == bool for fact in facts.values())
    assert not any(fact.any() for fact in facts.values())


def test_labels_do_not_depend_on_the_order_of_rows(task: str) -> None:
    rows = examples(task)
    backwards = rows.take(pa.array(range(len(rows) - 1, -1, -1)))
    assert record_of(task).labels(rows) == record_of(task).labels(backwards)


def test_encoding_never_sees_the_answer(task: str, tokenizer: TextTokenizer) -> None:
    rows = examples(task)
    answers = [column.name for column in record_of(task).PAYLOAD if column.kind == "label"]
    seen = encoding_of(task).encode(rows, tokenizer, MAX_LENGTH)
    blind = encoding_of(task).encode(rows.drop_columns(answers), tokenizer, MAX_LENGTH)
    assert all(np.array_equal(seen.tokens[name], blind.tokens[name]) for name in seen.tokens)


def test_there_is_one_target_per_window(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels = examples(task), record_of(task).labels(examples(task))
    windows = encoding_of(task).encode(rows, tokenizer, MAX_LENGTH)
    for target in encoding_of(task).target(rows, windows, labels).values():
        assert len(target) == len(windows)


def test_a_label_that_the_label_file_lacks_is_a_sentence(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels = examples(task), record_of(task).labels(examples(task))
    windows = encoding_of(task).encode(rows, tokenizer, MAX_LENGTH)
    with pytest.raises(UserError, match=labels[0]):
        encoding_of(task).target(rows, windows, labels[1:])


def test_perfect_outputs_make_perfect_answers(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels, part = examples(task), record_of(task).labels(examples(task)), answering_of(task)
    windows = encoding_of(task).encode(rows, tokenizer, MAX_LENGTH)
    outputs = perfect_outputs(task, tokenizer, labels)
    answers = part.decode(outputs, windows, part.fit(outputs, rows, labels), labels)
    counts = part.counts(answers, rows, labels)
    sums = {key: np.array([counts.number[counts.key == number].sum()]) for number, key in enumerate(counts.keys)}
    assert sums["n"] == sums["correct"] == len(rows)
    assert [metric.value(sums)[0] for metric in part.METRICS if metric.higher_is_better] == [1.0] * len(part.METRICS)
    assert (part.confidence(answers) > 0.5).all()


def test_the_service_says_answers_of_the_answers_type(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels, part = examples(task), record_of(task).labels(examples(task)), answering_of(task)
    windows = encoding_of(task).encode(rows, tokenizer, MAX_LENGTH)
    outputs = perfect_outputs(task, tokenizer, labels)
    answers = part.decode(outputs, windows, part.fit(outputs, rows, labels), labels)
    for with_scores in (False, True):
        said = part.responses(answers, labels, with_scores)
        assert len(said) == len(rows)
        assert all(record_of(task).Answer.model_validate(answer) for answer in said)
    assert len(part.decided(answers)) == len(part.scores(answers)) == len(rows)


def test_a_table_for_people_shows_one_cell_per_title(task: str) -> None:
    example = record_of(task).EXAMPLES[0]
    cells = answering_of(task).cells(example, {**dict.fromkeys(record_of(task).Answer.model_fields, 0.5), **example})
    assert all(isinstance(title, str) and isinstance(cell, str) for title, cell in cells.items())


def test_its_baselines_answer_every_test_row(task: str) -> None:
    rows, labels = examples(task), record_of(task).labels(examples(task))
    baselines = answering_of(task).baselines(rows, rows, labels, 0)
    assert set(baselines) == set(answering_of(task).BASELINES)
    for words, answers in baselines.values():
        assert words
        assert len(answers) == len(rows)


def test_an_unknown_task_is_answered_with_the_nearest(task: str) -> None:
    with pytest.raises(UserError, match=f'Did you mean "{task}"'):
        check_task(f"{task}s")


def modules(task: str) -> list[ModuleType]:
    from importlib import import_module

    return [import_module(f"tunegate.tasks.{task}.{part}") for part in ("record", "encode", "answer")]
