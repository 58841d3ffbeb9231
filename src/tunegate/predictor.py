"""Records in, answers out: what evaluate, `tunegate predict` and the service all use. It imports no torch.

For a caller that serves:

    predictor = Predictor.open(folder)            # files verified, golden rows answered and compared: UserError if not
    predictor.warm()                              # every length once, so that no client pays for the first time
    predictor.responses([{"text": "..."}, ...])   # dicts as the task's `Answer` has them, in the records' order

A batcher that collects several callers' records takes the steps one by one; all but `outputs` are cheap:

    rows = predictor.table(records)
    windows = predictor.encode(rows)                       # any thread; `windows.lengths` says how many tokens
    outputs = predictor.outputs(windows, max_tokens=4096)  # one call at a time (a lock sees to it)
    answers = predictor.decode(outputs, windows, rows)     # pa.Table; predictor.say(answers) makes the dicts

`predictor.manifest` holds labels, task and `digest` (the export's name by content), `predictor.precision` what
it computes in.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunegate.engines import TOLERANCE, Engine, EngineName, open_engine, why_not
from tunegate.errors import UserError
from tunegate.exported import Golden, Manifest, read_fitted, read_golden, verified_manifest
from tunegate.params import Precision
from tunegate.records import question_columns, texts_of
from tunegate.statistics.abstention import SURE_ABOVE, surely
from tunegate.task import AnswerPart, EncodePart, Fitted, Reading, TextTokenizer
from tunegate.tasks import answering_of, encoding_of, options_of, record_of
from tunegate.text.tokens import load_tokenizer, portions
from tunegate.windows import PAD_MULTIPLE, Arrays, Windows, length_sorted_batches

CHUNK = 4096  # records that are encoded, computed and decoded together, fewer long ones: what is in memory at once
PAIRS_CHUNK = 512  # of these where outputs speak of pairs of tokens: 100 MB at 128 tokens each
BATCH_TOKENS = 1024  # padding included: on CPUs 4096 takes a fifth longer per row, 128 a tenth
OTHER_MACHINE = 3.0  # times the tolerance: other CPUs add the same numbers in another order
PREFERRED: tuple[Precision, ...] = ("bf16", "fp32")

Advance = Callable[[int, int], None]
"""Told (records done, records in all) after every chunk."""


@dataclass(frozen=True)
class Predictor:
    """An export that is ready to answer. `engine` may be any that knows the manifest's inputs and outputs."""

    manifest: Manifest
    precision: Precision
    engine: Engine
    fitted: Fitted
    tokenizer: TextTokenizer
    _encode_lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _engine_lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(
        cls, folder: Path, precision: Precision | None = None, engine: EngineName | None = None, threads: int = 1
    ) -> "Predictor":
        """Verify the files, load them, answer the golden rows and compare.

        `precision`: None takes bf16 where it was exported and this CPU computes it, else fp32. `engine`: None takes
        the exported one. Raises UserError when anything is missing, changed, or answers differently.
        """
        manifest = verified_manifest(folder)
        chosen = _choose(manifest, precision)
        if engine not in (None, manifest.engine):
            raise UserError(
                f"{folder} was exported for the {manifest.engine} engine and holds no {engine} files.",
                f"Leave the engine out, or set export.engine to {engine} and run the pipeline again.",
            )
        head = encoding_of(manifest.task).head(_options(manifest))
        predictor = cls(
            manifest,
            chosen,
            open_engine(manifest.engine, folder / manifest.engine, head, chosen, threads),
            read_fitted(folder, chosen),
            load_tokenizer(folder),
        )
        predictor.check(read_golden(folder))
        return predictor

    @property
    def _encoding(self) -> EncodePart:
        return encoding_of(self.manifest.task)

    @property
    def _answering(self) -> AnswerPart:
        return answering_of(self.manifest.task)

    @cached_property
    def _pairs(self) -> bool:
        return self._encoding.head(self.reading.options).pairs

    @cached_property
    def reading(self) -> Reading:
        """What answers are read with."""
        return Reading(self.manifest.labels, self.fitted, _options(self.manifest), self.tokenizer)

    def answers(self, records: pa.Table, advance: Advance | None = None) -> pa.Table:
        """One answer per record, in the records' order; however many records, only a chunk is in memory.

        Columns are those of the task's `decode`; label columns of `records` are never looked at.
        """
        if len(records) == 0:
            return self.answers(self.table(record_of(self.manifest.task).EXAMPLES[:1]))[:0]
        tables = []
        chunk = min(CHUNK, PAIRS_CHUNK) if self._pairs else CHUNK
        for start, count in portions(self._characters(records), chunk):
            rows = records.slice(start, count)
            windows = self.encode(rows)
            tables.append(self.decode(self.outputs(windows), windows, rows))
            if advance:
                advance(start + count, len(records))
        return pa.concat_tables(tables)

    def _characters(self, records: pa.Table) -> Any:
        """Of each record's question, int64 [n]."""
        texts = texts_of(records, record_of(self.manifest.task).PAYLOAD)
        return np.sum([np.asarray(pc.fill_null(pc.utf8_length(text), 0), dtype=np.int64) for text in texts], axis=0)

    def responses(self, records: Sequence[Mapping[str, Any]], with_scores: bool = False) -> list[dict[str, Any]]:
        """Records as the service is asked them (the task's `Record`) to answers as it gives them (`Answer`)."""
        return self.say(self.answers(self.table(records)), with_scores) if records else []

    def say(self, answers: pa.Table, with_scores: bool = False) -> list[dict[str, Any]]:
        """The answers as dicts that are valid input of the task's `Answer`."""
        return said(self._answering, answers, self.manifest.labels, self.fitted, with_scores)

    @property
    def says_sure(self) -> bool:
        """Whether answers say if they may be relied on: where `export.sure_precision` was set."""
        return SURE_ABOVE in self.fitted

    @property
    def questions(self) -> tuple[str, ...]:
        """The payload columns that a question consists of; `text` first."""
        return tuple(question_columns(record_of(self.manifest.task).PAYLOAD))

    def table(self, records: Sequence[Mapping[str, Any]]) -> pa.Table:
        """Records at the edge as columns; a part that no record has is left out."""
        asked = [column for column in record_of(self.manifest.task).PAYLOAD if column.kind in ("text", "beside")]
        columns = {column.name: [record.get(column.name) for record in records] for column in asked}
        given = {name: values for name, values in columns.items() if any(value is not None for value in values)}
        return pa.table(
            {column.name: pa.array(given[column.name], column.type) for column in asked if column.name in given}
        )

    def encode(self, records: pa.Table) -> Windows:
        """Safe from several threads; the tokenizer itself is not, so they wait for each other (0.1 ms a record)."""
        with self._encode_lock:
            return self._encoding.encode(records, self.tokenizer, self.manifest.max_length, self.reading.options)

    def outputs(self, windows: Windows, max_tokens: int = BATCH_TOKENS) -> Arrays:
        """The engine's outputs, one row per window in the windows' order, wherever batches fell: [n, ...] each.

        Rows of outputs that differ in length from batch to batch are filled up with zeros on the right; those of pairs
        of tokens, which grow with the square of the length, are an array of arrays, each as long as its own window.
        """
        batches = length_sorted_batches(windows.lengths, max_tokens)
        with self._engine_lock:
            results = [self.engine.run(self._fed(windows.batch(chosen, self.tokenizer.pad))) for chosen in batches]
        return {
            name: _paired([result[name] for result in results], batches, windows)
            if self._pairs
            else _gathered([result[name] for result in results], batches, len(windows))
            for name in self.manifest.outputs
        }

    def decode(self, outputs: Arrays, windows: Windows, records: pa.Table) -> pa.Table:
        """Outputs to answers, one per record; the windows are those of these records."""
        return self._answering.decode(outputs, windows, records, self.reading)

    def warm(self) -> None:
        """Run every padded length once: engines prepare kernels for each shape that they meet."""
        for length in range(PAD_MULTIPLE, self.manifest.max_length + PAD_MULTIPLE, PAD_MULTIPLE):
            tokens = min(length, self.manifest.max_length)
            ones = np.ones((1, tokens), dtype=np.int64)
            blank = {name: ones * self.tokenizer.pad.get(name, 0) for name in self.manifest.inputs}
            with self._engine_lock:
                self.engine.run({**blank, "attention_mask": ones})

    def check(self, golden: Golden) -> float:
        """Answer the golden rows; the largest difference of scores. Raises UserError for other answers than then."""
        expected = golden.answers.get(self.precision)
        if expected is None or golden.labels != self.manifest.labels:
            raise UserError(
                "The export's golden rows do not belong to its labels and precisions.", "Export the model again."
            )
        answers = self.answers(self.table(golden.records))
        scores = self._answering.scores(answers)
        if scores.shape != expected.matrix.shape:
            raise UserError("The export gives another number of scores than when it was made.", "Export it again.")
        difference = float(np.abs(scores - expected.matrix).max(initial=0.0))
        decided = self._answering.decided(answers)
        other = [
            number
            for number, clear in enumerate(expected.clear)
            if clear and decided[number] != expected.decided[number]
        ]
        if other or not difference <= OTHER_MACHINE * TOLERANCE[self.precision]:
            raise UserError(
                f"The model answers {len(other)} of {len(decided)} golden rows otherwise than when it was exported "
                f"(scores differ by up to {difference:.2g}, in {self.precision}).",
                "Its files do not belong together, or this machine computes wrongly: export the model again here.",
            )
        return difference

    def _fed(self, arrays: Arrays) -> Arrays:
        return {name: arrays[name] for name in self.manifest.inputs}


