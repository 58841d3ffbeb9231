"""What holds for every task in the table: its three parts exist, agree with each other, and read its own examples."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from tests.tasks.perfect import perfect_outputs, plain_texts
from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.evaluation.scores import value_of
from tunegate.params import Settings
from tunegate.records import ROW, answer_columns
from tunegate.task import Reading, TextTokenizer
from tunegate.tasks import TASKS, answering_of, check_task, encoding_of, examples_of, options_of, record_of
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Windows

MAX_LENGTH = 32


def examples(task: str) -> pa.Table:
    """The task's own examples with all payload columns; absent optional ones are null."""
    return examples_of(record_of(task))


def options(task: str) -> dict[str, Any]:
    """The task's own settings as they are by default."""
    return options_of(task)().model_dump(mode="json")


def windows_of(task: str, tokenizer: TextTokenizer) -> Windows:
    return encoding_of(task).encode(examples(task), tokenizer, MAX_LENGTH, options(task))


def answered(task: str, tokenizer: TextTokenizer) -> pa.Table:
    """The answers of a perfect model to the examples."""
    rows, labels, part = examples(task), record_of(task).labels(examples(task)), answering_of(task)
    windows = windows_of(task, tokenizer)
    targets = encoding_of(task).target(rows, windows, labels, options(task))
    outputs = perfect_outputs(task, windows, targets, len(labels))
    reading = Reading(labels, {}, options(task), tokenizer)
    return part.decode(outputs, windows, rows, replace(reading, fitted=part.fit(outputs, windows, rows, reading)))


def question(task: str, row: int) -> dict[str, object]:
    """An example as the service is asked it: the record's fields without those that hold the answer."""
    fields = record_of(task).Record.model_fields
    return {name: value for name, value in record_of(task).EXAMPLES[row].items() if name in fields}


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def tokenizer(task: str, tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), plain_texts(examples(task))))


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
    answers = answer_columns(record_of(task).PAYLOAD)
    seen = windows_of(task, tokenizer)
    blind = encoding_of(task).encode(rows.drop_columns(answers), tokenizer, MAX_LENGTH, options(task))
    assert all(np.array_equal(seen.tokens[name], blind.tokens[name]) for name in seen.tokens)


def test_there_is_one_target_per_window_or_token(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels = examples(task), record_of(task).labels(examples(task))
    windows = windows_of(task, tokenizer)
    targets = encoding_of(task).target(rows, windows, labels, options(task))
    assert targets.rows or targets.tokens
    assert all(len(target) == len(windows) for target in targets.rows.values())
    assert all(len(target) == windows.offsets[-1] for target in targets.tokens.values())


def test_a_records_windows_stand_together(task: str, tokenizer: TextTokenizer) -> None:
    windows = windows_of(task, tokenizer)
    assert (np.diff(windows.record) >= 0).all()
    first = np.diff(windows.record, prepend=-1) > 0
    assert (windows.number[first] == 0).all()


def test_a_label_that_the_label_file_lacks_is_a_sentence(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels = examples(task), record_of(task).labels(examples(task))
    if not labels:
        pytest.skip("the task has no label file")
    windows = windows_of(task, tokenizer)
    with pytest.raises(UserError, match=labels[0]):
        encoding_of(task).target(rows, windows, labels[1:], options(task))


def test_perfect_outputs_make_perfect_answers(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels, part = examples(task), record_of(task).labels(examples(task)), answering_of(task)
    answers = answered(task, tokenizer)
    counts = part.counts(answers, rows, labels)
    sums = {key: np.array([counts.number[counts.key == number].sum()]) for number, key in enumerate(counts.keys)}
    assert sums["n"] == sums["correct"] == len(rows)
    found = {metric: value_of(metric, counts) for metric in part.METRICS}
    assert np.isfinite(found[part.METRICS[0]])
    for metric, value in found.items():
        best = metric.best if metric.best is not None else 1.0 if metric.higher_is_better else 0.0
        assert np.isnan(value) or value == pytest.approx(best, abs=1e-6)  # rows of which it says nothing
    assert (part.confidence(answers) > 0.5).all()


def test_perfect_windows_make_perfect_answers_however_texts_are_cut(task: str, tokenizer: TextTokenizer) -> None:
    if "long_texts" not in options_of(task).model_fields:
        pytest.skip("the task has no choice for long texts")
    rows, labels, part = examples(task), record_of(task).labels(examples(task)), answering_of(task)
    for pooling in ("mean", "max"):
        wanted = options_of(task)(long_texts="windows", pooling=pooling).model_dump(mode="json")
        windows = encoding_of(task).encode(rows, tokenizer, 5, wanted)
        assert len(windows) > len(rows)
        outputs = perfect_outputs(task, windows, encoding_of(task).target(rows, windows, labels, wanted), len(labels))
        reading = Reading(labels, {}, wanted, tokenizer)
        answers = part.decode(
            outputs, windows, rows, replace(reading, fitted=part.fit(outputs, windows, rows, reading))
        )
        counts = part.counts(answers, rows, labels)
        assert counts.number[counts.key == counts.keys.index("correct")].sum() == len(rows)


def test_the_service_says_answers_of_the_answers_type(task: str, tokenizer: TextTokenizer) -> None:
    rows, labels, part = examples(task), record_of(task).labels(examples(task)), answering_of(task)
    answers = answered(task, tokenizer)
    for with_scores in (False, True):
        said = part.responses(answers, labels, with_scores)
        assert len(said) == len(rows)
        assert all(record_of(task).Answer.model_validate(answer) for answer in said)
    assert len(part.decided(answers)) == len(part.margins(answers)) == len(part.confidence(answers)) == len(rows)
    assert part.scores(answers).ndim == 2


def test_a_table_for_people_shows_one_cell_per_title(task: str, tokenizer: TextTokenizer) -> None:
    example = record_of(task).EXAMPLES[0]
    answer = answered(task, tokenizer).to_pylist()[0]
    cells = answering_of(task).cells(example, answer)
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
