"""tokenize: training and validation rows as flat, memory-mapped tokens, with limits on what the tokenizer loses.

Over a limit the stage still succeeds and keeps its files for review; train refuses them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tunegate.errors import UserError
from tunegate.models.folder import check_folder, longest_input, read_config
from tunegate.models.inputs_wanted import InputsWanted
from tunegate.params import TokenizeSettings
from tunegate.records import read_table, texts_of
from tunegate.stages import Context, Report
from tunegate.task import TextTokenizer
from tunegate.tasks import encoding_of, record_of
from tunegate.text.extension import extended
from tunegate.text.tokens import load_tokenizer
from tunegate.text.vocabularies import vocabulary_of
from tunegate.text.vocabularies.measuring import Measures, measured
from tunegate.text.vocabularies.replacing import made_of as made_of_base
from tunegate.vocabulary_settings import VocabularySettings
from tunegate.window_files import save_windows
from tunegate.windows import Windows, joined
from tunegate.workspace import write_atomically

ROWS_AT_ONCE = 20_000  # Python lists of tokens exist for this many rows at a time
SPLITS = ("train", "validation")
TEXTS_COMPARED = 20_000  # more move no figure that is shown


class SplitTokens(BaseModel):
    """Of one split. Lengths are tokens per window, special tokens included; rates are shares between 0 and 1."""

    rows: int
    windows: int
    tokens: int
    mean_length: float
    median_length: float
    length_95: float
    longest: int
    unknown_rate: float  # of the tokens that stand for text
    truncated_rate: float  # of the rows
    vanished_rows: int  # rows of which no token is left
    words: int = 0  # that are asked for an answer each, where the task asks words
    vanished_words: int = 0  # of these, words without the token that is asked: they can neither be learnt nor answered


class TokenizeReport(Report):
    """`reasons` say why train will refuse, and are empty when it will not."""

    vocabulary: int
    max_length: int
    splits: dict[str, SplitTokens]
    reasons: list[str]
    warnings: list[str]
    vocabularies: dict[str, Measures] = Field(default={})  # validation texts as an own one reads them, and the base's

    def markdown(self) -> str:
        head = (
            "| split | rows | windows | tokens | mean length | 95 % up to | longest | unknown | truncated rows |\n"
            "|---|---|---|---|---|---|---|---|\n"
        )
        lines = [
            f"| {name} | {of.rows:,} | {of.windows:,} | {of.tokens:,} | {of.mean_length:.1f} "
            f"| {of.length_95:.0f} | {of.longest} | {of.unknown_rate:.2%} | {of.truncated_rate:.2%} |\n"
            for name, of in self.splits.items()
        ]
        asked = [
            f"- {name}: {of.words - of.vanished_words:,} of {of.words:,} words are answered for, each once "
            f"({(of.words - of.vanished_words) / of.words:.2%}), in {of.windows:,} windows.\n"
            for name, of in self.splits.items()
            if of.words
        ]
        compared = [
            f"- validation texts by the {name} vocabulary: {of.tokens_per_text:.1f} tokens each, {of.fertility:.2f} a "
            f"word, {of.unknown_rate:.2%} of them unknown.\n"
            for name, of in self.vocabularies.items()
        ]
        notes = compared + asked + [f"- {note}\n" for note in (*self.reasons, *self.warnings)]
        size = f"Vocabulary of {self.vocabulary:,} tokens, windows of at most {self.max_length}.\n\n"
        return size + head + "".join(lines) + ("\n" + "".join(notes) if notes else "")


def run(context: Context) -> TokenizeReport:
    """Raises RefusedError when validate refused the data, UserError when the base model cannot take the windows."""
    context.require_accepted("validate")
    settings = context.settings(TokenizeSettings)
    folder = context.workspace.model(str(context.inputs.params["model"]))
    check_folder(folder)
    tokenizer, wanted = _wanted(context, folder, settings)
    splits: dict[str, SplitTokens] = {}
    reasons: list[str] = []
    warnings: list[str] = []
    for split in SPLITS:
        records = read_table(_records(context, split))
        windows = _encode(context, records, tokenizer, settings.max_length)
        save_windows(windows, context.out / split)
        facts = _row_facts(windows, len(records), tokenizer)
        splits[split] = _summary(windows, facts)
        reasons += _over_limits(split, facts, splits[split], records, settings)
        warnings += _vanished(split, facts, records)
    if wanted.base_tokens is None:
        write_atomically(context.out / "tokenizer.json", (folder / "tokenizer.json").read_bytes())
    else:
        tokenizer.tokenizer.save(str(context.out / "tokenizer.json"))
    wanted.write(context.out)
    verdict = {"accepted": not reasons, "reasons": reasons}
    write_atomically(context.out / "verdict.json", json.dumps(verdict, indent=2, ensure_ascii=False) + "\n")
    return TokenizeReport(
        vocabulary=tokenizer.vocabulary_size,
        max_length=settings.max_length,
        splits=splits,
        reasons=reasons,
        warnings=warnings,
        vocabularies=_compared(context, tokenizer, folder) if settings.vocabulary else {},
    )


@dataclass(frozen=True)
class _RowFacts:
    """Per record: tokens that stand for text, unknown ones among them, and whether some were cut off."""

    tokens: NDArray[np.int64]
    unknown: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    words: NDArray[np.int64]  # asked for an answer each; none where the task asks texts
    lost: NDArray[np.int64]  # of these, words without a token


def _records(context: Context, split: str) -> Path:
    return (
        context.path("augment", "train.parquet") if split == "train" else context.path("validate", f"{split}.parquet")
    )


def _wanted(context: Context, folder: Path, settings: TokenizeSettings) -> tuple[TextTokenizer, InputsWanted]:
    """The tokenizer, and what the base model must become to read its tokens. Raises UserError."""
    positions = _positions(folder, settings)
    more: dict[str, object] = {}
    if positions:
        more |= {"positions": positions, "lengthening": settings.longer_positions}
    before = load_tokenizer(folder)
    if settings.vocabulary is not None:
        own = _own_vocabulary(context, settings.vocabulary)
        more |= {
            "base_tokens": before.vocabulary_size,
            "made_of": made_of_base(own, before),
            "vocabulary": "vocabulary",
        }
        return own, InputsWanted.model_validate(more)
    tokenizer, made_of = extended(folder, settings.extra_words) if settings.extra_words else (before, [])
    if made_of:
        size = before.vocabulary_size
        more |= {"base_tokens": size, "kept_tokens": size, "made_of": made_of, "vocabulary": "extra_words"}
    return tokenizer, InputsWanted.model_validate(more)


def _own_vocabulary(context: Context, settings: VocabularySettings) -> TextTokenizer:
    """Of the training rows, as every later stage reads it from its file."""
    vocabulary_of(lambda: _texts(context, "train"), settings).save(str(context.out / "tokenizer.json"))
    return load_tokenizer(context.out)


def _compared(context: Context, own: TextTokenizer, folder: Path) -> dict[str, Measures]:
    texts = list(islice(_texts(context, "validation"), TEXTS_COMPARED))
    both = {"own": own, "base": load_tokenizer(folder)}
    return {name: measured(tokenizer, texts) for name, tokenizer in both.items()} if texts else {}


def _texts(context: Context, split: str) -> Iterator[str]:
    for column in texts_of(read_table(_records(context, split)), record_of(context.task).PAYLOAD):
        yield from (text for text in column.to_pylist() if text)


def _positions(folder: Path, settings: TokenizeSettings) -> int | None:
    """To how many the base model's are to be lengthened; None where it reads windows of max_length as it is."""
    limit = longest_input(read_config(folder))
    if limit is None or settings.max_length <= limit:
        return None
    if settings.longer_positions == "none":
        raise UserError(
            f"tokenize.max_length is {settings.max_length}, and the base model {folder.name} reads at most {limit} "
            "tokens.",
            f"Set tokenize.max_length to {limit} or less, or lengthen its positions: tokenize.longer_positions: tile.",
        )
    return settings.max_length


