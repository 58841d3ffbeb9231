"""The best spans of a passage by the scores of their first and last token, over all windows that show it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunegate.text.passage_windows import NO_ANSWER, NOWHERE
from tunegate.windows import Arrays, Windows

Floats = NDArray[np.float64]
Span = tuple[int, int]
"""First and last character of the passage, the last one exclusive."""


@dataclass(frozen=True)
class Found:
    """Of one record: `none`, the score of there being no answer, and spans with their scores, the best first."""

    none: float
    spans: list[tuple[Span, float]]


def best_spans(outputs: Arrays, windows: Windows, records: int, *, longest: int, most: int) -> list[Found]:
    """Of each record; a span has at most `longest` tokens, which one window shows, and at most `most` are kept.

    A span's score is the sum of its ends' (Devlin et al. 2019, section 4.2), the highest where several windows show
    it. That there is none scores as low as the window that believes it least.
    """
    starts = windows.starts(records)
    return [
        _of_record(outputs, windows, range(int(starts[record]), int(starts[record + 1])), longest, most)
        for record in range(records)
    ]


def _of_record(outputs: Arrays, windows: Windows, own: range, longest: int, most: int) -> Found:
    none, best = np.inf, dict[Span, float]()
    for number in own:
        size = int(windows.offsets[number + 1] - windows.offsets[number])
        first, last = (np.asarray(outputs[name][number, :size], np.float64) for name in ("start_logits", "end_logits"))
        none = min(none, float(first[NO_ANSWER] + last[NO_ANSWER]))
        places = {name: flat[windows.offsets[number] :][:size] for name, flat in windows.positions.items()}
        for span, score in _of_window(first, last, places, longest, most):
            best[span] = max(score, best.get(span, -np.inf))
    ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return Found(none if len(own) else 0.0, ordered[:most])


def _of_window(
    first: Floats, last: Floats, places: Mapping[str, NDArray[np.int32]], longest: int, most: int
) -> list[tuple[Span, float]]:
    begins, ends = places["start"], places["end"]
    read = np.flatnonzero(begins != NOWHERE)
    if not len(read):
        return []
    width = min(longest, len(read))
    after = np.concatenate([last[read], np.full(width - 1, -np.inf)])
    scores = first[read][:, None] + np.lib.stride_tricks.sliding_window_view(after, width)
    flat = scores.ravel()
    kept = np.argpartition(-flat, min(most, len(flat)) - 1)[:most]
    kept = kept[np.isfinite(flat[kept])]
    rows = kept // width
    pairs = zip(begins[read[rows]].tolist(), ends[read[rows + kept % width]].tolist(), flat[kept].tolist(), strict=True)
    return [((begin, end), score) for begin, end, score in pairs]
