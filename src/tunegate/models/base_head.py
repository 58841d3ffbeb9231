"""A base model's own head: kept where it fits, a classifier's rows by their labels' names, or started anew."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunegate.models.effects import Effect
from tunegate.models.folder import WEIGHTS, read_config
from tunegate.models.reinitialising import draw

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SETTING = "train.base_head"

BaseHead = Literal["kept", "new"]


def labels_of(folder: Path) -> list[str]:
    """Of a base model's head, by number; none where its config names none."""
    named = read_config(folder).get("id2label")
    if not isinstance(named, dict):
        return []
    return [str(named[number]) for number in sorted(named, key=int)]


def rows_fit(mismatched: Sequence[tuple[str, Any, Any]], model: "PreTrainedModel", before: int, after: int) -> bool:
    """Whether weights differ from the folder's in their head's number of labels alone."""
    inside = f"{model.base_model_prefix}."
    return all(
        not name.startswith(inside) and (found[0], wanted[0], found[1:]) == (before, after, wanted[1:])
        for name, found, wanted in mismatched
    )


def map_rows(model: "PreTrainedModel", folder: Path, before: Sequence[str], after: Sequence[str]) -> tuple[Effect, ...]:
    """The head's rows for labels that the base model knows too become its own, by name; all others start random.

    Nothing is done where labels are the same in the same order.
    """
    if list(before) == list(after) or not before:
        return ()
    import torch
    from safetensors.torch import load_file

    weights = load_file(folder / WEIGHTS)
    inside = f"{model.base_model_prefix}."
    known = {label: number for number, label in enumerate(before)}
    mapped = False
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            found = weights.get(name)
            if name.startswith(inside) or found is None or len(found) != len(before) or len(parameter) != len(after):
                continue
            mapped = True
            rows = torch.zeros_like(parameter)
            if parameter.ndim > 1:
                rows.normal_(std=float(getattr(model.config, "initializer_range", 0.02)))
            for number, label in enumerate(after):
                if label in known:
                    rows[number] = found[known[label]]
            parameter.copy_(rows)
    return (Effect(setting=SETTING, what=_told(before, after)),) if mapped else ()


def renew(model: "PreTrainedModel") -> tuple[str, ...]:
    """The names of the head's weights, drawn anew; those that it shares with the encoder stay."""
    import torch

    whole: Mapping[str, Any] = {name: value.detach().clone() for name, value in model.base_model.named_parameters()}
    shared = {id(value) for value in model.base_model.parameters()}
    heads = [module for module in model.children() if module is not model.base_model]
    with torch.no_grad():
        for head in heads:
            draw(model, head)
        for name, value in model.base_model.named_parameters():
            value.copy_(whole[name])
    own = {id(value) for head in heads for value in head.parameters()} - shared
    return tuple(name for name, value in model.named_parameters() if id(value) in own)


def _told(before: Sequence[str], after: Sequence[str]) -> str:
    kept, fresh = [label for label in after if label in before], [label for label in after if label not in before]
    gone = [label for label in before if label not in after]
    parts = [f"{len(kept)} of {len(after)} labels start from the base model's own rows, by name"]
    parts += [f"{_some(fresh)} start{'s' if len(fresh) == 1 else ''} random"] if fresh else []
    parts += [f"{_some(gone)} of the base model {'has' if len(gone) == 1 else 'have'} no place"] if gone else []
    return "; ".join(parts)


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
