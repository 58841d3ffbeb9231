"""Question answering put to an encoder: the question beside each part of the passage, asked where the answer lies."""

from typing import Any

import pyarrow as pa

from tunegate.task import Head, Targets, TaskOptions, TextTokenizer
from tunegate.text.answer_places import span_to_learn
from tunegate.text.passage_windows import passage_windows, span_targets
from tunegate.windows import Windows

HEAD = Head("AutoModelForQuestionAnswering", outputs=("start_logits", "end_logits"), loss="span")
NO_SPAN = (0, 0)  # the span of a question without an answer


def head(options: TaskOptions) -> Head:
    return HEAD


def head_options(labels: list[str], options: TaskOptions) -> dict[str, Any]:
    return {"num_labels": 2}


def encode(records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
    longest = int(options["max_answer_tokens"])
    return passage_windows(records["question"], records["passage"], tokenizer, max_length, longest)


def target(records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
    """`start` and `end`: int64 [windows], the answer's first and last token, or the first of all where the window does
    not hold it; IGNORED where the answer has no place, or is longer than every window."""
    rows = zip(records["passage"].to_pylist(), records["answers"].to_pylist(), strict=True)
    spans = [span_to_learn(passage, given) if given else NO_SPAN for passage, given in rows]
    start, end = span_targets(windows, spans)
    return Targets(rows={"start": start, "end": end})
