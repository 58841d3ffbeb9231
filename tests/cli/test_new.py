"""`tunegate new` shows what it understood, and writes only then."""

import json
import subprocess
from pathlib import Path

import pytest

from tunegate.cli import run_command
from tunegate.tasks import TASKS

TASK = next(iter(TASKS))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    analytics = false\n[cache]\n    type = copy\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text("pipelines: {}\n")
    rows = "".join(f"question {number},{'ab'[number % 2]},c{number % 7}\n" for number in range(60))
    (tmp_path / "mine.csv").write_text(f"body,team,customer\n{rows}")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*options: str) -> int:
    return run_command(["new", "mine", "--data", "mine.csv", "--task", TASK, *options])


def test_rows_labels_choices_margin_and_the_next_command_are_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new("--text", "body", "--label", "team", "--yes") == 0
    out = capsys.readouterr().out
    for part in ("60 rows", "question 0", "a 30, b 30", "text from 'body'", "Splits:", "points", "tunegate run mine"):
        assert part in out
    assert "models/minilm" in out
    assert "tunegate models add minilm" in out


def test_an_empty_label_is_no_label(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "mine.csv").open("a") as file:
        file.write("no label here,,c1\nhere is too much,a,c1,more\n")
    assert new("--text", "body", "--label", "team", "--yes") == 0
    out = capsys.readouterr().out
    assert "2 labels: a 30, b 30; 1 row without a label\n" in out
    assert "1 line could not be read" in out


def test_a_single_label_is_counted_in_the_singular(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "mine.csv").write_text("body,team\nhello,a\n")
    assert new("--text", "body", "--label", "team", "--yes") == 0
    out = capsys.readouterr().out
    assert "1 row; the first as understood" in out and "1 label: a 1\n" in out


def test_the_label_column_is_never_guessed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (project / "params.yaml").read_text()
    assert new("--text", "body") == 2
    error = capsys.readouterr().err
    assert "--label COLUMN" in error
    assert "team" in error
    assert (project / "params.yaml").read_text() == before
    assert not (project / "data").exists()


