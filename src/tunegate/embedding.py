"""Vectors of texts from an encoder: the states of one of its layers, pooled into one vector a text.

The encoder is a base model's, or the fine-tuned one of a pipeline. Rows keep their order; what cannot be read has no
vector and a reason.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.file_answers import FileQuestions
from tunegate.models.folder import check_folder, longest_input, read_config
from tunegate.params import IngestSettings
from tunegate.task import TextTokenizer
from tunegate.text.long_texts import pooled, text_windows
from tunegate.text.questions import QUESTION
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import length_sorted_batches

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VectorPooling = Literal["mean", "cls", "max"]
OUTPUTS = (".parquet", ".npy")
LONG_TEXTS = {"long_texts": "windows", "pooling": "mean"}  # nothing of a long text is left out
LONGEST = 512  # tokens of a window, where the model takes as many or more
BATCH_TOKENS = 8192

Vectors = NDArray[np.float32]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Embedder:
    """`layer`: 0 for the embeddings, then 1 up to the number of layers. `window`: tokens."""

    model: "PreTrainedModel"
    tokenizer: TextTokenizer
    layer: int
    pooling: VectorPooling
    window: int

    @classmethod
    def open(cls, folder: Path, layer: int = -1, pooling: VectorPooling = "mean") -> "Embedder":
        """`layer` -1 is the last, -2 the one below. Raises UserError for a folder without a model, and for a layer
        that it does not have."""
        from tunegate.models.loading import load_encoder

        if pooling not in get_args(VectorPooling):
            raise UserError(
                f'There is no pooling "{pooling}".', f"Choose one of: {', '.join(get_args(VectorPooling))}."
            )
        check_folder(folder)
        model = load_encoder(folder)
        layers = int(model.config.num_hidden_layers)
        if not -layers - 1 <= layer <= layers:
            raise UserError(
                f"--layer {layer}: the model has the layers 1 to {layers}, and 0 for its embeddings.",
                "Count from the top with -1, -2, ..., or from the bottom.",
            )
        window = min(LONGEST, longest_input(read_config(folder)) or LONGEST)
        return cls(model, load_tokenizer(folder), layer % (layers + 1), pooling, window)

    @property
    def width(self) -> int:
        return int(self.model.config.hidden_size)

    def vectors(self, questions: pa.Table) -> Vectors:
        """Of texts (`text`) or pairs (and `text_b`), float32 [n, h]. A long text's is the mean of its windows'."""
        import torch

        from tunegate.models.loading import input_names

        windows = text_windows(questions, self.tokenizer, self.window, LONG_TEXTS)
        found = np.zeros((len(windows), self.width), dtype=np.float32)
        names, device = input_names(self.model), self.model.device
        with torch.inference_mode():
            for chosen in length_sorted_batches(windows.lengths, BATCH_TOKENS):
                arrays = windows.batch(chosen, self.tokenizer.pad)
                inputs = {name: torch.from_numpy(arrays[name]).to(device) for name in names}
                states = self.model(**inputs, output_hidden_states=True).hidden_states[self.layer]
                inside = torch.from_numpy(arrays["attention_mask"]).to(device)
                found[chosen] = self._pooled(states.float(), inside).cpu().numpy()
        return pooled(found, windows, len(questions), LONG_TEXTS).astype(np.float32)

    def _pooled(self, states: Any, inside: Any) -> Any:
        """States [b, l, h] and where tokens stand [b, l] to [b, h]."""
        if self.pooling == "cls":
            return states[:, 0]
        mask = inside[:, :, None].bool()
        if self.pooling == "max":
            return states.masked_fill(~mask, float("-inf")).amax(dim=1)
        return states.masked_fill(~mask, 0.0).sum(dim=1) / mask.sum(dim=1)


def questions_of(path: Path, settings: IngestSettings, columns: Sequence[tuple[str, str]]) -> FileQuestions:
    """A file of texts, or of pairs. `columns`: field and column. Raises UserError for a field that there is not."""
    names = [field.name for field in QUESTION]
    if unknown := [field for field, _ in columns if field not in names]:
        raise UserError(f'--column: there is no field "{unknown[0]}".', f"The fields are: {', '.join(names)}.")
    return FileQuestions(path, settings.model_copy(update={"columns": dict(columns)}), QUESTION, {})


def embed_file(embedder: Embedder, questions: FileQuestions, total: int, output: Path, told: Told) -> int:
    """Write the vectors of `total` rows; the file gets its name when it is whole. How many of the rows have a vector.

    `.npy`: float32 [rows, h], nan for a row without a vector. `.parquet`: `line`, `vector`, `error`.
    """
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        write = _write_npy if output.suffix == ".npy" else _write_parquet
        done = write(_chunks(embedder, questions, total, told), unfinished, total, embedder.width)
        unfinished.replace(output)
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror}.", "Name a file that you may write.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return done


@dataclass(frozen=True)
class _Chunk:
    lines: list[int]
    errors: list[str | None]
    vectors: Vectors  # of the rows without an error, in their order


def _chunks(embedder: Embedder, questions: FileQuestions, total: int, told: Told) -> Iterator[_Chunk]:
    done = 0
    for chunk in questions.chunks():
        asked = questions.asked(chunk)
        vectors = embedder.vectors(asked.table) if len(asked.table) else np.zeros((0, embedder.width), dtype=np.float32)
        lines, errors = zip(*asked.rows, strict=True) if asked.rows else ((), ())
        yield _Chunk(list(lines), list(errors), vectors)
        done += len(asked.rows)
        told(done, total)


def _write_npy(chunks: Iterator[_Chunk], path: Path, total: int, width: int) -> int:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(total, width))
    start = done = 0
    for chunk in chunks:
        there = np.array([error is None for error in chunk.errors], dtype=bool)
        array[start : start + len(there)] = np.nan
        array[start + np.flatnonzero(there)] = chunk.vectors
        start, done = start + len(there), done + len(chunk.vectors)
    array.flush()
    return done


def _write_parquet(chunks: Iterator[_Chunk], path: Path, _total: int, width: int) -> int:
    schema = pa.schema([("line", pa.int64()), ("vector", pa.list_(pa.float32())), ("error", pa.string())])
    done = 0
    with pq.ParquetWriter(path, schema) as writer:
        for chunk in chunks:
            there = np.array([error is None for error in chunk.errors], dtype=bool)
            offsets = np.concatenate([[0], np.cumsum(there * width)]).astype(np.int32)
            vectors = pa.ListArray.from_arrays(
                pa.array(offsets), pa.array(chunk.vectors.ravel()), mask=pa.array(~there)
            )
            writer.write_table(
                pa.table([pa.array(chunk.lines), vectors, pa.array(chunk.errors, pa.string())], schema=schema)
            )
            done += len(chunk.vectors)
    return done
