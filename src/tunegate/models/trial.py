"""A forward pass of a base model: its weights fit the architecture, and its numbers are numbers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.errors import UserError
from tunegate.models.folder import TOKENIZER, longest_input, read_config
from tunegate.models.loading import load_encoder, quiet

TEXTS = ("The weather is fine today.", "今天天气很好。")  # short for every model: positions end at 16 at the earliest


@dataclass(frozen=True)
class Trial:
    """The texts that went in and the shapes of all that came out, by name."""

    texts: tuple[str, ...]
    input_shape: tuple[int, ...]
    outputs: dict[str, tuple[int, ...]]

    def line(self) -> str:
        texts = " and ".join(f'"{text}"' for text in self.texts)
        shapes = ", ".join(f"{name} {list(shape)}" for name, shape in self.outputs.items())
        return f"Forward pass of {texts}, input_ids {list(self.input_shape)}: {shapes}"


def try_out(folder: Path, *, whole: bool) -> Trial:
    """Two texts through the architecture that the config names, head and all, or through the encoder alone.

    Raises UserError.
    """
    import torch
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(min(16, longest_input(read_config(folder)) or 16))
    with quiet(), torch.inference_mode():
        model = _whole(folder) if whole else load_encoder(folder)
        read = tokenizer.encode_batch(list(TEXTS))
        ids = torch.tensor([encoding.ids for encoding in read])
        mask = torch.tensor([encoding.attention_mask for encoding in read])
        given = model(input_ids=ids, attention_mask=mask)
    outputs = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
    bad = [name for name, value in outputs.items() if not torch.isfinite(value).all()]
    if bad:
        raise UserError(
            f"The model's {', '.join(bad)} are no numbers.", "Take another checkpoint of the same training."
        )
    return Trial(TEXTS, tuple(ids.shape), {name: tuple(value.shape) for name, value in outputs.items()})


def _whole(folder: Path) -> Any:
    import torch
    import transformers

    model, info = getattr(transformers, read_config(folder)["architectures"][0]).from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
    )
    _check(info, folder)
    return model.eval()


def _check(info: dict[str, list[str]], folder: Path) -> None:
    """Pooler and sentence order may lack a place (models of masked words have none), a pooler may start random."""
    names = [*info["missing_keys"], *info["unexpected_keys"]]
    strange = [name for name in names if not re.search(r"pooler|seq_relationship|sop_classifier", name)]
    if strange:
        raise UserError(
            f"{folder}: the weights {', '.join(sorted(strange)[:3])} do not fit the architecture.",
            "Bring the checkpoint again.",
        )
