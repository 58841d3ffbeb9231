"""What pre-training is worth at a size that a laptop trains: `python -m benchmarks.pretraining --data FOLDER`.

A small BERT (masked words and next sentences) and a small ALBERT (masked words and the order of sentences) learn a
language from its texts, once each, then a task, from several seeds; beside each stands the same net with random weights
of the same seed that learns the task alone. What is done is kept in the folder of work, so that what was cut goes on.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.pretraining_sets import NARROW, NETS, ORDER, TARGETS, Target, texts_of, write_net, write_target
from tunegate.workspace import Workspace, write_atomically

RESULTS = Path(__file__).with_name("pretraining.json")
SEEDS = range(5)
WORDS = 40  # of a stretch or a pair
SHARE = 0.3  # of hidden words: of few texts more is learnt in an epoch than with 0.15
ONE_CORE = {"precision": "fp32", "threads": 1}
LEARN_WORDS = {**ONE_CORE, "dropout": 0.0, "epochs": 16, "batch_size": 32, "learning_rate": 2e-3}
LEARN_TASK = {**ONE_CORE, "dropout": 0.1, "epochs": 10, "batch_size": 16, "learning_rate": 1e-3}
HOW = (
    "`python -m benchmarks.pretraining`: nets of 2 layers of 64, pre-trained once each on wiki_sentences_en and EWT's "
    "documents (en) or CMRC's passages (zh), BERT with next sentences, ALBERT with the order of sentences; fine-tuned "
    "with 5 seeds beside the same nets from random weights, scored on test rows. The difference is paired by seed; its "
    "interval is Student's over seeds, and says nothing of other test rows or of another pre-training."
)
ARMS = {"pretrained": "no", "random": "own_shape"}  # train.from_scratch


@dataclass(frozen=True)
class Project:
    """Pipelines whose stages run here, without DVC, Prefect and a service."""

    workspace: Workspace
    data: Path

    def stages(self, pipeline: str, *names: str) -> Any:
        """The last one's report."""
        from tunegate.stages import run_stage

        found = None
        for name in names:
            if name in ("train",) or not self.workspace.report(pipeline, name).is_file():
                found = run_stage(name, pipeline, self.workspace)
        return found

    def settle(self, pipeline: str, entry: Mapping[str, Any]) -> None:
        from tunegate.inputs import Inputs
        from tunegate.params import PipelineSettings
        from tunegate.tasks import options_of

        settings = PipelineSettings.model_validate(entry)
        options = options_of(settings.task).model_validate(settings.options).model_dump(mode="json")
        params = settings.model_dump(mode="json", by_alias=True) | {"options": options}
        environment = dict.fromkeys(("torch", "transformers", "tokenizers"), "")
        Inputs(pipeline=pipeline, params=params, environment=environment).write(self.workspace.inputs(pipeline))

    def prepare(self, language: str, net: str) -> None:
        """Texts and sets as tokens, once for all seeds."""
        base, raw = self.workspace.model(f"models/{net}-{language}"), self.workspace.raw(f"texts-{language}")
        if not base.is_dir():
            texts = texts_of(language, self.data)
            raw.mkdir(parents=True, exist_ok=True)
            (raw / "texts.txt").write_text(texts, encoding="utf-8")
            write_net(net, texts, language, base)
        words = words_of(language, net)
        self.settle(words, words_entry(language, net))
        self.stages(words, "ingest", "validate", "augment", "tokenize")

    def baseline(self, pipeline: str) -> dict[str, float]:
        """The same of the task's first baseline."""
        from tunegate.inputs import read_inputs
        from tunegate.records import read_table
        from tunegate.tasks import answering_of

        answering = answering_of(read_inputs(self.workspace.inputs(pipeline)).params["task"])
        train, test = (
            read_table(self.workspace.stage(pipeline, "validate") / f"{split}.parquet") for split in ("train", "test")
        )
        ((_, answers), *_) = answering.baselines(train, test, [], 0).values()
        return measured(answering, answers, test, [])

    def score(self, pipeline: str) -> dict[str, float]:
        """The trained model's metrics on test rows, by the answers that it would serve in fp32."""
        from tunegate.engines.torch import TorchEngine
        from tunegate.exported import Manifest
        from tunegate.inputs import read_inputs
        from tunegate.models.loading import input_names, load_finished
        from tunegate.predictor import Predictor
        from tunegate.records import read_table
        from tunegate.tasks import answering_of, encoding_of
        from tunegate.text.tokens import load_tokenizer

        params = read_inputs(self.workspace.inputs(pipeline)).params
        validated = self.workspace.stage(pipeline, "validate")
        labels = json.loads((validated / "labels.json").read_text(encoding="utf-8"))
        records = read_table(validated / "test.parquet")
        folder = self.workspace.stage(pipeline, "train") / "model"
        head = encoding_of(params["task"]).head(params["options"])
        model = load_finished(folder, head)
        manifest = Manifest(
            task=params["task"],
            labels=labels,
            options=params["options"],
            max_length=params["tokenize"]["max_length"],
            engine="torch",
            precisions=["fp32"],
            inputs=list(input_names(model)),
            outputs=list(head.outputs),
            files={},
        )
        engine = TorchEngine(model, head.outputs, "fp32", 1)
        answers = Predictor(manifest, "fp32", engine, {}, load_tokenizer(folder)).answers(records)
        return measured(answering_of(params["task"]), answers, records, labels)


def measured(answering: Any, answers: Any, records: Any, labels: list[str]) -> dict[str, float]:
    import numpy as np

    counts = answering.counts(answers, records, labels)
    sums = {key: np.array([counts.number[counts.key == place].sum()]) for place, key in enumerate(counts.keys)}
    return {metric.name: round(float(metric.value(sums)[0]), 4) for metric in answering.METRICS}


