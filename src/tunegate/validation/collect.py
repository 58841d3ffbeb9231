"""The fact frame: one streamed pass over the texts, then what rows are to each other. No verdicts.

Held in memory per row are the id, where it came from, the label, and one number or boolean per fact; never the texts.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from tunegate.params import ValidateSettings
from tunegate.records import answer_of, label_column, label_sets_column, texts_of
from tunegate.task import Check, RecordPart
from tunegate.text.facts.own import has_personal_data, odd_lengths, text_facts
from tunegate.text.facts.relations import later_copies, relations, without_conflicts
from tunegate.text.facts.scripts import SCRIPTS, scripts, unusual
from tunegate.text.facts.words import count_words
from tunegate.text.normalise import exact_keys, near_keys
from tunegate.validation.checks import RELATIONS, Rules
from tunegate.validation.labels import LabelRules, label_rules

BATCH = 20_000  # rows: large enough for the vectorised work, small enough for flat memory
UNUSUAL_SHARE = 0.01  # of the rows: fewer in one script are worth a look
SIDES = {"train": 0, "validation": 1, "test": 2}

Array = NDArray[Any]
Advance = Callable[[int, int], None]
"""Told how many rows of how many are done."""


@dataclass(frozen=True)
class Facts:
    """`table` has a row per record, in the records' order; `twins` the other row behind a fact, or -1."""

    table: pa.Table
    twins: dict[str, NDArray[np.int64]]
    words: Counter[str]
    labels: LabelRules

    def boolean(self, fact: str) -> NDArray[np.bool_]:
        return np.asarray(self.table[fact].to_numpy(), dtype=bool)


def batches(rows: ds.Dataset, columns: list[str] | None = None) -> Any:
    """The rows in their order, in batches; hardly any are read ahead, so that memory stays flat."""
    return rows.scanner(columns=columns, batch_size=BATCH, batch_readahead=1, fragment_readahead=1).to_batches()


def collect(rows: ds.Dataset, rules: Rules, checks: Sequence[Check], advance: Advance) -> Facts:
    """All facts of all rows."""
    part, settings, known = rules.part, rules.settings, rules.known
    frame = _light(rows, part)
    own, words = _own_facts(rows, part, any(check.code == "PII" for check in checks), advance)
    side = _numbers_of(frame["split"], SIDES)
    single, sets = label_column(part.PAYLOAD), label_sets_column(part.PAYLOAD)
    label, names = _label_numbers(frame["labels"].combine_chunks().flatten() if sets else frame["label"])
    answer = label if single else own["answer"]
    labels = label_rules(
        dict(zip(names, np.bincount(label[label >= 0]).tolist(), strict=True)), settings.labels, known.labels
    )
    wrong = _where(label, np.array([labels.is_wrong(name) for name in names], dtype=bool))
    facts = {
        **_judged_alone(own, settings),
        "label_null": label < 0 if single else np.zeros(len(frame), dtype=bool),
        "label_set": _rows_with(frame["labels"], wrong) if sets else wrong,
        "script_unusual": unusual(own["script"], UNUSUAL_SHARE),
        "relabelled": known.relabelled(own["near"], frame["label"]),
    }
    copies = later_copies(exact_keys([frame["id"].combine_chunks()]), side)
    facts["id_unique"] = copies >= 0
    sound = _sound(facts, checks)
    related = relations(own["exact"], own["near"], side, answer, sound)
    if any(check.code == "LABEL_CONFLICT" and check.action == "quarantine" for check in checks):
        related = without_conflicts(related)
    twins = {"id_unique": copies, **vars(related)}
    facts |= {name: twin >= 0 for name, twin in twins.items()}
    return Facts(_table(frame, own, facts), twins, words, labels)


def _light(rows: ds.Dataset, part: RecordPart) -> pa.Table:
    """`label` is the set as text where a row may have many labels; `labels` then holds them."""
    label, sets = label_column(part.PAYLOAD), label_sets_column(part.PAYLOAD)
    place = ["id", "split", "source", "source_line"]
    table = rows.to_table(columns=[*place, *([label] if label else []), *([sets] if sets else [])])
    if sets:
        told = answer_of(table, part.PAYLOAD)
        return table.rename_columns([*place, "labels"]).add_column(4, "label", told)
    table = table.rename_columns([*place, *(["label"] if label else [])])
    if label is None:
        return table.append_column("label", pa.nulls(len(table), pa.string()))
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(table["label"])), 0)
    named = pc.if_else(pc.fill_null(blank, True), pa.scalar(None, pa.string()), table["label"])
    return table.set_column(4, "label", named)


