"""Google's checkpoint to a Hugging Face folder: config.json, model.safetensors, tokenizer.json, and a report."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.models.bundles.bundle import Bundle
from tunegate.models.folder import CONFIG, TOKENIZER, WEIGHTS
from tunegate.models.google.config import read_google_config
from tunegate.models.google.files import GoogleFiles, find_files
from tunegate.models.google.plan import Plan, Row, make_plan
from tunegate.models.google.sentencepiece import read_sentencepiece, tokenizer_from_sentencepiece
from tunegate.models.google.weights import weights_of
from tunegate.models.vocabulary import read_vocabulary, tokenizer_from_vocabulary

REPORT = "conversion.json"


@dataclass(frozen=True)
class Conversion:
    """What was made of a checkpoint. `casing` says whether texts are lower-cased, and by which sign."""

    checkpoint: str
    architecture: str
    casing: str
    plan: Plan

    def lines(self) -> list[str]:
        """The report for people: a line per tensor, then what is missing."""
        rows = [_line(row) for row in self.plan.rows]
        mapped = sum(row.target is not None for row in self.plan.rows)
        told = [f"{mapped} tensors mapped, {len(rows) - mapped} unused, texts are {self.casing}."]
        lacking = [f"missing: {part} ({self.architecture} does without)" for part in self.plan.missing]
        return [*rows, *lacking, *told]


def convert(source: Path, folder: Path, *, name: str) -> Conversion:
    """`name` is what the folder or archive was called: it may say "uncased". Raises UserError."""
    files = find_files(source)
    config = read_google_config(files.config, files.family)
    bundle = Bundle(files.prefix)
    plan = make_plan(bundle.tensors, weights_of(config, files.family), str(files.prefix))
    lower, casing = _casing(files.vocabulary, name)
    _tokenizer(files, lower).save(str(folder / TOKENIZER))
    architecture = plan.architecture(files.family)
    config |= {"architectures": [architecture]}
    _write(folder / CONFIG, config)
    _write(folder / "tokenizer_config.json", {"do_lower_case": lower})
    _save_weights(bundle, plan, folder / WEIGHTS)
    conversion = Conversion(files.prefix.name, architecture, casing, plan)
    _write(folder / REPORT, asdict(conversion))
    return conversion


def _save_weights(bundle: Bundle, plan: Plan, path: Path) -> None:
    from safetensors.numpy import save_file

    weights = {row.target: _weight(bundle, row) for row in plan.rows if row.target is not None}
    save_file(weights, path, metadata={"format": "pt"})  # without it transformers takes the file for another library's


def _weight(bundle: Bundle, row: Row) -> NDArray[np.float32]:
    numbers = bundle.read(row.google)
    if not np.isfinite(numbers).all():
        raise UserError(
            f"{bundle.index}: the tensor {row.google} holds numbers that are none (NaN or infinite).",
            "Take an earlier checkpoint: this training went wrong.",
        )
    return np.ascontiguousarray(numbers.T if row.transposed else numbers, dtype=np.float32)


def _tokenizer(files: GoogleFiles, lower: bool) -> Any:
    if files.vocabulary.suffix == ".model":
        return tokenizer_from_sentencepiece(files.vocabulary, lower=lower)
    return tokenizer_from_vocabulary(files.vocabulary, {"do_lower_case": lower})


def _casing(vocabulary: Path, name: str) -> tuple[bool, str]:
    """Lower-cased or not, by the published name, else by whether the vocabulary has a piece with A to Z in it."""
    for word, lower in (("uncased", True), ("cased", False)):
        if word in name.lower():
            return lower, f"{'lower-cased' if lower else 'left in their case'} (the name says {word})"
    if vocabulary.suffix == ".model":
        pieces = [piece for piece, _ in read_sentencepiece(vocabulary).pieces]
    else:
        pieces = read_vocabulary(vocabulary)
    capital = next((piece for piece in pieces if not piece.startswith(("[", "<")) and _has_capital(piece)), None)
    if capital is None:
        return True, "lower-cased (no piece of the vocabulary has a capital letter)"
    return False, f"left in their case (the vocabulary has {capital!r})"


def _has_capital(piece: str) -> bool:
    return any("A" <= letter <= "Z" for letter in piece)  # others, like the numeral Ⅰ, are in lower-cased ones too


def _line(row: Row) -> str:
    shape = "x".join(map(str, row.shape)) or "scalar"
    if row.target is None:
        return f"{row.google} [{shape} {row.dtype}] unused: {row.reason}"
    return f"{row.google} [{shape} {row.dtype}] -> {row.target}{' (transposed)' if row.transposed else ''}"


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
