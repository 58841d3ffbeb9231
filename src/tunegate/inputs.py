"""`inputs.json`: everything a run takes from outside the DAG, resolved once before it starts.

A value and its file. Resolving (looking libraries, labels and references up) is the starter's work, in `versions`.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tunegate.errors import UserError
from tunegate.workspace import write_atomically

FORMAT = 1


class BaseModelIdentity(BaseModel):
    """Where the base model came from, as its `tunegate-model.json` says; the files themselves are hashed by DVC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str = "unknown"
    commit: str | None = None


class Reference(BaseModel):
    """Files of an earlier run, fetched by hash into `.tunegate/references/<hash>` before the walk.

    Of a model version `hash` is its export's and `validated` its validate folder's: the rows that it learnt from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str
    run: str | None = None  # the commit they come from, where there is one
    version: str | None = None  # its registered name, `v1.2.0`
    validated: str | None = None


class DataReview(BaseModel):
    """What named persons decided about validated data, by the hash of validate's folder. Only where it is required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: list[str] = Field(default=[])
    refused: dict[str, str] = Field(default={})  # hash to who and why


class Inputs(BaseModel):
    """`params` holds the complete settings of the pipeline by section, defaults filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    pipeline: str
    params: dict[str, Any] = Field(default={})
    environment: dict[str, str] = Field(default={})  # library to version, for those that decide results
    base_model: BaseModelIdentity | None = None
    files: dict[str, str] = Field(default={})  # a file that a setting names, to its SHA-256
    labels: list[str] = Field(default=[])  # known so far: ordered, append-only
    previous: Reference | None = None  # facts of the data version before (validate's facts.parquet)
    champion: Reference | None = None  # the version in production, once there is one
    best: Reference | None = None  # the best version ever
    behaviour: str | None = None  # SHA-256 of the file of behaviour tests, where the settings name one
    data_review: DataReview | None = None  # None: no person is asked
    approval: dict[str, str] | None = None  # who, why, the verdict's hash

    def only(self, keys: tuple[str, ...]) -> "Inputs":
        """What the dotted keys name and nothing else, so that a stage cannot read what DVC does not see."""
        kept: dict[str, Any] = {"pipeline": self.pipeline}
        for key in keys:
            head, _, rest = key.partition(".")
            value = getattr(self, head)
            kept[head] = {**kept.get(head, {}), rest: value.get(rest)} if rest else value
        return Inputs.model_validate(kept)

    def write(self, path: Path) -> None:
        """Only when it differs, so that an unchanged file keeps its times."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)


def read_inputs(path: Path) -> Inputs:
    """Raises UserError when the file is missing or damaged."""
    try:
        return Inputs.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is missing or damaged.", "Start the pipeline with `tunegate run`, which makes it."
        ) from error
