"""What a quarantined row's reason adds to its rule: the twin, the nearest label, the length."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tunegate.records import as_text
from tunegate.task import Check, RecordPart
from tunegate.text.facts.own import is_blank, mended
from tunegate.validation.collect import Facts
from tunegate.validation.messages import place, snippet


class Details:
    """Looks rows up in the facts; the columns it needs are taken out once."""

    def __init__(self, facts: Facts, part: RecordPart) -> None:
        self._facts = facts
        self._required = [column.name for column in part.PAYLOAD if column.kind == "text" and column.required]
        self._source = facts.table["source"].combine_chunks()
        self._line = facts.table["source_line"].to_numpy()
        self._label = facts.table["label"].combine_chunks()

    def place(self, row: int) -> str:
        return place(str(self._source[row].as_py()), int(self._line[row]))

    def of(self, check: Check, row: int, payload: Mapping[str, Any]) -> str:
        """` (as in data/raw/x/train.csv:17)`, or nothing where the rule says it all."""
        if check.detail is not None:
            said = check.detail(payload)
        elif check.fact in self._facts.twins:
            said = self._twin(check.fact, row)
        else:
            said = self._alone(check.fact, row, payload)
        return f" ({said})" if said else ""

    def _twin(self, fact: str, row: int) -> str:
        twin = int(self._facts.twins[fact][row])
        if fact == "label_conflict" and self._label[row].is_valid:
            return f"here {self._label[row].as_py()!r}, {self._label[twin].as_py()!r} at {self.place(twin)}"
        return self.place(twin)

    def _alone(self, fact: str, row: int, payload: Mapping[str, Any]) -> str:
        if fact == "label_set":
            return ", ".join(map(self._wrong, self._wrong_labels(row)))
        if fact in ("text_long", "text_short", "length_odd"):
            column = "n_chars_shortest" if fact == "text_short" else "n_chars"
            return f"{self._facts.table[column][row].as_py()} characters"
        if fact == "enc_mojibake":
            better = next((better for text in payload.values() if text and (better := mended(str(text)))), None)
            return f"it would read {snippet(better)}"
        if fact == "text_empty" and len(self._required) > 1:
            return " and ".join(name for name in self._required if not _visible(payload[name]))
        return ""

    def _wrong_labels(self, row: int) -> list[str]:
        if "labels" not in self._facts.table.column_names:
            return [str(self._label[row].as_py())]
        return [name for name in self._facts.table["labels"][row].as_py() if self._facts.labels.is_wrong(name)]

    def _wrong(self, label: str) -> str:
        nearest = self._facts.labels.nearest.get(label)
        return f"{label!r}{f'; did you mean {nearest!r}?' if nearest else ''}"


def _visible(value: object) -> bool:
    return not is_blank(as_text(pa.array([value]))).any()
