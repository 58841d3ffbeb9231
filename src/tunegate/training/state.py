"""Everything that a run of training is at one moment: what a checkpoint holds, and nothing that it does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class EpochScore:
    """After an epoch: mean losses per labelled position, and the share of positions answered right."""

    train_loss: float
    validation_loss: float | None  # None where there are no validation rows
    validation_accuracy: float | None


@dataclass
class Run:
    """`epoch` and `batch` say which batch comes next; `losses` float32 [steps] stay on the device, 0 where to come;
    `average` is empty where no average of the weights is kept."""

    model: "nn.Module"
    optimiser: "torch.optim.AdamW"
    losses: "torch.Tensor"
    step: int = 0
    epoch: int = 0
    batch: int = 0
    scores: list[EpochScore] = field(default_factory=list)
    best: "dict[str, torch.Tensor]" = field(default_factory=dict)
    average: "dict[str, torch.Tensor]" = field(default_factory=dict)
    micro_batch: int | None = None  # rows that pass at once; None: the whole batch
    halvings: list[tuple[int, int]] = field(default_factory=list)  # at which step, to how many rows
    names: frozenset[str] = field(init=False)  # of what is trained in the course of the run

    def __post_init__(self) -> None:
        self.names = frozenset(name for name, value in self.model.named_parameters() if value.requires_grad)

    @property
    def steps(self) -> int:
        return len(self.losses)

    @property
    def best_epoch(self) -> int | None:
        """The epoch (from 0) with the lowest validation loss; None before the first, or without validation rows."""
        losses = [score.validation_loss for score in self.scores if score.validation_loss is not None]
        return losses.index(min(losses)) if losses else None

    def has_stalled(self, patience: int | None) -> bool:
        """Whether the last `patience` epochs brought no lower validation loss."""
        return (
            patience is not None and self.best_epoch is not None and len(self.scores) - 1 - self.best_epoch >= patience
        )

    def trained(self) -> "dict[str, torch.Tensor]":
        """What is trained, by name; the tensors themselves, not copies."""
        return {name: value.detach() for name, value in self.model.named_parameters() if name in self.names}

    def copied(self) -> "dict[str, torch.Tensor]":
        return {name: value.clone() for name, value in self.trained().items()}

    def keep_best(self) -> None:
        self.best = self.copied()

    def load_best(self) -> None:
        """The best epoch's weights into the model; where no epoch was judged, the average or what stands there."""
        self._copy(self.best or self.average)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the model has the averaged weights, where an average is kept."""
        if not self.average:
            yield
            return
        weights = self.copied()
        self._copy(self.average)
        try:
            yield
        finally:
            self._copy(weights)

    def tensors(self) -> "dict[str, dict[str, torch.Tensor]]":
        """By file: what a checkpoint keeps as tensors, the state of the random generators included."""
        import torch

        random = {"random.cpu": torch.get_rng_state()}
        if self.losses.is_cuda:
            random["random.cuda"] = torch.cuda.get_rng_state()
        names: dict[torch.Tensor, str] = {parameter: name for name, parameter in self.model.named_parameters()}
        moments = {
            f"{key}.{names[parameter]}": value
            for parameter, state in self.optimiser.state.items()
            for key, value in state.items()
        }
        files = {"weights": self.trained(), "optimiser": moments, "run": {"losses": self.losses, **random}}
        more = {"best": self.best, "average": self.average}
        return files | {name: tensors for name, tensors in more.items() if tensors}

    def numbers(self) -> dict[str, Any]:
        """What a checkpoint keeps as JSON (Python writes floats so that they read back bit by bit)."""
        scores = [asdict(score) for score in self.scores]
        place = {"step": self.step, "epoch": self.epoch, "batch": self.batch, "steps": self.steps}
        return {**place, "scores": scores, "micro_batch": self.micro_batch, "halvings": self.halvings}

    def restore(self, tensors: "dict[str, dict[str, torch.Tensor]]", numbers: dict[str, Any]) -> None:
        """The moment that `tensors` and `numbers` were taken at, random generators included."""
        import torch

        self._copy(tensors["weights"])
        parameters = dict(self.model.named_parameters())
        for key, value in tensors["optimiser"].items():
            kind, _, name = key.partition(".")
            self.optimiser.state[parameters[name]][kind] = value.to(parameters[name].device)
        self.losses.copy_(tensors["run"]["losses"])
        self.best, self.average = (
            {name: value.to(parameters[name].device) for name, value in tensors.get(kept, {}).items()}
            for kept in ("best", "average")
        )
        self.step, self.epoch, self.batch = numbers["step"], numbers["epoch"], numbers["batch"]
        self.scores = [EpochScore(**score) for score in numbers["scores"]]
        self.micro_batch = numbers["micro_batch"]
        self.halvings = [(step, rows) for step, rows in numbers["halvings"]]
        torch.set_rng_state(tensors["run"]["random.cpu"])
        if "random.cuda" in tensors["run"]:
            torch.cuda.set_rng_state(tensors["run"]["random.cuda"])

    def _copy(self, weights: "dict[str, torch.Tensor]") -> None:
        parameters = dict(self.model.named_parameters())
        for name, value in weights.items():
            parameters[name].data.copy_(value)