def _encode(context: Context, records: pa.Table, tokenizer: TextTokenizer, max_length: int) -> Windows:
    encoding, options = encoding_of(context.task), context.options
    parts, sizes = [], []
    for start in range(0, max(1, len(records)), ROWS_AT_ONCE):
        rows = records.slice(start, ROWS_AT_ONCE)
        parts.append(encoding.encode(rows, tokenizer, max_length, options))
        sizes.append(len(rows))
        context.progress.advance("rows", start + len(rows), len(records))
    return joined(parts, sizes)


def _row_facts(windows: Windows, records: int, tokenizer: TextTokenizer) -> _RowFacts:
    added = tokenizer.tokenizer.get_added_tokens_decoder()
    special = [number for number, token in added.items() if token.special and number != tokenizer.unknown_id]
    ids = windows.tokens["input_ids"]
    record = np.repeat(windows.record, windows.lengths)
    unknown = record[ids == tokenizer.unknown_id] if tokenizer.unknown_id is not None else record[:0]
    dropped = np.bincount(windows.record, weights=windows.dropped, minlength=records).astype(np.int64)
    owned, nothing = windows.positions.get("owned"), np.zeros(records, dtype=np.int64)
    answered = nothing if owned is None else np.bincount(record[owned == 1], minlength=records)
    lost = nothing if owned is None else dropped
    hidden = windows.tokens.get("asked", np.zeros_like(ids)) > 0  # a mask, and text behind it
    return _RowFacts(
        tokens=np.bincount(record[~np.isin(ids, special) | hidden], minlength=records),
        unknown=np.bincount(unknown, minlength=records),
        truncated=(dropped > 0) & (owned is None),
        words=answered + lost,
        lost=lost,
    )


