"""What a base model must become to read the tokens that tokenize made: other rows of embeddings, more positions.

tokenize writes it beside the tokens, train builds the model by it. No weights are loaded, no torch is needed.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tunegate.errors import UserError
from tunegate.workspace import write_atomically

FILE = "encoder.json"

Lengthening = Literal["none", "tile", "interpolate"]


class InputsWanted(BaseModel):
    """`base_tokens`: the base model's tokenizer's; None: nothing about tokens changes.

    The first `kept_tokens` tokens are the base's own, number for number; each after them starts as the mean of the
    base's rows that its entry in `made_of` names, or of all where none is named. `positions`: tokens that a window may
    hold, where the base's table is to be lengthened; None: it stays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_tokens: int | None = None
    kept_tokens: int = 0
    made_of: tuple[tuple[int, ...], ...] = ()
    vocabulary: str = ""  # where the tokens come from, for people
    positions: int | None = None
    lengthening: Lengthening = "none"

    @property
    def tokens(self) -> int:
        """How many there are afterwards."""
        return self.kept_tokens + len(self.made_of)

    def write(self, folder: Path) -> None:
        write_atomically(folder / FILE, self.model_dump_json(indent=1, exclude_defaults=True) + "\n")


def read_inputs_wanted(folder: Path) -> InputsWanted:
    """Raises UserError when the file is missing or damaged."""
    try:
        return InputsWanted.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError) as error:
        raise UserError(
            f"{folder / FILE} is missing or damaged.", "Run the pipeline again with --force tokenize."
        ) from error
