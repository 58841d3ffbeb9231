"""A small training set up on real parts: a tiny encoder of two layers and texts whose words tell the label."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.models.encoders import tiny_encoder, vocabulary_size
from tunegate.models.freezing import freeze
from tunegate.models.loading import Build, input_names, load_base
from tunegate.progress import Progress
from tunegate.task import Head, Targets
from tunegate.train_settings import TrainSettings
from tunegate.training.batches import TokenExamples
from tunegate.training.checkpoints import Checkpoints
from tunegate.training.compute import Compute, repeatable
from tunegate.training.learner import whole_model
from tunegate.training.loop import Data, Training
from tunegate.training.shaping import shaped_loss
from tunegate.training.state import Run
from tunegate.windows import Windows

HEAD = Head("AutoModelForSequenceClassification", ("logits",), "cross_entropy")
COMPUTE = Compute("cpu", "fp32", 1)


def settings(**changes: Any) -> TrainSettings:
    return TrainSettings.model_validate(
        {"epochs": 3, "batch_size": 8, "learning_rate": 3e-3, "checkpoint_steps": 4, "threads": 1, **changes}
    )


def examples(rows: int, seed: int, names: tuple[str, ...]) -> TokenExamples:
    """Rows of 3 to 9 tokens: [CLS], words of which each label has its own ten, [SEP]."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    texts = [[2, *(20 + 10 * label + random.integers(0, 10, random.integers(1, 8))), 3] for label in labels]
    lengths = np.array([len(text) for text in texts])
    ids = np.concatenate(texts).astype(np.int32)
    windows = Windows(
        tokens={"input_ids": ids, "token_type_ids": np.zeros_like(ids)},
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        record=np.arange(rows, dtype=np.int64),
        number=np.zeros(rows, dtype=np.int32),
        dropped=np.zeros(rows, dtype=np.int32),
    )
    said = Targets(rows={"labels": labels.astype(np.int64)})
    return TokenExamples(windows, said, np.ones(rows), names, {"input_ids": 0}, 1)


@dataclass
class Learning:
    """A training, what it said, and where its checkpoints lie."""

    training: Training
    log: io.StringIO

    @property
    def model(self) -> Any:
        return self.training.learner.model

    def fit(self) -> Run:
        """From the newest whole checkpoint, if there is one."""
        with repeatable(self.training.compute, self.training.settings.seed):
            return self.training.fit(self.training.checkpoints.latest(self.training.progress.say))


def learning(folder: Path, *, compute: Compute = COMPUTE, family: str = "bert", **changes: Any) -> Learning:
    """Checkpoints in `folder/checkpoints`, the base model in `folder/base`."""
    chosen = settings(**changes)
    base = folder / "base"
    if not base.is_dir():
        tiny_encoder(family, base, layers=2)
    build = Build({"num_labels": 2}, {}, chosen.dropout, chosen.seed, chosen.reinitialised_layers)
    loaded = load_base(base, HEAD, build, vocabulary_size(base))
    loaded.model.to(compute.torch_device)  # type: ignore[arg-type]
    freeze(loaded.model, chosen.tune, chosen.frozen_layers)
    names = input_names(loaded.model)
    data = Data(examples(48, 0, names), examples(24, 1, names))
    log = io.StringIO()
    checkpoints = Checkpoints(folder / "checkpoints", compute.threads)
    plain = whole_model(loaded.model, loaded.new, HEAD)
    learner = replace(plain, minimised=shaped_loss(plain.loss, HEAD.loss, chosen))
    return Learning(Training(learner, data, chosen, compute, checkpoints, Progress("train", log)), log)


def weights(model: Any) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def same_weights(one: Any, other: Any) -> bool:
    """Bit by bit."""
    mine, theirs = weights(one), weights(other)
    return mine.keys() == theirs.keys() and all(mine[name].equal(theirs[name]) for name in mine)
