"""`tunegate models vocabulary` on the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.test_models import project, tracked_project
from tests.text.vocabularies.test_vocabularies import TEXTS
from tunegate.cli import run_command

__all__ = ["project"]


@pytest.fixture
def texts(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    tracked_project(project, monkeypatch)
    path = project.parent / "texts.txt"
    path.write_text("\n".join(f"{text} {number}" for text in TEXTS for number in range(9)))
    return str(path)


def test_a_vocabulary_is_shown_beside_others_and_becomes_a_base_model(
    texts: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["models", "vocabulary", "own", texts, "--size", "300", "--shape", "tiny"]
    assert run_command([*made, "--dry-run"]) == 0
    assert "Nothing was made" in capsys.readouterr().out
    assert not (project / "data/models/own").exists()
    assert run_command(made) == 0
    told = capsys.readouterr().out
    assert "unknown tokens" in told and "random weights: pre-train it (task: pretraining, model: models/own)" in told
    pieces = ["models", "vocabulary", "pieces", texts, "--kind", "unigram", "--size", "300", "--shape", "tiny"]
    assert run_command([*pieces, "--beside", "models/own", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert list(facts["held_out"]) == ["models/pieces", "models/own"]
    assert (facts["model"]["architecture"], facts["changed"]) == ("albert", True)
    assert run_command([*pieces, "--beside", "models/own"]) == 0
    assert "tokens than models/own for the same texts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--kind", "bpe"], "--kind bpe cannot be: input should be 'wordpiece'"),
        (["--size", "20"], "different characters, which with special tokens take"),
        (["--shape", "huge"], "Choose one of: tiny, mini, small, medium, base"),
        (["--family", "gpt"], "Choose one of: bert, albert"),
        (["--kind", "characters", "--chinese", "pieces"], "every token is one character"),
        (["--pipeline", "own"], "Name files, or give --pipeline NAME, and not both"),
        (["--beside", "models/none"], "there is no tokenizer in data/models/none"),
        (["--column", "text=body"], 'no column "body"'),
    ],
)
def test_a_wrong_wish_is_two_sentences(
    given: list[str], said: str, texts: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["models", "vocabulary", "own", texts, *given]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_pipeline_that_is_not_there_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").write_text(
        "pipelines: {wiki: {task: pretraining, data: x, model: models/own, ingest: {format: lines}}}\n"
    )
    assert run_command(["models", "vocabulary", "own", "--pipeline", "wikki"]) == 2
    assert 'There is no pipeline "wikki"' in capsys.readouterr().err
