import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stages.prepared import PIPELINE, prepare, write_inputs
from tunegate.errors import UserError
from tunegate.progress import Progress
from tunegate.stages import run_stage
from tunegate.stages.train import TrainReport
from tunegate.training.checkpoints import sha256
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]


def ready(root: Path, **train: object) -> Workspace:
    root.mkdir(exist_ok=True)
    workspace = prepare(root, train=train)
    run_stage("tokenize", PIPELINE, workspace)
    return workspace


def train(workspace: Workspace) -> TrainReport:
    report = run_stage("train", PIPELINE, workspace)
    assert isinstance(report, TrainReport)
    return report


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, TrainReport]:
    workspace = ready(tmp_path_factory.mktemp("trained"), epochs=30, learning_rate=1e-2)
    return workspace, train(workspace)


def test_the_examples_are_learned_to_a_perfect_score(trained: tuple[Workspace, TrainReport]) -> None:
    _, report = trained
    assert report.epochs[report.best_epoch - 1].validation_accuracy == 1.0
    assert report.steps == 30 * 3


def test_the_folder_holds_the_model_its_tokenizer_and_the_curves(trained: tuple[Workspace, TrainReport]) -> None:
    workspace, report = trained
    folder = workspace.stage(PIPELINE, "train")
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert workspace.plot(PIPELINE, "curves").read_text().startswith("step,epoch,learning_rate,train_loss")
    assert files == ["model/config.json", "model/model.safetensors", "model/tokenizer.json"]
    assert sha256(folder / "model" / "model.safetensors") == report.weights_sha256
    config = json.loads((folder / "model" / "config.json").read_text())
    assert config["id2label"] == {"0": "food", "1": "weather"}


def test_nothing_of_a_finished_training_stays_in_the_state_folder(trained: tuple[Workspace, TrainReport]) -> None:
    workspace, _ = trained
    assert not list((workspace.state / "checkpoints").iterdir())


def test_the_report_has_neither_times_nor_places(trained: tuple[Workspace, TrainReport]) -> None:
    workspace, _ = trained
    text = workspace.report(PIPELINE, "train").read_text() + workspace.report(PIPELINE, "train", ".md").read_text()
    assert "second" not in text and str(workspace.root) not in text


@pytest.mark.parametrize("changes", [{}, {"tune": "partial", "frozen_layers": 1}, {"tune": "head"}])
def test_the_same_inputs_give_the_same_weights(changes: dict[str, object], tmp_path: Path) -> None:
    workspace = ready(tmp_path, **changes)
    first, again = train(workspace), train(workspace)
    assert first == again
    assert changes == {} or first.trained_parameters < first.parameters


def test_copies_by_weight_make_longer_epochs(tmp_path: Path) -> None:
    from tests.stages.prepared import records
    from tunegate.records import write_table
    from tunegate.tasks import record_of

    workspace = ready(tmp_path)
    examples = record_of("text_classification").EXAMPLES
    weighed = [{**row, "weight": 3.0 if row["label"] == "food" else 1.0} for row in examples]
    write_table(records(weighed, "train"), workspace.stage(PIPELINE, "augment") / "train.parquet")
    assert train(workspace).steps == 2 * 6  # 6 rows three times and 6 once, in batches of 4