def _summary(windows: Windows, facts: _RowFacts) -> SplitTokens:
    lengths = windows.lengths if len(windows) else np.zeros(1)
    rows = len(facts.tokens)
    return SplitTokens(
        rows=rows,
        windows=len(windows),
        tokens=int(windows.offsets[-1]),
        mean_length=round(float(lengths.mean()), 2),
        median_length=float(np.median(lengths)),
        length_95=float(np.percentile(lengths, 95, method="higher")),
        longest=int(lengths.max()),
        unknown_rate=round(float(facts.unknown.sum() / max(1, facts.tokens.sum())), 6),
        truncated_rate=round(float(facts.truncated.sum() / max(1, rows)), 6),
        vanished_rows=int((facts.tokens == 0).sum()),
        words=int(facts.words.sum()),
        vanished_words=int(facts.lost.sum()),
    )


def _over_limits(
    split: str, facts: _RowFacts, summary: SplitTokens, records: pa.Table, settings: TokenizeSettings
) -> list[str]:
    reasons = []
    if summary.unknown_rate > settings.max_unknown_rate:
        worst = int(np.argmax(facts.unknown / np.maximum(1, facts.tokens)))
        reasons.append(
            f"[UNK_RATE] {int(facts.unknown.sum())} of {int(facts.tokens.sum())} {split} tokens "
            f"({summary.unknown_rate:.1%}) are unknown to the tokenizer; the limit is "
            f"{settings.max_unknown_rate:.1%}. Worst: {_row(records, worst)}. Take a base model of the texts' language "
            "and script, or raise tokenize.max_unknown_rate."
        )
    if summary.truncated_rate > settings.max_truncated_rate:
        first = int(np.argmax(facts.truncated))
        reasons.append(
            f"[TOO_LONG] {int(facts.truncated.sum())} of {summary.rows} {split} rows ({summary.truncated_rate:.1%}) "
            f"are longer than {settings.max_length} tokens and would be cut; the limit is "
            f"{settings.max_truncated_rate:.1%}. First: {_row(records, first)}. Raise tokenize.max_length, let "
            "them be read in windows (options.long_texts: windows, where the task has it), or raise "
            "tokenize.max_truncated_rate."
        )
    return reasons


def _vanished(split: str, facts: _RowFacts, records: pa.Table) -> list[str]:
    rows, lost = np.flatnonzero(facts.tokens == 0), np.flatnonzero(facts.lost)
    said = []
    if len(lost):
        said.append(
            f"[TOKEN_VANISHES] The tokenizer has no token for {int(facts.lost.sum())} words in {len(lost)} of "
            f"{len(records)} {split} rows. First: {_row(records, int(lost[0]))}. They are neither learnt nor answered: "
            "take these words out, or, where a blank takes one token, make them tokens (tokenize.extra_words)."
        )
    if len(rows):
        said.append(
            f"[TOKEN_VANISHES] {len(rows)} of {len(records)} {split} rows have text of which the tokenizer keeps "
            f"nothing. First: {_row(records, int(rows[0]))}. Correct or remove them: the model sees an empty text."
        )
    return said


def _row(records: pa.Table, number: int) -> str:
    """Where a row stands, as people find it."""
    row = records.slice(number, 1).select(["source", "source_line", "id"]).to_pylist()[0]
    return f"{row['source']}:{row['source_line']} id={row['id']}"