def test_programs_get_one_object(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("--text", "body", "--label", "team", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["entry"]["ingest"] == {"columns": {"text": "body", "label": "team"}}
    assert answer["labels"] == {"a": 30, "b": 30}
    assert "params.yaml" in answer["changed"]


def test_any_field_can_be_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("--text", "body", "--label", "team", "--column", "group=customer", "--json") == 0
    assert json.loads(capsys.readouterr().out)["columns"]["group"] == "customer"


def test_half_a_column_option_is_a_sentence(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("--column", "label") == 2
    assert "is not FIELD=COLUMN" in capsys.readouterr().err


def test_the_second_time_the_name_is_taken(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new("--text", "body", "--label", "team", "--yes")
    assert new("--text", "body", "--label", "team", "--yes") == 2
    assert "already has a pipeline mine" in capsys.readouterr().err


def test_the_margin_is_written_with_what_it_means_and_a_starter_of_behaviour_tests(project: Path) -> None:
    assert new("--text", "body", "--label", "team", "--yes") == 0
    written = (project / "params.yaml").read_text()
    assert "      margin: 0.05  # a new version may lose at most 5 points: that takes about" in written
    assert "behaviour: behaviour/mine.yaml" in written
    assert "perturb: typos" in (project / "behaviour/mine.yaml").read_text()


def test_a_margin_can_be_chosen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("--text", "body", "--label", "team", "--margin", "0.01", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["entry"]["gate"] == {"margin": 0.01}
    assert "behaviour/mine.yaml" in answer["changed"]
    assert "margin: 0.01  #" in (project / "params.yaml").read_text()  # a choice is written though it is the default


@pytest.mark.parametrize("margin", ["0", "1", "2", "-0.01"])
def test_what_is_no_margin_is_a_sentence(project: Path, capsys: pytest.CaptureFixture[str], margin: str) -> None:
    assert new("--text", "body", "--label", "team", "--margin", margin) == 2
    assert "One point is 0.01" in capsys.readouterr().err
    assert (project / "params.yaml").read_text() == "pipelines: {}\n"


def test_in_a_terminal_the_margin_is_asked_for(project: Path) -> None:
    out = in_terminal(
        ["new", "mine", "--data", "mine.csv", "--task", TASK, "--text", "body", "--label", "team"], "0.03\ny\n"
    )
    assert "How much may a new version lose" in out
    assert "margin: 0.03  #" in (project / "params.yaml").read_text()


def test_tests_that_are_there_already_are_kept(project: Path) -> None:
    (project / "behaviour").mkdir()
    (project / "behaviour/mine.yaml").write_text("mine\n")
    assert new("--text", "body", "--label", "team", "--yes") == 0
    assert (project / "behaviour/mine.yaml").read_text() == "mine\n"


def in_terminal(arguments: list[str], typed: str) -> str:
    """What the command shows to a person who types this."""
    import os
    import pty
    import sys

    main, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tunegate.cli", *arguments],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.close(child)
    os.write(main, typed.encode())
    out, _ = process.communicate(timeout=60)
    os.close(main)
    return out.decode()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("models/minilmm", 'Did you mean "models/minilm"?'),
        ("minilm", 'Did you mean "models/minilm"?'),
        ("models/other", "`tunegate models add other`"),
        ("../x", "there is no data/../x"),
    ],
)
def test_a_base_model_that_is_not_there_stops_before_anything_is_written(
    project: Path, capsys: pytest.CaptureFixture[str], model: str, said: str
) -> None:
    (project / "data/models").mkdir(parents=True)
    (project / "data/models/minilm.dvc").write_text("outs: []\n")
    before = (project / "params.yaml").read_text()
    assert new("--text", "body", "--label", "team", "--model", model, "--yes") == 2
    assert said in capsys.readouterr().err
    assert (project / "params.yaml").read_text() == before and not (project / "data/raw").exists()


def test_a_base_model_that_dvc_keeps_or_another_pipeline_makes_is_taken(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data/models").mkdir(parents=True)
    (project / "data/models/small.dvc").write_text("outs: []\n")
    assert new("--text", "body", "--label", "team", "--model", "models/small", "--yes") == 0
    (project / "mine.csv").rename(project / "other.csv")
    command = ["new", "other", "--data", "other.csv", "--task", TASK, "--text", "body", "--label", "team", "--yes"]
    assert run_command([*command, "--model", "mine/train"]) == 0
    out = capsys.readouterr().out
    assert "Its base model is what mine trains" in out
    assert "tunegate models add" not in out


@pytest.fixture
def treebank(project: Path) -> Path:
    words = (("Anna", "PROPN", 2, "nsubj"), ("sleeps", "VERB", 0, "root"))
    lines = [
        f"{place}\t{word}\t_\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n"
        for place, (word, tag, head, relation) in enumerate(words, start=1)
    ]
    (project / "mine.conllu").write_text(("".join(lines) + "\n") * 30)
    return project


def test_a_treebank_may_be_for_two_tasks_and_the_person_says_which(
    treebank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["new", "mine", "--data", "mine.conllu", "--yes"]) == 2
    said = capsys.readouterr().err
    assert "--task token_classification --column tags=COLUMN or --task dependency_parsing" in said
    assert (treebank / "params.yaml").read_text() == "pipelines: {}\n"
    assert run_command(["new", "mine", "--data", "mine.conllu", "--task", "dependency_parsing", "--yes"]) == 0
    assert "2 labels: nsubj 30, root 30" in capsys.readouterr().out
    assert not (treebank / "behaviour").exists()  # such tests change texts, and here every word has an answer
    assert "behaviour" not in (treebank / "params.yaml").read_text()


def test_a_named_column_tells_the_task(treebank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["new", "mine", "--data", "mine.conllu", "--column", "tags=upos", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entry"]["task"] == "token_classification"


def test_in_a_terminal_the_task_is_asked_for(treebank: Path) -> None:
    out = in_terminal(["new", "mine", "--data", "mine.conllu", "--margin", "0.03"], "dependency_parsing\ny\n")
    assert "The data may be for more than one task" in out
    assert "task: dependency_parsing" in (treebank / "params.yaml").read_text()
