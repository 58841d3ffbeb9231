"""The folder that serves: what export writes, and what evaluate, package and the service read.

    manifest.json    what is here, the SHA-256 of every other file, and a digest of itself
    fitted.json      per precision, what was fitted on validation rows
    golden.json      a few validation rows with their answers per precision
    tokenizer.json   the tokenizer as trained
    openvino/        model.xml and model.bin    (engine openvino)
    torch/           a Hugging Face folder      (engine torch)

It needs nothing outside itself. Old formats stay readable: a champion is scored again by newer code.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunegate.engines import EngineName
from tunegate.errors import UserError
from tunegate.inputs import BaseModelIdentity
from tunegate.params import Precision
from tunegate.task import Fitted
from tunegate.workspace import write_atomically

FORMAT_VERSION = 2  # 1 does not know `filled`
Filled = Literal["always", "sometimes", "never"]
"""In how many of the training rows a part of the question stood."""

MANIFEST, FITTED, GOLDEN, TOKENIZER = "manifest.json", "fitted.json", "golden.json", "tokenizer.json"

_REMEDY = "Run the pipeline again (or pull the files again with `tunegate pull`); do not edit exported files."


class Manifest(BaseModel):
    """What was exported. `digest` names the whole content: two exports with one digest are the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    task: str
    labels: list[str]
    options: dict[str, Any] = Field(default={})
    max_length: int
    engine: EngineName
    precisions: list[Precision] = Field(min_length=1)
    inputs: list[str]
    outputs: list[str]
    base_model: BaseModelIdentity | None = None
    filled: dict[str, Filled] = Field(default={})  # by part of the question (`text_b`); empty where it is not known
    files: dict[str, str]  # path inside the folder to SHA-256
    digest: str = ""

    def sealed(self) -> "Manifest":
        """With its digest filled in."""
        return self.model_copy(update={"digest": self._digest()})

    def _digest(self) -> str:
        since_then = {"filled"} if self.format_version < 2 and not self.filled else set()
        content = self.model_dump(mode="json", exclude={"digest", *since_then})
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def is_whole(self) -> bool:
        return self.digest == self._digest()


class GoldenAnswers(BaseModel):
    """One precision's answers; `clear` is false where the best two scores are a near tie. `scores` are the task's,
    one row per record or more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decided: list[str]
    scores: list[list[float]]
    clear: list[bool]

    @property
    def matrix(self) -> NDArray[np.float64]:
        return np.array(self.scores, dtype=np.float64).reshape(len(self.scores), -1)


class Golden(BaseModel):
    """The rows that a loaded model is asked before it may answer anybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: list[str]
    records: list[dict[str, Any]]
    answers: dict[Precision, GoldenAnswers]


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Hash every file of the folder and write the manifest, sealed."""
    files = {name: sha256(folder / name) for name in files_in(folder)}
    sealed = manifest.model_copy(update={"files": files}).sealed()
    write_json(folder / MANIFEST, sealed.model_dump(mode="json"))
    return sealed


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone; files are not looked at. Raises UserError."""
    path = folder / MANIFEST
    content = _read_json(path)
    found = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(found, int) or found > FORMAT_VERSION:
        raise UserError(
            f"{path} has format version {found!r}, this tunegate reads up to {FORMAT_VERSION}.",
            "Install the version of tunegate that made it, or export the model again.",
        )
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path} is damaged: {_first(error)}.", _REMEDY) from error
    if not manifest.is_whole:
        raise UserError(f"{path} was changed after it was written: its digest does not fit.", _REMEDY)
    return manifest


def verified_manifest(folder: Path) -> Manifest:
    """The manifest, after every file's SHA-256 was compared. Raises UserError that names the file."""
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path} is missing; the manifest lists it.", _REMEDY)
        if sha256(path) != expected:
            raise UserError(f"{path} is not the file that was exported: its SHA-256 differs.", _REMEDY)
    return manifest


def read_fitted(folder: Path, precision: Precision) -> Fitted:
    """Raises UserError for a precision that nothing was fitted for."""
    fitted = _read_json(folder / FITTED)
    if not isinstance(fitted, dict) or precision not in fitted:
        raise UserError(f"{folder / FITTED} holds nothing for {precision}.", _REMEDY)
    return dict(fitted[precision])


def read_golden(folder: Path) -> Golden:
    """Raises UserError."""
    path = folder / GOLDEN
    try:
        return Golden.model_validate(_read_json(path))
    except ValidationError as error:
        raise UserError(f"{path} is damaged: {_first(error)}.", _REMEDY) from error


def files_in(folder: Path) -> list[str]:
    """Every file below the folder but the manifest, as sorted relative paths."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MANIFEST
    )


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """One byte sequence per value: sorted nowhere, indented, newline at the end."""
    write_atomically(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing.", _REMEDY) from error
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}.", _REMEDY) from error


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
