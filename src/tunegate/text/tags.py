"""Tags of words: the schemes that mark spans, and the spans that they mark.

Whatever scheme a file uses, tags are kept as IOB2 (`B-x` begins a span, `I-x` goes on, `O` is outside). Tags of another
kind (parts of speech) mark one span per word.
"""

import re
from collections.abc import Sequence

OUTSIDE = "O"
MARKED = re.compile(r"([BIESLUM])-(.+)")
BEGINS, ENDS = "BSU", "ESLU"

Span = tuple[int, int, str]
"""First word, word after the last, label."""


def marks_spans(tags: Sequence[str]) -> bool:
    """Whether the tags are of a scheme that marks spans: `O` and prefixed ones, at least one of these."""
    return any(MARKED.fullmatch(tag) for tag in tags) and all(tag == OUTSIDE or MARKED.fullmatch(tag) for tag in tags)


def to_iob2(tags: Sequence[str]) -> list[str]:
    """From IOB1, IOB2, BIOES, BILOU or BMES; tags of another kind are left as they are.

    IOB1 begins a span with `I-` unless another of its label stands just before; there, as in files that are not quite
    right, `I-x` after something else begins a span (Tjong Kim Sang and Veenstra 1999; the definition of conlleval).
    """
    if not marks_spans(tags):
        return list(tags)
    made: list[str] = []
    inside = ""  # the label of the span that the word before leaves open
    for tag in tags:
        found = MARKED.fullmatch(tag)
        if found is None:
            made.append(tag)
            inside = ""
            continue
        prefix, label = found.groups()
        begins = prefix in BEGINS or label != inside
        made.append(f"{'B' if begins else 'I'}-{label}")
        inside = "" if prefix in ENDS else label
    return made


def spans_of(tags: Sequence[str], *, strict: bool = False) -> list[Span]:
    """The spans that IOB2 tags mark, in their order; of tags of another kind each word is one.

    An `I-x` that goes on with nothing begins a span (lenient, as conlleval has it), or is none (strict).
    """
    spans: list[Span] = []
    start, label = 0, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, name = tag.partition("-") if MARKED.fullmatch(tag) else ("", "", "")
        if label and not (prefix == "I" and name == label):
            spans.append((start, place, label))
            label = ""
        if prefix == "B" or (prefix == "I" and not label and not strict):
            start, label = place, name
        elif not prefix and tag != OUTSIDE:
            spans.append((place, place + 1, tag))
    return spans


def types_of(tags: Sequence[str]) -> list[str]:
    """The labels of spans that these tags can mark, in the order of the tags."""
    names = [found.group(2) if (found := MARKED.fullmatch(tag)) else tag for tag in tags if tag != OUTSIDE]
    return list(dict.fromkeys(names))