def test_a_change_of_the_architecture_is_in_the_saved_model(tmp_path: Path) -> None:
    workspace = ready(tmp_path, model_changes={"num_hidden_layers": 1}, class_weights="balanced", dropout=0.0)
    train(workspace)
    config = json.loads((workspace.stage(PIPELINE, "train") / "model" / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_dropout_prob"]) == (1, 0.0)


def test_a_tokenizer_that_is_not_the_models_stops_the_training(tmp_path: Path) -> None:
    workspace = ready(tmp_path)
    config = workspace.model("models/tiny") / "config.json"
    config.write_text(config.read_text().replace('"vocab_size": ', '"vocab_size": 9'))
    with pytest.raises(UserError, match="do not match"):
        train(workspace)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.stages.prepared import PIPELINE
from tunegate.progress import Progress
advance = Progress.advance
def until(self, what, done, total, note=""):
    advance(self, what, done, total, note)
    if what == "steps" and done >= 10:
        os.kill(os.getpid(), signal.SIGKILL)
Progress.advance = until
from tunegate.stages import run_stage
from tunegate.workspace import Workspace
run_stage("train", PIPELINE, Workspace(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("tune", ["full", "head"])
def test_a_killed_stage_resumes_at_a_logged_step_and_ends_with_the_same_weights(
    tune: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = ready(tmp_path, tune=tune, epochs=5, checkpoint_steps=4)
    whole = train(workspace)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (
        not workspace.stage(PIPELINE, "train").joinpath("model").is_dir()
        or not workspace.report(PIPELINE, "train").exists()
    )
    capsys.readouterr()
    resumed = train(workspace)
    assert "resuming at step 8 of 15" in capsys.readouterr().out
    assert resumed == whole


def interrupt(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the fourth of six steps."""

    def advance(_progress: Progress, what: str, done: int, _total: int, _note: str = "") -> None:
        if what == "steps" and done >= 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "advance", advance)
        with pytest.raises(KeyboardInterrupt):
            train(workspace)


def test_only_the_same_settings_resume_what_was_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = ready(tmp_path, checkpoint_steps=2)
    interrupt(workspace, monkeypatch)
    write_inputs(workspace, train={"checkpoint_steps": 2, "learning_rate": 2e-3})
    interrupt(workspace, monkeypatch)
    write_inputs(workspace, train={"checkpoint_steps": 2})
    assert "resuming" not in capsys.readouterr().out
    train(workspace)
    assert "resuming at step 2 of 6" in capsys.readouterr().out


def test_a_resumed_run_keeps_the_threads_it_began_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = ready(tmp_path, checkpoint_steps=2, threads=None)
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0})
    whole = train(workspace)
    interrupt(workspace, monkeypatch)
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0, 1})
    again = train(workspace)
    assert "had 1 threads, so this one has them too" in capsys.readouterr().out
    assert again == whole


def model_of(workspace: Workspace) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(workspace.stage(PIPELINE, "train") / "model" / "model.safetensors"))


def test_the_best_of_several_seeds_is_the_training_with_that_seed_alone(tmp_path: Path) -> None:
    report = train(ready(tmp_path / "three", seeds=3, seed=4))
    losses = {one.name: one.validation_loss for one in report.seeds}
    assert list(losses) == ["seed 4", "seed 5", "seed 6"]
    assert report.exported == min(losses, key=lambda name: losses[name] or 0)
    alone = train(ready(tmp_path / "one", seed=int(report.exported.split()[1])))
    assert alone.seeds == () and alone.weights_sha256 == report.weights_sha256 and alone.epochs == report.epochs
    assert "mean ± standard deviation" in report.markdown() and "mean" not in alone.markdown()


def test_the_average_of_seeds_is_the_mean_of_weights_from_one_start(tmp_path: Path) -> None:
    workspace = ready(tmp_path, seeds=2, seeds_export="average", epochs=1, learning_rate=1e-9, warmup=0.0)
    report = train(workspace)
    assert report.exported == "average of their weights" == report.seeds[-1].name
    one = ready(tmp_path / "one", epochs=1, learning_rate=1e-9, warmup=0.0)
    train(one)
    assert all(value.allclose(model_of(one)[name], atol=1e-6) for name, value in model_of(workspace).items())


@pytest.mark.parametrize("export", ["best", "average"])
def test_killed_in_a_later_seed_it_trains_no_finished_one_again(
    export: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = ready(tmp_path, seeds=3, seeds_export=export, checkpoint_steps=2)
    whole = train(workspace)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = KILLED.replace("Progress.advance = until", KILLED_IN_THE_SECOND)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    capsys.readouterr()
    assert train(workspace) == whole
    said = capsys.readouterr().out
    assert "resuming at step 6 of 6" in said and "resuming at step 4 of 6" in said


KILLED_IN_THE_SECOND = """
say, seen = Progress.say, []
def spoken(self, text):
    seen.append(text)
    say(self, text)
def second(self, what, done, total, note=""):
    if what == "steps" and done >= 5 and any(text.startswith("seed 1,") for text in seen):
        os.kill(os.getpid(), signal.SIGKILL)
Progress.say, Progress.advance = spoken, second
"""


def test_a_labels_own_weight_is_one_of_its_own(tmp_path: Path) -> None:
    plain = train(ready(tmp_path / "plain")).weights_sha256
    assert (
        train(ready(tmp_path / "ones", label_weights={"food": 1.0})).epochs == train(ready(tmp_path / "plain")).epochs
    )
    assert train(ready(tmp_path / "more", label_weights={"food": 4.0})).weights_sha256 != plain
    with pytest.raises(UserError, match=r'label_weights names "foood", which is no label\. Did you mean "?food'):
        train(ready(tmp_path / "none", label_weights={"foood": 4.0}))


@pytest.mark.parametrize(
    "changes",
    [{"label_smoothing": 0.1, "focal_gamma": 2.0}, {"r_drop": 1.0}, {"adversarial": "fgm"}, {"micro_batch": 3}],
)
def test_options_of_the_loss_train_to_other_weights_by_the_same_rule(
    changes: dict[str, object], tmp_path: Path
) -> None:
    workspace = ready(tmp_path, **changes)
    first, again = train(workspace), train(workspace)
    assert first == again and first.micro_batch == changes.get("micro_batch")
    write_inputs(workspace)
    assert train(workspace).weights_sha256 != first.weights_sha256


CHANGED = {"tune": "lora", "lora_rank": 2, "kept_layers": [2], "epochs": 3, "checkpoint_steps": 2}
READING = {"max_length": 100, "longer_positions": "tile", "extra_words": ["rainstorm", "snow"]}


def test_changes_of_the_architecture_resume_with_the_same_bits_and_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("peft")
    workspace = prepare(tmp_path, train=CHANGED, tokenize=READING)
    run_stage("tokenize", PIPELINE, workspace)
    whole = train(workspace)
    interrupt(workspace, monkeypatch)
    assert train(workspace) == whole
    assert "resuming at step 2 of 9" in capsys.readouterr().out
    assert [effect.setting for effect in whole.effects] == [
        "train.kept_layers",
        "tokenize.longer_positions",
        "tokenize.extra_words",
        "train.tune",
    ]
    assert "| `tokenize.extra_words` |" in whole.markdown() and whole.trained_parameters < whole.parameters / 2
    config = json.loads((workspace.stage(PIPELINE, "train") / "model" / "config.json").read_text())
    assert (config["num_hidden_layers"], config["max_position_embeddings"]) == (1, 100)
    assert not any("lora" in name for name in model_of(workspace))


def test_adapters_learn_and_leave_the_rest_alone(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    workspace = ready(tmp_path, tune="lora", epochs=30, learning_rate=2e-2)
    report = train(workspace)
    assert report.epochs[report.best_epoch - 1].validation_accuracy == 1.0
    from safetensors.torch import load_file

    base = dict(load_file(workspace.model("models/tiny") / "model.safetensors"))
    ours = {name.removeprefix("bert."): value for name, value in model_of(workspace).items()}
    changed = {name for name, value in base.items() if name in ours and not value.equal(ours[name])}
    assert changed == {name for name in changed if "query.weight" in name or "value.weight" in name or "pooler" in name}
    assert any("query.weight" in name for name in changed)


@pytest.mark.parametrize(
    "wrong",
    [{"kept_layers": []}, {"kept_layers": [2, 1]}, {"kept_layers": 0}, {"tune": "lora", "reinitialised_layers": 1}],
)
def test_changes_that_cannot_be_are_refused_when_settings_are_read(wrong: dict[str, object]) -> None:
    from pydantic import ValidationError

    from tunegate.params import TrainSettings

    with pytest.raises(ValidationError, match=r"kept_layers as|must not set (reinitialised|head)_layers"):
        TrainSettings.model_validate(wrong)


@pytest.mark.parametrize(("pooling", "cached"), [("mean", True), ("attention", False)])
def test_head_only_training_keeps_what_its_pooling_makes_of_each_row(
    pooling: str, cached: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = train(ready(tmp_path, tune="head", pooling=pooling, epochs=60 if cached else 10, learning_rate=2e-2))
    assert ("passes through the encoder" not in capsys.readouterr().out) == cached
    assert report.epochs[-1].train_loss < report.epochs[0].train_loss / 2
    assert [effect.setting for effect in report.effects] == ["train.pooling"]


@pytest.mark.parametrize("scratch", ["no", "own_shape"])
def test_a_model_reads_the_tokens_of_an_own_vocabulary(scratch: str, tmp_path: Path) -> None:
    own = {"max_length": 32, "vocabulary": {"kind": "unigram", "size": 60}}
    workspace = prepare(tmp_path, train={"from_scratch": scratch}, tokenize=own)
    size = run_stage("tokenize", PIPELINE, workspace).vocabulary  # type: ignore[attr-defined]
    whole = train(workspace)
    name = next(name for name in model_of(workspace) if name.endswith("word_embeddings.weight"))
    assert len(model_of(workspace)[name]) == size
    made = [effect.what for effect in whole.effects if effect.setting == "tokenize.vocabulary"]
    assert len(made) == (scratch == "no") and all(f"{size:,} rows of embeddings" in what for what in made)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{}, {"tune": "partial", "frozen_layers": 1, "seeds": 2}, {"tune": "head"}], ids=str
)
def test_two_processes_train_what_one_does(changes: dict[str, object], tmp_path: Path) -> None:
    alone = train(ready(tmp_path / "alone", dropout=0.0, **changes))
    workspace = ready(tmp_path / "two", dropout=0.0, processes=2, **changes)
    first, again = train(workspace), train(workspace)
    assert first == again and first.processes == 2
    assert "2 processes" in workspace.report(PIPELINE, "train", ".md").read_text()
    for one, two in zip(alone.epochs, first.epochs, strict=True):
        assert two.train_loss == pytest.approx(one.train_loss, rel=1e-2)
        assert two.validation_loss == pytest.approx(one.validation_loss, rel=1e-2)
