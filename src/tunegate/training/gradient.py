"""The gradient of one batch: in one pass or several, in one piece or in parts that fit into memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.progress import Progress
from tunegate.train_settings import TrainSettings
from tunegate.training.adversarial import Passes, passes
from tunegate.training.compute import Compute
from tunegate.training.loss import Terms, mean
from tunegate.training.shaping import both_passes, distance
from tunegate.training.state import Run
from tunegate.training.team import Team

if TYPE_CHECKING:
    import torch

    from tunegate.training.loop import Data, Learner

T = TypeVar("T")


@dataclass(frozen=True)
class Gradient:
    """Of the loss of chosen rows by the weights, left in their `grad`."""

    learner: "Learner"
    data: "Data"
    settings: TrainSettings
    compute: Compute
    progress: Progress

    def of(self, chosen: NDArray[np.int64], run: Run) -> "torch.Tensor":
        """The loss, as a tensor on the device. A batch that memory does not hold is taken in halves, quarters, ...:
        the same batch, more slowly. Raises UserError where it does not hold one row."""
        team = self.compute.team
        if team.is_alone:
            return self._held(chosen, run, lambda pieces: self._in_parts(pieces) if pieces[1:] else self._whole(chosen))
        own = team.share(chosen, self.data.train.lengths)
        sums = self._held(own if len(own) else chosen[:1], run, self._sums)
        parameters = list(self._weights())
        for _, each in sorted(sums.items()):
            each.share_out(parameters, team, counts=len(own) > 0)
        return self._applied(sums)

    def _held(self, chosen: NDArray[np.int64], run: Run, attempt: Callable[[list[NDArray[np.int64]]], T]) -> T:
        """What the attempt gives for the rows in as few pieces as memory holds."""
        while True:
            rows = min(len(chosen), run.micro_batch or len(chosen))
            state = _generators(self.compute)
            try:
                return attempt(np.array_split(chosen, -(-len(chosen) // rows)))
            except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
                self._make_room(error, rows, run)
            # Out of the handler, or the failed attempt's tensors would be held by its traceback.
            self._begin_again(state)

    def _whole(self, chosen: NDArray[np.int64]) -> "torch.Tensor":
        total: Any = 0.0
        shares = 0.0
        for share, parts in self._passes(chosen):
            loss = mean(parts)
            (loss * share).backward()  # type: ignore[no-untyped-call]
            total, shares = total + loss.detach() * share, shares + share
        shown: torch.Tensor = total / shares
        return shown

    def _in_parts(self, pieces: list[NDArray[np.int64]]) -> "torch.Tensor":
        """The same gradient. Each part of the loss is divided by its own sum of weights over the whole batch, which is
        known at the end: until then the parts' gradients are summed apart."""
        return self._applied(self._sums(pieces))

    def _sums(self, pieces: list[NDArray[np.int64]]) -> "dict[tuple[int, int], _Sum]":
        sums: dict[tuple[int, int], _Sum] = {}  # by pass and part
        for piece in pieces:
            for number, (share, parts) in enumerate(self._passes(piece)):
                for place, part in enumerate(parts):
                    own = sums.setdefault((number, place), _Sum(share, {}))
                    own.add(part, self._weights(), is_last=place == len(parts) - 1)
        return sums

    def _applied(self, sums: "dict[tuple[int, int], _Sum]") -> "torch.Tensor":
        """Their gradient in the weights, and the loss."""
        for own in sums.values():
            for parameter, gradient in own.gradients.items():
                scaled = gradient * (own.share / own.divisor)
                parameter.grad = scaled if parameter.grad is None else parameter.grad + scaled
        shares = sum(own.share for (_, place), own in sums.items() if place == 0)
        total: torch.Tensor = sum(own.loss / own.divisor * own.share for own in sums.values()) / shares
        return total

    def _weights(self) -> "Iterator[torch.nn.Parameter]":
        return (parameter for parameter in self.learner.model.parameters() if parameter.requires_grad)

    def _passes(self, chosen: NDArray[np.int64]) -> Passes:
        inputs = self.data.train.inputs(chosen, self.compute.torch_device)
        targets = self.data.train.targets(chosen, self.compute.torch_device)
        model: Any = self.learner.model
        embeddings = model.get_input_embeddings() if self.settings.adversarial != "none" else None
        return passes(lambda: self._parts(inputs, targets), embeddings, self.settings)

    def _parts(self, inputs: "dict[str, torch.Tensor]", targets: "dict[str, torch.Tensor]") -> list[Terms]:
        with self.compute.autocast():
            outputs = self.learner.answer(inputs)
        minimised = self.learner.minimised or self.learner.loss
        parts = minimised(outputs, targets, self.data.class_weights)
        if not self.settings.r_drop:
            return parts
        with self.compute.autocast():
            again = self.learner.answer(inputs)
        other = minimised(again, targets, self.data.class_weights)
        return both_passes(parts, other, distance(outputs, again, targets, self.settings.r_drop))

    def _make_room(self, error: Exception, rows: int, run: Run) -> None:
        if not _is_memory(error):
            raise error
        if rows == 1:
            raise UserError(
                "There is too little memory for a single row at a time.",
                "Lower tokenize.max_length, take a smaller base model, or set train.tune to head.",
            ) from error
        run.micro_batch = -(-rows // 2)
        run.halvings.append((run.step, run.micro_batch))
        self.progress.say(
            f"memory ran out at step {run.step:,} with {rows} rows at once: {run.micro_batch} at once from here on, "
            f"batches of {self.settings.batch_size} as before"
        )

    def _begin_again(self, state: "list[torch.Tensor]") -> None:
        import torch

        for parameter in self.learner.model.parameters():
            parameter.grad = None
        torch.set_rng_state(state[0])
        if self.compute.device == "cuda":
            torch.cuda.set_rng_state(state[1])
            torch.cuda.empty_cache()


@dataclass
class _Sum:
    """One part of the loss, added up over the pieces of a batch."""

    share: float
    gradients: "dict[torch.nn.Parameter, torch.Tensor]"
    loss: Any = 0.0
    weight: Any = 0.0

    @property
    def divisor(self) -> Any:
        return self.weight.clamp(min=1e-12)

    def share_out(self, parameters: "list[torch.nn.Parameter]", team: Team, *, counts: bool) -> None:
        """Add up over the team, in one message; without `counts` this process had no rows of its own."""
        import torch

        seen = [parameter in self.gradients for parameter in parameters]
        parts = [
            self.gradients[parameter] if is_seen else torch.zeros_like(parameter)
            for parameter, is_seen in zip(parameters, seen, strict=True)
        ]
        first = parts[0].new_tensor(seen, dtype=torch.float32)
        numbers = torch.stack([self.loss.float(), self.weight.float()])
        message = torch.cat([first, numbers, *(part.float().flatten() for part in parts)])
        team.add_up(message if counts else message.zero_())
        given, rest = message[: len(first)], message[len(first) + 2 :]
        self.loss, self.weight = message[len(first)], message[len(first) + 1]
        pieces = torch.split(rest, [parameter.numel() for parameter in parameters])
        self.gradients = {
            parameter: piece.view_as(parameter).to(parameter.dtype)
            for parameter, piece, is_given in zip(parameters, pieces, given.tolist(), strict=True)
            if is_given
        }

    def add(self, part: Terms, weights: "Iterator[torch.nn.Parameter]", is_last: bool) -> None:
        part.loss.backward(retain_graph=not is_last)  # type: ignore[no-untyped-call]
        self.loss, self.weight = self.loss + part.loss.detach(), self.weight + part.weight.detach()
        for parameter in weights:
            if parameter.grad is not None:
                before = self.gradients.get(parameter)
                self.gradients[parameter] = parameter.grad if before is None else before.add_(parameter.grad)
                parameter.grad = None


def _generators(compute: Compute) -> "list[torch.Tensor]":
    import torch

    return [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if compute.device == "cuda" else [])]


def _is_memory(error: Exception) -> bool:
    """torch has a class of its own for a GPU's memory, and for the CPU's only words."""
    import torch

    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        words in text for words in ("out of memory", "can't allocate memory", "not enough memory")
    )