def words_of(language: str, net: str) -> str:
    return f"words-{language}-{net}"


def words_entry(language: str, net: str) -> dict[str, Any]:
    return {
        "task": "pretraining",
        "data": f"texts-{language}",
        "model": f"models/{net}-{language}",
        "options": {"sentences": ORDER[net], "words": WORDS, "share": SHARE},
        "ingest": {"format": "documents"},
        "split": {"test": 0.05, "validation": 0.02},
        "validate": {"max_characters": 1_000_000, "budget": 0.5},
        "tokenize": {"max_length": 64},
        "train": {**LEARN_WORDS, "from_scratch": "own_shape", "model_changes": {**NARROW, **NETS[net]}},
    }


def target_entry(pipeline: str, target: Target, words: str, arm: str, seed: int) -> dict[str, Any]:
    entry = dict(target.settings)
    return {
        "task": target.task,
        "data": pipeline,
        "model": f"{words}/train",
        "validate": {"budget": 0.5},
        "tokenize": {"max_length": 128, "max_unknown_rate": 1.0},
        **entry,
        "train": {**LEARN_TASK, **entry.get("train", {}), "from_scratch": ARMS[arm], "seed": seed},
    }


def learnt_words(project: Project, language: str, net: str) -> dict[str, Any]:
    """What the pre-trained net is worth on held-out texts; trained where it has not been."""
    pipeline = words_of(language, net)
    kept = project.workspace.root / "results" / f"{pipeline}.json"
    if not kept.is_file():
        started = time.process_time()
        project.prepare(language, net)
        learnt = project.stages(pipeline, "train")
        spent = round(time.process_time() - started)
        found = {
            "test": project.score(pipeline),
            "unigram": project.baseline(pipeline),
            "validation_losses": [round(epoch.validation_loss, 3) for epoch in learnt.epochs],
            "parameters": learnt.parameters,
            "rows": learnt.rows,
            "cpu_seconds": spent,
        }
        write_atomically(kept, json.dumps(found))
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def unit(project: Project, language: str, net: str, seed: int) -> dict[str, Any]:
    """Both sets, learnt with and without the words, from one seed."""
    kept = project.workspace.root / "results" / f"{language}-{net}-{seed}.json"
    if not kept.is_file():
        started, words = time.process_time(), words_of(language, net)
        found: dict[str, Any] = {
            target.name: {arm: learnt_task(project, target, words, arm, seed) for arm in ARMS}
            for target in TARGETS[language]
        }
        write_atomically(kept, json.dumps({"targets": found, "cpu_seconds": round(time.process_time() - started)}))
    return dict(json.loads(kept.read_text(encoding="utf-8")))


def learnt_task(project: Project, target: Target, words: str, arm: str, seed: int) -> float:
    pipeline = f"{target.name}-{words}"
    raw = project.workspace.raw(pipeline)
    entry = target_entry(pipeline, target, words, arm, seed)
    splits = write_target(target, project.data, raw)
    entry["ingest"] = {**entry.get("ingest", {}), "files": splits}
    project.settle(pipeline, entry)
    project.stages(pipeline, "ingest", "validate", "augment", "tokenize", "train")
    return project.score(pipeline)[target.metric]


def results() -> dict[str, Any]:
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.is_file() else {}


def table(units: Mapping[str, Any]) -> list[list[str]]:
    """Means over seeds, and the paired difference with its 95 % t interval."""
    rows = [["texts", "net", "set", "metric", "pre-trained", "random weights", "difference (95 %)", "seeds won"]]
    for language, targets in TARGETS.items():
        for net in NETS:
            own = [found for name, found in units.items() if name.startswith(f"{language}/{net}/")]
            for target in targets if own else ():
                rows.append([language, net.upper(), target.name, target.metric, *_compared(own, target.name)])
    return rows


def _compared(units: list[Mapping[str, Any]], target: str) -> list[str]:
    import numpy as np
    from scipy import stats

    first, second = (np.array([found["targets"][target][arm] for found in units]) for arm in ARMS)
    gains = first - second
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / len(gains) ** 0.5 if len(gains) > 1 else np.inf
    shown = f"{gains.mean():+.3f} ({gains.mean() - half:+.3f} to {gains.mean() + half:+.3f})"
    return [f"{first.mean():.3f}", f"{second.mean():.3f}", shown, f"{int((gains > 0).sum())} of {len(gains)}"]


def _keep(net: str, name: str, words: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    kept = results()
    kept = {
        "machine": report.machine(),
        "words": {**kept.get("words", {}), net: words},
        "units": {**kept.get("units", {}), name: found},
    }
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "--data", type=Path, required=True, help="a mirror of the data sets (docs/how-to/public-data.md)"
    )
    asked.add_argument("--work", type=Path, required=True, help="a folder for the pipelines; may be taken up again")
    asked.add_argument("names", nargs="*", metavar="LANGUAGE/NET/SEED", help="default: all that are not done")
    given = asked.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    (given.work / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    (given.work / "params.yaml").write_text("pipelines: {}\n", encoding="utf-8")
    project = Project(Workspace(given.work.resolve()), given.data)
    every = [f"{language}/{net}/{seed}" for language in TARGETS for seed in SEEDS for net in NETS]
    for name in given.names or every:
        language, net, seed = name.split("/")
        words = learnt_words(project, language, net)
        found = unit(project, language, net, int(seed))
        print(name, json.dumps(found), flush=True)
        _keep(f"{language}/{net}", name, words, found)
    units = results()["units"]
    print(report.markdown(table(units)))
    if all(name in units for name in every) and not given.names:
        report.append("Pre-training small nets", HOW, table(units), ("torch", "transformers", "tokenizers"))


if __name__ == "__main__":
    main()
