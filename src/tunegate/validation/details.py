"""What a quarantined row's reason adds to its rule: the twin, the nearest label, the length."""

from collections.abc import Mapping
from typing import Any

from tunegate.text.facts.own import mended
from tunegate.validation.collect import Facts
from tunegate.validation.messages import place, snippet


class Details:
    """Looks rows up in the facts; the columns it needs are taken out once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._source = facts.table["source"].combine_chunks()
        self._line = facts.table["source_line"].to_numpy()
        self._label = facts.table["label"].combine_chunks()

    def place(self, row: int) -> str:
        return place(str(self._source[row].as_py()), int(self._line[row]))

    def of(self, fact: str, row: int, payload: Mapping[str, Any]) -> str:
        """` (as in data/raw/x/train.csv:17)`, or nothing where the rule says it all."""
        if fact in self._facts.twins:
            twin = int(self._facts.twins[fact][row])
            if fact == "label_conflict" and self._label[row].is_valid:
                return f" (here {self._label[row].as_py()!r}, {self._label[twin].as_py()!r} at {self.place(twin)})"
            return f" ({self.place(twin)})"
        if fact == "label_set":
            label = str(self._label[row].as_py())
            nearest = self._facts.labels.nearest.get(label)
            return f" ({label!r}{f'; did you mean {nearest!r}?' if nearest else ''})"
        if fact in ("text_long", "text_short", "length_odd"):
            column = "n_chars_shortest" if fact == "text_short" else "n_chars"
            return f" ({self._facts.table[column][row].as_py()} characters)"
        if fact == "enc_mojibake":
            better = next((better for text in payload.values() if text and (better := mended(str(text)))), None)
            return f" (it would read {snippet(better)})"
        return ""
