"""What every task answers: three modules, each with one kind of knowledge, and the values that pass between them.

`record.py` knows what a record is, `encode.py` how to put the question to an encoder, `answer.py` how to read the
model's answer and what an answer is worth. They stand apart so that mending a metric does not train again.
A task's module satisfies the protocol as it stands: no class, no registration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel

from tunegate.records import Payload
from tunegate.windows import Arrays, Windows

Fitted = dict[str, float | list[float]]
"""What was fitted on validation rows (a temperature, thresholds); kept in the export as JSON."""

TaskOptions = Mapping[str, Any]
"""The task's own settings as `inputs.json` has them: validated by `Options`, every default filled in."""

IGNORED = -100
"""The target of a position that asks nothing, as in torch's cross entropy."""

Sums = Mapping[str, NDArray[np.float64]]
"""Count key to its sums, float64 [r], one per resample. A key that never occurs is absent."""


@dataclass(frozen=True)
class Metric:
    """A number made from summed counts, so that every interval and paired test comes from one place."""

    name: str
    title: str
    higher_is_better: bool
    unit: Literal["record", "document", "group"]
    value: Callable[[Sums], NDArray[np.float64]]  # sums [r] each -> values [r]; nan where undefined
    proportion: bool = False  # a share of units, so that exact intervals for proportions apply
    best: float | None = None  # what a perfect model has, where that is neither 1 (of what goes up) nor 0
    of_rows: bool = False  # no sums give it: `value` is told what each row counts [rows] and says one number [1];
    # never the primary metric, which models are compared by
    scale: Callable[[Sums], NDArray[np.float64]] | None = None  # what margins are shares of, for a metric in a unit


