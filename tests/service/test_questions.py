from typing import get_args

from tunegate.exported import Filled
from tunegate.params import ServiceSettings
from tunegate.service.questions import QuestionReader
from tunegate.tasks import TASKS, record_of

FILLED: tuple[Filled, ...] = get_args(Filled)


def test_records_are_plain_values_with_every_field_of_the_task() -> None:
    reader = QuestionReader(record_of("text_classification").Record, ServiceSettings())
    questions = reader.read('{"scores": true, "records": [{"text": "漢字"}, {"text": "a", "text_b": "b"}]}'.encode())
    assert questions.scores
    assert questions.records == [{"text": "漢字", "text_b": None}, {"text": "a", "text_b": "b"}]


def test_every_task_reads_its_own_examples() -> None:
    import json

    from tunegate.service.openapi import questions

    for task in TASKS:
        record = record_of(task)
        for state in FILLED:
            filled = {column.name: state for column in record.PAYLOAD if column.kind == "text" and not column.required}
            asked = json.dumps({"records": questions(record, filled)}).encode()
            assert QuestionReader(record.Record, ServiceSettings(), filled).read(asked).records
