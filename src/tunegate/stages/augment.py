"""Make more training rows: copies, and new texts from old ones. Only training rows, and never a held-out text."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tunegate.errors import UserError, did_you_mean
from tunegate.params import AugmentSettings
from tunegate.records import label_column, question_columns, read_table
from tunegate.stages import Context, Report
from tunegate.task import RecordPart
from tunegate.tasks import record_of
from tunegate.text.augmenters import NAMES, Recipe
from tunegate.text.augmenters.products import Copies, Known, Products
from tunegate.text.augmenters.synonyms import Synonyms, read_synonyms
from tunegate.text.augmenters.vocabulary import vocabulary_of
from tunegate.text.chinese_words import Segment, by_dictionary, by_rjieba, read_dictionary

BATCH = 10_000  # rows: memory stays flat


class AugmentReport(Report):
    """`made` and `rejected` are by operation, `reasons` say why as many were rejected."""

    rows: int  # training rows before
    made: dict[str, int]
    rejected: dict[str, int]
    reasons: dict[str, int]
    weighted: int  # rows that are drawn more often instead of being copied

    def markdown(self) -> str:
        if not (self.made or self.weighted):
            return f"Nothing to do: the {self.rows} training rows are passed on as they are.\n"
        lines = [f"{self.rows} training rows; {self.weighted} of them are drawn more often.\n"]
        lines += ["| operation | new rows | rejected |\n|---|---|---|"]
        lines += [f"| {name} | {count} | {self.rejected.get(name, 0)} |" for name, count in self.made.items()]
        lines += [f"\n{count} rejected: the text {reason}." for reason, count in self.reasons.items()]
        return "\n".join([*lines, ""])


def run(context: Context) -> AugmentReport:
    context.require_accepted("validate")
    context.require_reviewed("validate")
    settings = context.settings(AugmentSettings)
    source, target = context.path("validate", "train.parquet"), context.out / "train.parquet"
    counts = {name: getattr(settings, name) for name in NAMES if getattr(settings, name)}
    rows = pq.read_metadata(source).num_rows
    if not counts and not settings.copies:
        shutil.copyfile(source, target)
        return AugmentReport(rows=rows, made={}, rejected={}, reasons={}, weighted=0)
    part = record_of(context.task)
    _refuse_operations(counts, part)
    texts, label = question_columns(part.PAYLOAD), label_column(part.PAYLOAD)
    _refuse_unknown_labels(settings, source, label, part.TITLE)
    copies = Copies(settings.copies, label, settings.copy_as == "rows")
    recipe = _recipe(context, settings, texts)
    products = Products(counts, recipe, tuple(texts), _known(context, texts, label))
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow, compression="zstd") as writer:
        done = 0
        for batch in file.iter_batches(BATCH):
            parents = pa.Table.from_batches([batch])
            for table in (copies.weighted(parents), copies.rows(parents), products.rows(parents)):
                if table.num_rows:
                    writer.write_table(table)
            done += len(batch)
            context.progress.advance("rows", done, rows)
    made = {**copies.made, **dict.fromkeys(counts, 0), **products.made}
    rejected, reasons = dict(products.rejected), dict(sorted(products.reasons.items()))
    return AugmentReport(rows=rows, made=made, rejected=rejected, reasons=reasons, weighted=copies.weighted_rows)


def _refuse_operations(counts: Mapping[str, int], part: RecordPart) -> None:
    for name in counts:
        if name not in part.AUGMENTERS:
            raise UserError(
                f"augment.{name}: this would not keep the answers of {part.TITLE} true.",
                f"Take it out; what keeps them is: {', '.join(part.AUGMENTERS) or 'none of the operations yet'}.",
            )


def _recipe(context: Context, settings: AugmentSettings, texts: list[str]) -> Recipe:
    segment, vocabulary = _segment(context, settings), None
    if settings.insertion and settings.insert_from == "vocabulary":
        every = _all_texts(context.path("validate", "train.parquet"), texts)
        vocabulary = vocabulary_of(every, settings.unit, segment)
    synonyms = _synonyms(context, settings.synonyms) if settings.synonyms and settings.replacement else None
    return Recipe(settings.rate, settings.unit, settings.seed, vocabulary, synonyms, segment)


def _segment(context: Context, settings: AugmentSettings) -> Segment | None:
    if settings.dictionary is not None:
        return by_dictionary(read_dictionary(_text_of(context, "dictionary", settings.dictionary)))
    return by_rjieba("augment") if settings.chinese_words == "rjieba" else None


def _synonyms(context: Context, name: str) -> Synonyms:
    try:
        return read_synonyms(_text_of(context, "synonyms", name))
    except ValueError as error:
        raise UserError(
            f"augment.synonyms: {name} {error}.", "Write a group of words per line, with commas between them."
        ) from None


def _text_of(context: Context, setting: str, name: str) -> str:
    """Of a file that a setting names."""
    try:
        return (context.workspace.root / name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"augment.{setting} names {name}, which cannot be read: {error}.", "Write it in UTF-8, or take it out."
        ) from error


def _known(context: Context, texts: list[str], label: str | None) -> Known:
    """The rows that no product may come near."""
    train = read_table(context.path("validate", "train.parquet"), [*texts, *([label] if label else [])])
    validation = read_table(context.path("validate", "validation.parquet"), texts)
    test = read_table(context.path("validate", "test.parquet"), texts)
    return Known(train, pa.concat_tables([validation, test]), texts, label)


def _refuse_unknown_labels(settings: AugmentSettings, train: Path, label: str | None, title: str) -> None:
    if label is None:
        if settings.copies:
            raise UserError(
                f"augment.copies: {title} has no single label per row to copy rows by.",
                "Take it out; a column `weight` in the raw file draws rows more often.",
            )
        return
    known = pc.unique(read_table(train, [label])[label]).to_pylist()
    for name in settings.copies:
        if name not in known:
            raise UserError(
                f'augment.copies: no training row has the label "{name}".{did_you_mean(name, known)}',
                f"The labels are: {', '.join(sorted(known)[:30])}.",
            )


def _all_texts(path: Path, names: list[str]) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=names):
            for column in batch.columns:
                yield from (text for text in column.to_pylist() if text is not None)
