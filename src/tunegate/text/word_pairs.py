"""Where words and the root stand in windows of words, for what is asked of pairs: who hangs on whom.

A word stands at its first token in the window, the root at the window's first special token. What can be the head of a
word is the root and every word that its window holds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.text.word_windows import NO_WORD
from tunegate.windows import Windows

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Stand:
    """Of one kind of place, in the windows' order: `flat` [k] its token among all, `window` [k], `local` [k] its token
    within the window, and `word` [k], 1 to n as trees count them; 0 is the root."""

    flat: Numbers
    window: Numbers
    local: Numbers
    word: Numbers

    def starts(self, windows: int) -> Numbers:
        """Those of window w are `starts[w]` up to `starts[w + 1]`; int64 [windows + 1]."""
        return np.searchsorted(self.window, np.arange(windows + 1)).astype(np.int64)


def asked(windows: Windows) -> Stand:
    """Words that a window answers for."""
    return _stand(windows, windows.positions["owned"] == 1)


def candidates(windows: Windows) -> Stand:
    """What may be a head, the root first in each window. Raises UserError where a window has no place for the root."""
    word, window = windows.positions["word"], _window_of(windows)
    first = (word != NO_WORD) & ((np.diff(word, prepend=NO_WORD) != 0) | (np.diff(window, prepend=-1) != 0))
    special = np.flatnonzero(word == NO_WORD)
    roots, at = np.unique(window[special], return_index=True)
    if len(roots) < len(windows):
        raise UserError(
            "The base model's tokenizer puts no token of its own beside a text, and a tree's root needs one.",
            "Take a base model whose tokenizer has such tokens ([CLS], <s>), as those of the BERT family have.",
        )
    first[special[at]] = True
    found = _stand(windows, first)
    order = np.lexsort((found.word, found.window))  # families that put their tokens after a text have the root last
    return Stand(found.flat[order], found.window[order], found.local[order], found.word[order])


def local_heads(windows: Windows, words: Stand, heads: Numbers) -> Numbers:
    """Where in its window each of `words` has its head, whose numbers are `heads` [k]; -1 where the window lacks it."""
    able = candidates(windows)
    width = int(max(able.word.max(initial=0), heads.max(initial=0))) + 1
    keys, wanted = able.window * width + able.word, words.window * width + heads
    at = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    return np.where(keys[at] == wanted, able.local[at], -1)


def _stand(windows: Windows, there: NDArray[np.bool_]) -> Stand:
    flat = np.flatnonzero(there)
    window = _window_of(windows)[flat]
    return Stand(flat, window, flat - windows.offsets[window], windows.positions["word"][flat].astype(np.int64) + 1)


def _window_of(windows: Windows) -> Numbers:
    return np.repeat(np.arange(len(windows)), windows.lengths)
