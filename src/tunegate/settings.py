"""What all settings are: frozen and strict."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Share = float  # a fraction between 0 and 1
Precision = Literal["fp32", "bf16"]


class Settings(BaseModel):
    """Frozen and strict: an unknown key or a wrong type is an error, never a guess."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,  # "3" and true are no whole numbers
        allow_inf_nan=False,
        populate_by_name=True,
        protected_namespaces=(),
    )