@dataclass(frozen=True)
class Counts:
    """A long, sparse table: entry `e` says that record `record[e]` adds `number[e]` to count `keys[key[e]]`."""

    records: int
    keys: tuple[str, ...]
    record: NDArray[np.int64]
    key: NDArray[np.int32]
    number: NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """A rule on single rows. `fact` names a boolean fact, true where the row breaks the rule.

    detail: what a row's own reason adds in brackets, from its payload.
    """

    code: str
    fact: str
    what: str  # completes "12 of 1000 rows: ..."
    remedy: str
    tolerated: float = 0.0  # share of rows that may break it before the data is over its limits (action fail)
    action: Literal["quarantine", "warn", "fail", "off"] = "quarantine"
    detail: Callable[[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True)
class Head:
    """What stands on the encoder: a transformers Auto class by name, or one of ours (a key of `models.heads.HEADS`),
    its outputs, and the loss by name (a key of `training.loss.LOSSES`).

    learns_from: `window` where each window teaches alone; `record` where a record's windows (the options of a choice)
    are weighed against each other and so stand in one batch.
    told: targets of tokens that the model itself reads while it learns (teacher forcing), by name.
    learnt: the outputs that the loss reads, where these are others than those that serve.
    pairs: the outputs speak of pairs of a window's tokens, [w, l, l]; each window's are kept at its own length.
    """

    auto_class: str
    outputs: tuple[str, ...]
    loss: str
    learns_from: Literal["window", "record"] = "window"
    told: tuple[str, ...] = ()
    learnt: tuple[str, ...] = ()
    pairs: bool = False


@dataclass(frozen=True)
class Targets:
    """What the model should have said, for training only.

    rows: named arrays with a row per window, [n, ...]. tokens: named flat arrays, int64 [t], one value per token of
    the windows; IGNORED where nothing is asked.
    """

    rows: Arrays = field(default_factory=dict)
    tokens: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What an answer is read with: the label file, what was fitted on validation rows, the task's own settings, and
    the tokenizer."""

    labels: list[str]
    fitted: Fitted
    options: TaskOptions
    tokenizer: "TextTokenizer | None" = None  # of the questions' windows, for answers that are tokens


@dataclass(frozen=True)
class TextTokenizer:
    """A fast tokenizer with what the encoding needs to know of it. Literals of special tokens stay text."""

    tokenizer: Any  # tokenizers.Tokenizer
    unknown_id: int | None
    pad: Mapping[str, int]  # input name to its padding value

    @property
    def vocabulary_size(self) -> int:
        return int(self.tokenizer.get_vocab_size(with_added_tokens=True))


class RecordPart(Protocol):
    """`record.py`: what a record is.

    A task that learns from what it makes of its records (pairs of sentences from documents) has `examples_from`
    (`ExamplesFrom`) too.
    """

    NAME: str
    TITLE: str
    PAYLOAD: tuple[Payload, ...]
    EXAMPLES: tuple[Mapping[str, Any], ...]  # a few labelled rows, enough to train a tiny model to a perfect score
    AUGMENTERS: tuple[str, ...]  # the operations of `text.augmenters` that keep the answer true
    CHECKS: tuple[Check, ...]  # the task's own, beside those that hold for every text and label column
    Options: type[BaseModel]
    Record: type[BaseModel]  # what the service is asked; no label
    Answer: type[BaseModel]  # what the service says of it

    # Optional: `first_options(records) -> dict`, settings of its own for a new pipeline with such rows.

    def labels(self, records: pa.Table) -> list[str]:
        """The labels that occur, in the order in which new ones join the label file."""

    def facts(self, records: pa.Table) -> dict[str, NDArray[np.bool_]]:
        """The facts that `CHECKS` name, bool [n]."""


Refresh = Callable[[Windows, int, TextTokenizer, TaskOptions], "tuple[Windows, Arrays]"]
"""Windows as a seed makes them anew, and the targets of tokens that go with them. A function of a window and the seed:
of an epoch's number and its own seed, then, whichever windows stand beside it."""

ExamplesFrom = Callable[[pa.Table, TaskOptions, Callable[[str], str]], pa.Table]
"""Records of one split to what is learnt from them and judged, in the same columns; the last argument gives the text of
a file that the settings name."""


class EncodePart(Protocol):
    """`encode.py`: records to windows, and what the model should have said.

    A task whose inputs are made anew for every epoch has `refresh` (`Refresh`) too.
    """

    def head(self, options: TaskOptions) -> Head:
        """What stands on the encoder, where the task's settings are these."""

    def head_options(self, labels: list[str], options: TaskOptions) -> dict[str, Any]:
        """Changes to the model's config (`num_labels`, `id2label`, ...)."""

    def encode(self, records: pa.Table, tokenizer: TextTokenizer, max_length: int, options: TaskOptions) -> Windows:
        """Never sees the answer: its columns may be absent. A record's windows stand together, in their order."""

    def target(self, records: pa.Table, windows: Windows, labels: list[str], options: TaskOptions) -> Targets:
        """Raises UserError for an answer that cannot be learnt (a label that the label file does not hold)."""


class AnswerPart(Protocol):
    """`answer.py`: outputs to answers, and what answers are worth."""

    METRICS: tuple[Metric, ...]  # the first is the primary one
    BASELINES: tuple[str, ...]  # the names of all that `baselines` may give

    def fit(self, outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> Fitted:
        """On validation rows. Outputs have a row per window, and per token where the head speaks of tokens (padded
        with zeros on the right; of pairs of tokens, an array of arrays [l, l], each of its window's own length);
        `reading.fitted` is empty. There may be no rows at all."""

    def decode(self, outputs: Arrays, windows: Windows, records: pa.Table, reading: Reading) -> pa.Table:
        """One answer per record, in the records' order, whatever became of their windows. Records may lack the
        answer's columns."""

    # A task that answers numbers also has `intervals(answers)`, float64 [n, 2]: an answer between them is no other one.

    def responses(self, answers: pa.Table, labels: list[str], with_scores: bool) -> list[dict[str, Any]]:
        """The answers as the service says them: each is valid input of `Answer`."""

    def decided(self, answers: pa.Table) -> list[str]:
        """The decision alone, as text, so that two models' answers can be compared row by row."""

    def scores(self, answers: pa.Table) -> NDArray[np.float64]:
        """The scores behind the decisions, [m, k], so that two engines can be compared within a tolerance: of the same
        shape for the same records."""

    def margins(self, answers: pa.Table) -> NDArray[np.float64]:
        """How far each decision's score is above the next one's (of the weakest, where a record has many), [n];
        infinite where there is no other."""

    def confidence(self, answers: pa.Table) -> NDArray[np.float64]:
        """The calibrated probability that the decision is right, [n]."""

    def counts(self, answers: pa.Table, records: pa.Table, labels: list[str]) -> Counts:
        """Holds at least `n` (1 per record) and `correct` (1 where the record is answered right)."""

    def baselines(
        self, train: pa.Table, test: pa.Table, labels: list[str], seed: int
    ) -> dict[str, tuple[str, pa.Table]]:
        """Name to (what it is, in words; its answers to the test rows): what little effort gives."""

    def cells(self, record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
        """One row of a table for people: column title to text."""
