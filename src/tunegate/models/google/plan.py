"""A checkpoint's tensors against the table of weights: each is mapped, left out for a reason, or refused."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunegate.errors import UserError, did_you_mean
from tunegate.models.bundles.bundle import Tensor
from tunegate.models.google.weights import ENCODER, ORDER, POOLER, WORDS, Weight

LEFT_OUT = {  # pattern of a name, and why a model has no place for it
    r"global_step": "the number of training steps",
    r".*/adam_[mv]": "an optimiser's memory",
    r"(.*/)?(AdamWeightDecay|LAMB)Optimizer(_\d+)?": "an optimiser's memory",
    r".*/Adam(_1)?|beta[12]_power": "an optimiser's memory",
}
FLOATS = ("float32", "float64", "float16", "bfloat16")
_REMEDY = "Give a checkpoint of pre-training as google-research/bert and google-research/albert write it."


@dataclass(frozen=True)
class Row:
    """One line of the report: a tensor of the checkpoint with its place, or with the reason why it has none."""

    google: str
    shape: tuple[int, ...]
    dtype: str
    target: str | None
    reason: str = ""
    transposed: bool = False


@dataclass(frozen=True)
class Plan:
    """`missing`: the parts of a pre-training model that the checkpoint does not hold, whole parts only."""

    rows: tuple[Row, ...]
    missing: tuple[str, ...]

    def architecture(self, family: str) -> str:
        """The class of transformers whose weights these are."""
        name = family.capitalize()
        if not self.missing:
            return f"{name}ForPreTraining"
        return f"{name}Model" if WORDS in self.missing else f"{name}ForMaskedLM"


def make_plan(tensors: Mapping[str, Tensor], weights: Iterable[Weight], where: str) -> Plan:
    """`where` names the checkpoint in errors. Raises UserError on anything unexpected, all of it at once."""
    known = {weight.google: weight for weight in weights}
    problems = [
        problem
        for name, tensor in tensors.items()
        if (problem := _problem(tensor, known) if name in known else _stranger(name, known))
    ]
    missing, gaps = _missing(tensors, known)
    problems += gaps
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise UserError(f"{where}: {'; '.join(problems[:5])}{more}.", _REMEDY)
    return Plan(tuple(_row(tensor, known) for tensor in tensors.values()), missing)


def _row(tensor: Tensor, known: Mapping[str, Weight]) -> Row:
    weight = known.get(tensor.name)
    if weight is None:
        return Row(tensor.name, tensor.shape, tensor.dtype, None, _left_out(tensor.name) or "")
    return Row(tensor.name, tensor.shape, tensor.dtype, weight.target, transposed=weight.transposed)


def _problem(tensor: Tensor, known: Mapping[str, Weight]) -> str | None:
    wanted = known[tensor.name].shape
    if tensor.shape != wanted:
        return f"{tensor.name} has the shape {list(tensor.shape)}, and by the config it is {list(wanted)}"
    return None if tensor.dtype in FLOATS else f"{tensor.name} holds {tensor.dtype}, not floating-point numbers"


def _stranger(name: str, known: Mapping[str, Weight]) -> str | None:
    if _left_out(name):
        return None
    if name.startswith("_CHECKPOINTABLE_OBJECT_GRAPH") or "/.ATTRIBUTES/" in name:
        return f"{name} belongs to the object checkpoints of TensorFlow 2, whose layout is another"
    return f"nobody knows the tensor {name}{did_you_mean(name, known).rstrip('?')}"


def _left_out(name: str) -> str | None:
    return next((why for pattern, why in LEFT_OUT.items() if re.fullmatch(pattern, name)), None)


def _missing(tensors: Mapping[str, Tensor], known: Mapping[str, Weight]) -> tuple[tuple[str, ...], list[str]]:
    """Parts that are missing as a whole, which a model can be without; and single tensors, which it cannot."""
    parts: list[str] = []
    gaps: list[str] = []
    for part in (ENCODER, POOLER, WORDS, ORDER):
        names = [weight.google for weight in known.values() if weight.part == part]
        absent = [name for name in names if name not in tensors]
        if part != ENCODER and len(absent) == len(names):
            parts.append(part)
        else:
            gaps += [f"the tensor {name} is missing" for name in absent]
    return tuple(parts), gaps
