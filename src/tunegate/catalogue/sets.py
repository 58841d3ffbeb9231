"""What is known of a public set, and the table of them (`sets.toml`)."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunegate.errors import UserError, did_you_mean
from tunegate.params import IngestSettings, SplitSettings

TABLE = Path(__file__).with_name("sets.toml")
RelativePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")]


class SetFile(BaseModel):
    """`path` lies under `data/raw/NAME`, `upstream` under the set's url, `mirror` under the mirror folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: RelativePath
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    upstream: RelativePath | None = None
    mirror: RelativePath


class PublicSet(BaseModel):
    """A data set that can be fetched; without a `url` it comes from a mirror only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str
    task: str  # may be one that is not there yet: the data is, all the same
    licence: str
    citation: str
    url: str | None = None  # a folder, pinned to a commit
    files: tuple[SetFile, ...]
    ingest: IngestSettings = IngestSettings()  # how it is best read
    split: SplitSettings = SplitSettings()

    @model_validator(mode="before")
    @classmethod
    def _mirror_is_name_and_path(cls, value: dict[str, object]) -> dict[str, object]:
        """A file's place in a mirror, where the table does not say another."""
        files = value.get("files")
        if isinstance(files, list):
            value = {**value, "files": tuple({"mirror": f"{value['name']}/{file['path']}", **file} for file in files)}
        return value


@cache
def public_sets() -> dict[str, PublicSet]:
    """Name to set, in the table's order."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: PublicSet.model_validate({"name": name, **entry}) for name, entry in table.items()}


def find_set(name: str) -> PublicSet:
    """The set of that name. Raises UserError."""
    sets = public_sets()
    if name not in sets:
        raise UserError(
            f'The catalogue has no data set "{name}".{did_you_mean(name, sets)}',
            "`tunegate data list` shows all of them.",
        )
    return sets[name]
