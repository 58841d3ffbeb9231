"""Files to rows: which files of a folder are read, as what, and by whom.

A reader is `read(path, source, format, settings) -> Iterator[Chunk]`: every row of the file ends in exactly one of a
chunk's rows and rejects. `mapping` says which column is which field, `drafts` turns rows into records.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.answers import ANSWER, AnswerFile, counted_from_zero, with_answers
from tunegate.text.readers.columnar import read_arrow, read_parquet
from tunegate.text.readers.conll import read_conll
from tunegate.text.readers.delimited import read_delimited
from tunegate.text.readers.huggingface import is_left_over, split_of
from tunegate.text.readers.jsonl import read_json_lines
from tunegate.text.readers.label_sets import with_label_sets
from tunegate.text.readers.lists import with_lists
from tunegate.text.readers.plain import plain_form, read_plain
from tunegate.text.readers.rows import Chunk
from tunegate.text.readers.spans import read_spans
from tunegate.text.readers.squad import looks_like_squad, read_squad
from tunegate.text.readers.xlsx import read_xlsx

READERS: dict[str, Callable[[Path, str, str, IngestSettings], Iterator[Chunk]]] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "xlsx": read_xlsx,
    "conll": read_conll,
    "conllu": read_conll,
    "spans": read_spans,
    "squad": read_squad,
    "documents": read_plain,
    "lines": read_plain,
}
NO_ENDING = ("spans", "squad", "documents", "lines")  # formats that share an ending with others, or with notes
ENDINGS = {**{f".{name}": name for name in READERS if name not in NO_ENDING}, ".ndjson": "jsonl", ".bio": "conll"}


@dataclass(frozen=True)
class RawFile:
    """A file to read. `split` is `auto` where neither the settings nor the folder say which its rows belong to."""

    path: Path
    source: str
    form: str
    split: str
    answers: AnswerFile | None = None

    def read(self, settings: IngestSettings) -> Iterator[Chunk]:
        """Its rows in its order. Raises UserError when the file as a whole cannot be read."""
        chunks = READERS[self.form](self.path, self.source, self.form, settings)
        if self.answers:
            chunks = with_answers(chunks, self.answers, settings.encoding)
        if settings.first_option:
            chunks = counted_from_zero(chunks, settings.columns.get(ANSWER, ANSWER), settings.first_option)
        if settings.lists:
            chunks = with_lists(chunks, settings.lists, self.source)
        if not (settings.label_columns or settings.label_delimiter):
            return chunks
        return (with_label_sets(chunk, settings, self.source) for chunk in chunks)


def choose_files(
    folder: Path, settings: IngestSettings, source: Callable[[Path], str]
) -> tuple[list[RawFile], list[str]]:
    """The files that the settings name, in the order of their names, and those that are left unread.

    The first pattern that fits a file decides. A pattern that fits no file that can be read is an error.
    """
    found = _files(folder)
    if not found:
        raise UserError(f"{source(folder)} holds no files.", "Put the raw files there, or name another data folder.")
    chosen: list[RawFile] = []
    used = dict.fromkeys(settings.files, 0)
    for name, path in found.items():
        if name in settings.answers.values():
            continue
        pattern = next((pattern for pattern in settings.files if fnmatchcase(name, pattern)), None)
        form = _form(path, settings.format)
        if pattern is not None and form is not None:
            used[pattern] += 1
            answers = _answers_of(name, folder, settings, source)
            chosen.append(RawFile(path, source(path), form, settings.files[pattern], answers))
    _refuse_idle_patterns(used, found, source(folder))
    read = {file.path for file in chosen} | {file.answers.path for file in chosen if file.answers}
    return _with_folder_splits(chosen), [name for name, path in found.items() if path not in read]


def file_of(path: Path, settings: IngestSettings) -> RawFile:
    """A single file outside any data folder. Raises UserError when its format is not known."""
    if not path.is_file():
        raise UserError(f"{path} is not a file.", "Name an existing file.")
    form = _form(path, settings.format) or plain_form([path])
    if form is None:
        raise UserError(
            f"The ending of {path.name} does not say what it is.",
            f"Rename it so that it ends as its format does: {', '.join(ENDINGS)}.",
        )
    return RawFile(path, str(path), form, "auto")


def _answers_of(name: str, folder: Path, settings: IngestSettings, source: Callable[[Path], str]) -> AnswerFile | None:
    """Where the answers to this file's rows are, if the settings say so."""
    found = next((answers for pattern, answers in settings.answers.items() if fnmatchcase(name, pattern)), None)
    return None if found is None else AnswerFile(folder / found, source(folder / found), name)


def _files(folder: Path) -> dict[str, Path]:
    """Path relative to the folder -> path, hidden files and left-overs of `datasets` aside."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {
        name: path
        for name, path in names.items()
        if not any(part.startswith(".") for part in name.split("/")) and not is_left_over(path)
    }


def _form(path: Path, declared: str) -> str | None:
    """The reader's name; None where the ending does not say it."""
    if declared not in ("auto", "huggingface"):
        return declared
    if path.suffix.lower() == ".json":  # many kinds of file end so; one of them is read
        return "squad" if looks_like_squad(path) else None
    return ENDINGS.get(path.suffix.lower())


def _refuse_idle_patterns(used: dict[str, int], found: dict[str, Path], folder: str) -> None:
    idle = [pattern for pattern, count in used.items() if not count]
    if idle:
        names = ", ".join(list(found)[:20]) + (f", and {len(found) - 20} more" if len(found) > 20 else "")
        raise UserError(
            f"ingest.files: {', '.join(map(repr, idle))} fits no readable file that an earlier pattern left over. "
            f"{folder} holds: {names}.",
            f"Correct the pattern; files are read by their ending ({', '.join(ENDINGS)}) or as ingest.format says.",
        )


def _with_folder_splits(files: list[RawFile]) -> list[RawFile]:
    """`auto` files of a Hugging Face folder with several splits keep the split that the folder gives them.

    A folder with one split alone says nothing: all of its rows are split by hash.
    """
    splits = {file.path: split_of(file.path, file.source) for file in files if file.split == "auto"}
    if len({split for split in splits.values() if split}) < 2:
        return files
    return [replace(file, split=splits.get(file.path) or file.split) for file in files]
