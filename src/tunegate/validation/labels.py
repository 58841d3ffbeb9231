"""Which labels may occur, and which known one a wrong label was probably meant to be."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from tunegate.text.normalise import normalised

RARE = 2  # rows: a slip of the keyboard hardly happens three times in the same way
NEAR = 0.75  # difflib's ratio: "refnud" and "refund" have 0.83
MORE = 10  # times as many rows: where nothing is known, only a label much more frequent is taken for what was meant
LOOKED_AT = 1_000  # labels: a text column taken for labels must not take for ever


@dataclass(frozen=True)
class LabelRules:
    """`closed`: only the known labels may occur. Otherwise new ones may, unless they look like a slip."""

    known: tuple[str, ...]
    closed: bool
    nearest: Mapping[str, str] = field(default_factory=dict)  # wrong label to what was probably meant

    def is_wrong(self, label: str) -> bool:
        return label not in self.known if self.closed else label in self.nearest


def label_rules(counts: Mapping[str, int], allowed: Sequence[str] | None, known: Sequence[str]) -> LabelRules:
    """`counts`: rows per label. `allowed` is the user's closed list, `known` the label file so far."""
    if allowed is not None:
        strangers = [label for label in counts if label not in set(allowed)]
        return LabelRules(tuple(allowed), True, _nearest(strangers[:LOOKED_AT], allowed))
    rare = [label for label, number in counts.items() if number <= RARE and label not in set(known)][:LOOKED_AT]
    if known:
        return LabelRules(tuple(known), False, _nearest(rare, known))
    frequent = [label for label, number in counts.items() if number >= RARE * MORE]
    return LabelRules((), False, _nearest(rare, frequent[:LOOKED_AT]))


def _nearest(strangers: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    by_form = dict(zip(_forms(known), known, strict=True))
    found = {}
    for label, form in zip(strangers, _forms(strangers), strict=True):
        match = [form] if form in by_form else difflib.get_close_matches(form, list(by_form), n=1, cutoff=NEAR)
        if match:
            found[label] = by_form[match[0]]
    return found


def _forms(labels: Sequence[str]) -> list[str]:
    """`Card Payment` and `card_payment` are the same slip."""
    return [str(form) for form in normalised(pa.array(labels, type=pa.string())).to_pylist()]