def said(
    answering: AnswerPart, answers: pa.Table, labels: list[str], fitted: Fitted, with_scores: bool
) -> list[dict[str, Any]]:
    """The task's responses, each with `sure` where a threshold for that was fitted (`export.sure_precision`)."""
    responses = answering.responses(answers, labels, with_scores)
    sure = surely(answering.confidence(answers), fitted)
    if sure is None:
        return responses
    return [{**response, "sure": bool(own)} for response, own in zip(responses, sure, strict=True)]


def _options(manifest: Manifest) -> dict[str, Any]:
    """The task's settings. An export from before a setting was known has its default."""
    return options_of(manifest.task).model_validate(manifest.options).model_dump(mode="json")


def _choose(manifest: Manifest, precision: Precision | None) -> Precision:
    """bf16 before fp32, of those that were exported and that this machine computes."""
    if precision is not None and precision not in manifest.precisions:
        raise UserError(
            f"The model was not exported (and not judged) in {precision}.",
            f"Choose one of: {', '.join(manifest.precisions)}.",
        )
    if precision is not None:
        return precision
    able = [choice for choice in PREFERRED if choice in manifest.precisions and why_not(choice) is None]
    if not able:
        reasons = "; ".join(f"{choice}: {why_not(choice)}" for choice in manifest.precisions)
        raise UserError(
            f"This machine computes none of the exported precisions ({reasons}).",
            "Add fp32 to export.precisions and run the pipeline again.",
        )
    return able[0]


def _gathered(parts: list[Any], batches: list[Any], rows: int) -> Any:
    """The batches' rows back in their windows' order."""
    widest = tuple(np.max([part.shape[1:] for part in parts], axis=0).tolist()) if parts else ()
    whole = np.zeros((rows, *widest), dtype=np.float32)
    for part, chosen in zip(parts, batches, strict=True):
        whole[(chosen, *(slice(size) for size in part.shape[1:]))] = part
    return whole


def _paired(parts: list[Any], batches: list[Any], windows: Windows) -> Any:
    """The batches' rows [l, l] back in their windows' order, each cut to its own window."""
    whole, lengths = np.empty(len(windows), dtype=object), windows.lengths
    for part, chosen in zip(parts, batches, strict=True):
        for row, number in zip(part, chosen, strict=True):
            whole[number] = row[: lengths[number], : lengths[number]].copy()  # the batch itself need not stay
    return whole
