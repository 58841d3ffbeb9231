"""What is known of base models that can be fetched, and the table of them (`models.toml`)."""

import tomllib
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunegate.errors import UserError, did_you_mean
from tunegate.models.bringing import Bringing, from_address, from_hub, from_mirror, source_name
from tunegate.models.hubs import HubName
from tunegate.models.sources import Source

TABLE = Path(__file__).with_name("models.toml")


class PublicModel(BaseModel):
    """A base model with an address: Google's archive (`url`), or a model of a hub (`hub`, `modelscope`).

    `sha256`: by file, where somebody has checked them; without it the first download's are recorded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,60}$")
    title: str
    language: Literal["en", "zh", "many"]
    licence: str
    citation: str
    url: str | None = Field(default=None, pattern=r"^https://[^?#@]+$")
    hub: str | None = Field(default=None, pattern=r"^[\w-]+/[\w.-]+$")
    modelscope: str | None = Field(default=None, pattern=r"^[\w-]+/[\w.-]+$")
    sha256: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> "PublicModel":
        if (self.url is None) == (self.hub is None):
            raise ValueError(f"{self.name} wants one of url and hub")
        return self


@cache
def public_models() -> dict[str, PublicModel]:
    """Name to model, in the table's order."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: PublicModel.model_validate({"name": name, **entry}) for name, entry in table.items()}


def find_model(name: str) -> PublicModel:
    """The model of that name. Raises UserError."""
    models = public_models()
    if name not in models:
        raise UserError(
            f'The catalogue has no base model "{name}".{did_you_mean(name, models)}',
            "`tunegate models fetch` shows all of them; any other comes with `tunegate models add`.",
        )
    return models[name]


def fetched(
    public: PublicModel, hub: HubName, mirror: Path | None, bringing: Bringing
) -> AbstractContextManager[Source]:
    """Its files, from a mirror folder where one is named: `MIRROR/NAME`. Raises UserError, OutsideError."""
    if public.url is not None:
        archive = public.url.rpartition("/")[2]
        if mirror is not None:
            return from_mirror(public.url, mirror / public.name / archive, bringing)
        return from_address(public.url, bringing)
    repository = public.hub if hub == "huggingface" else public.modelscope
    if repository is None:
        raise UserError(
            f"The catalogue knows no place of {public.name} on ModelScope.",
            "Fetch it from Hugging Face's hub or a mirror of it, or name one: --modelscope OWNER/NAME of `models add`.",
        )
    if mirror is not None:
        return from_mirror(source_name(hub, repository), mirror / public.name, bringing)
    return from_hub(hub, repository, bringing)