def _own_facts(
    rows: ds.Dataset, part: RecordPart, personal_data: bool, advance: Advance
) -> tuple[dict[str, Array], Counter[str]]:
    """The facts that a row has alone, batch by batch."""
    texts = [one for one in part.PAYLOAD if one.kind == "text"]
    answers, labelled = Numbers(), label_column(part.PAYLOAD) is not None
    words: Counter[str] = Counter()
    parts: list[dict[str, Array]] = []
    total, done = rows.count_rows(), 0
    for batch in batches(rows, [one.name for one in part.PAYLOAD]):
        table = pa.Table.from_batches([batch])
        columns = texts_of(table, part.PAYLOAD)
        facts: dict[str, Array] = {
            **text_facts(columns, [one.required for one in texts]),
            **part.facts(table),
        }
        facts |= {
            "script": scripts(columns[0]),
            "exact": exact_keys(columns),
            "near": near_keys(columns),
            "answer": np.zeros(len(batch), dtype=np.int64) if labelled else answers.of(answer_of(table, part.PAYLOAD)),
            "pii": np.logical_or.reduce([has_personal_data(column) for column in columns])
            if personal_data
            else np.zeros(len(batch), dtype=bool),
        }
        parts.append(facts)
        for column in columns:
            words.update(count_words(column))
        done += len(batch)
        advance(done, total)
    return _joined(parts, part), words


def _joined(parts: list[dict[str, Array]], part: RecordPart) -> dict[str, Array]:
    if not parts:  # no rows at all: the same columns, empty
        nothing = pa.array([], type=pa.string())
        texts = [one for one in part.PAYLOAD if one.kind == "text"]
        facts: dict[str, Array] = text_facts([nothing] * len(texts), [one.required for one in texts])
        empty = {check.fact: np.zeros(0, dtype=bool) for check in part.CHECKS}
        keys = {name: np.zeros(0, dtype=np.uint64) for name in ("exact", "near")}
        keys["answer"] = np.zeros(0, dtype=np.int64)
        return {**facts, **empty, **keys, "script": np.zeros(0, dtype=np.int8), "pii": np.zeros(0, dtype=bool)}
    return {name: np.concatenate([facts[name] for facts in parts]) for name in parts[0]}


class Numbers:
    """Numbers for texts, in the order in which they are met; -1 for none."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def of(self, texts: pa.Array) -> NDArray[np.int64]:
        """int64 [n]; texts are known by their hash, so that long ones need no memory."""
        keys = exact_keys([texts]).tolist()
        numbers = np.array([self._known.setdefault(key, len(self._known)) for key in keys], dtype=np.int64)
        return np.where(np.asarray(texts.is_null()), -1, numbers)


def _judged_alone(own: dict[str, Array], settings: ValidateSettings) -> dict[str, NDArray[np.bool_]]:
    booleans = {name: values for name, values in own.items() if values.dtype == bool}
    there = ~own["text_empty"]
    return {
        **booleans,
        "text_long": there & (own["n_chars"] > settings.max_characters),
        "text_short": there & (own["n_chars_shortest"] < settings.min_characters),
        "length_odd": odd_lengths(own["n_chars"], there),
    }


def _sound(facts: dict[str, NDArray[np.bool_]], checks: Sequence[Check]) -> NDArray[np.bool_]:
    """The rows that no check on the row alone takes out."""
    sound = np.ones(len(facts["text_empty"]), dtype=bool)
    for check in checks:
        if check.action == "quarantine" and check.code not in RELATIONS:
            sound &= ~facts[check.fact]
    return sound


def _numbers_of(names: pa.ChunkedArray, numbers: dict[str, int]) -> NDArray[np.int8]:
    found = pc.index_in(names, value_set=pa.array(list(numbers)))
    return np.asarray(found.to_numpy(), dtype=np.int8)


def _label_numbers(labels: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    encoded = (labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels).dictionary_encode()
    numbers = np.array(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return numbers, [str(name) for name in encoded.dictionary.to_pylist()]


def _where(label: NDArray[np.int64], wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.append(wrong, False)[label]  # -1, no label, reads the appended False


def _rows_with(sets: pa.ChunkedArray, member: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows have such a member, by the members one after the other."""
    found = np.zeros(len(sets), dtype=bool)
    found[np.asarray(pc.list_parent_indices(sets.combine_chunks()))[member]] = True
    return found


def _table(frame: pa.Table, own: dict[str, Array], facts: dict[str, NDArray[np.bool_]]) -> pa.Table:
    """Lengths are null where the text is empty: TEXT_EMPTY has said it, and the others leave the row out."""
    empty = own["text_empty"]
    columns = {
        **{name: pa.array(own[name], mask=empty) for name in ("n_chars", "n_chars_shortest")},
        "script": pa.DictionaryArray.from_arrays(pa.array(own["script"]), pa.array(SCRIPTS)),
        "text_key": pa.array(own["near"]),
        **{name: pa.array(values) for name, values in facts.items()},
    }
    for name, values in columns.items():
        frame = frame.append_column(name, values)
    return frame
