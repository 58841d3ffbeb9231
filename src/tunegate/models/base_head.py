"""A base model's own head: kept where it fits, a classifier's rows by their labels' names, or started anew."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunegate.models.effects import Effect
from tunegate.models.folder import WEIGHTS, read_config
from tunegate.models.label_names import are_names, label_names
from tunegate.models.reinitialising import draw

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SETTING = "train.base_head"

BaseHead = Literal["kept", "new"]


def labels_of(folder: Path, wanted: BaseHead) -> list[str]:
    """Of a base model's head, by number; names that say nothing (`LABEL_0`) where its config names none.

    Of a head that is not kept only their number counts. Raises UserError where names that count are ambiguous.
    """
    config = read_config(folder)
    if wanted == "new" and isinstance(config.get("id2label"), dict):
        return [f"LABEL_{number}" for number in range(len(config["id2label"]))]
    return label_names(config, folder)


def rows_fit(mismatched: Sequence[tuple[str, Any, Any]], model: "PreTrainedModel", before: int, after: int) -> bool:
    """Whether weights differ from the folder's in their head's number of labels alone."""
    inside = f"{model.base_model_prefix}."
    return all(
        not name.startswith(inside)
        and found[1:] == wanted[1:]
        and before > 0
        and found[0] % before == 0
        and found[0] // before * after == wanted[0]
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

    weights, parameters = load_file(folder / WEIGHTS), dict(model.named_parameters())
    known = {label: number for number, label in enumerate(before)}
    mapped = False
    with torch.no_grad():
        for name, size in _rows_per_label(model, len(after)).items():
            parameter, found = parameters[name], weights.get(name)
            if found is None or len(found) != size * len(before):
                continue
            mapped = True
            rows = torch.zeros_like(parameter)
            if parameter.ndim > 1:
                rows.normal_(std=float(getattr(model.config, "initializer_range", 0.02)))
            for number, label in enumerate(after):
                if label in known:
                    start = size * known[label]
                    rows[size * number : size * (number + 1)] = found[start : start + size]
            parameter.copy_(rows)
    return (Effect(setting=SETTING, what=_told(before, after)),) if mapped else ()


def _rows_per_label(model: "PreTrainedModel", labels: int) -> dict[str, int]:
    """Weights that have rows for each label, with how many: those that grow in the same model with a label more."""
    import torch

    config = copy.deepcopy(model.config)
    config.num_labels = labels + 1
    with torch.device("meta"):
        larger: Any = type(model)(config)
    sizes = {name: len(value) for name, value in larger.named_parameters() if value.ndim}
    grown = {name: sizes[name] - len(value) for name, value in model.named_parameters() if value.ndim}
    return {name: more for name, more in grown.items() if more > 0}


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
    if not are_names(before):
        return "the base model does not name its head's labels, so all rows start random"
    kept, fresh = [label for label in after if label in before], [label for label in after if label not in before]
    gone = [label for label in before if label not in after]
    parts = [f"{len(kept)} of {len(after)} labels start from the base model's own rows, by name"]
    parts += [f"{_some(fresh)} start{'s' if len(fresh) == 1 else ''} random"] if fresh else []
    parts += [f"{_some(gone)} of the base model {'has' if len(gone) == 1 else 'have'} no place"] if gone else []
    return "; ".join(parts)


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
