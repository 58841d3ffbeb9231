import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.conftest import bento, export, packaged
from tunegate.cli import run_command
from tunegate.exported import Filled, read_manifest, write_manifest
from tunegate.predictor import Predictor

__all__ = ["bento", "export", "packaged"]

PARAMS = """\
pipelines:
  demo:
    task: text_classification
    data: demo
    model: models/tiny
    ingest: {columns: {text: message, label: team}, format: csv}
"""


@pytest.fixture
def project(bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (tmp_path / "data/demo/package").mkdir(parents=True)
    (tmp_path / "data/demo/package/bento").symlink_to(bento)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_text_is_answered_by_the_packaged_version(
    project: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["predict", "demo", "--text", "rain", "--scores", "--json"]) == 0
    answered = json.loads(capsys.readouterr().out)
    [expected] = Predictor.open(export).responses([{"text": "rain"}], with_scores=True)
    assert answered["version"].startswith("demo:") and answered["answers"] == [expected]
    assert run_command(["predict", "demo", "--text", "rain"]) == 0
    assert f"label: {expected['label']}" in capsys.readouterr().out


def test_a_files_rows_are_answered_in_their_order_and_none_is_lost(
    project: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"rain number {number}" if number % 3 else "bread and butter" for number in range(40)]
    lines = [f"{number},{text}" for number, text in enumerate(texts)]
    lines[7] = "7, \u3000"
    (project / "rows.csv").write_text("id,message\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert run_command(["predict", "demo", "--file", "rows.csv", "--json"]) == 0
    told = capsys.readouterr()
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [row["line"] for row in rows] == list(range(2, 42))
    assert rows[7] == {"line": 9, "error": "text is empty"}
    expected = Predictor.open(export).responses([{"text": text} for text in texts])
    answered = [(row["label"], row["confidence"]) for number, row in enumerate(rows) if number != 7]
    wanted = [(answer["label"], answer["confidence"]) for number, answer in enumerate(expected) if number != 7]
    assert [label for label, _ in answered] == [label for label, _ in wanted]
    assert [value for _, value in answered] == pytest.approx([value for _, value in wanted], abs=3e-6)
    assert "40 of 40 rows" in told.err


def test_json_lines_go_to_a_csv_and_a_line_that_is_no_json_keeps_its_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = '{"body": "rain"}\nnot json\n{"body": "a \\"b\\", c"}\n'
    (project / "rows.jsonl").write_text(content, encoding="utf-8")
    command = ["predict", "demo", "--file", "rows.jsonl", "--column", "text=body", "--output", "answers.csv"]
    assert run_command(command) == 0
    lines = (project / "answers.csv").read_text(encoding="utf-8").splitlines()
    said = "2 of 3 rows answered, 1 without an answer (see the column error); written to answers.csv"
    assert lines[0] == "line,label,confidence,error" and said in capsys.readouterr().err
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"] and lines[2].startswith("2,,,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "rows.csv"], "'body'"),
        (["--file", "none.csv"], "none.csv is not a file"),
        (["--file", "rows.csv", "--column", "text"], "--column text=body"),
        (["--file", "rows.csv", "--column", "label=body"], 'there is no field "label"'),
        (["--file", "rows.csv", "--output", "answers.xls"], "answers.xls"),
        (["--file", "rows.csv", "--output", "./rows.csv"], "is the file that is read"),
        (["--file", "rows.csv", "--output", "none/answers.csv"], "there is no folder none"),
        (["--file", "rows.csv", "--output", "folder.csv"], "folder.csv is a folder"),
        (["--text", "rain", "--file", "rows.csv"], "either --text, --record or --file"),
        ([], "either --text, --record or --file"),
        (["--text", ""], "at least 1 character"),
        (["--text", " \t"], "(text): The text is empty or only white space."),
        (["--record", "{"], "--record is not JSON"),
        (["--record", "5"], "valid dictionary"),
        (["--record", '{"text": 5}'], "(text): Input should be a valid string."),
        (["--record", '{"txt": "rain"}'], "There is no field 'txt'. Missing: text."),
        (["--record", '{"text": "rain"}', "--text-b", "snow"], "--text-b goes with --text"),
        (["--text", "rain", "--column", "text=body"], "--column goes with --file"),
        (["--file", "rows.csv", "--encoding", "klingon"], "--encoding 'klingon' cannot be"),
        (["--file", "big5.csv", "--column", "text=body"], "set --encoding big5"),
        (["--file", "semicolons.csv"], 'set --delimiter ";"'),
    ],
)
def test_a_slip_is_answered_with_a_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (project / "rows.csv").write_text("body\nrain\n", encoding="utf-8")
    (project / "folder.csv").mkdir()
    (project / "big5.csv").write_bytes("body\n這個應用程式很好用\n".encode("big5"))
    (project / "semicolons.csv").write_text("id;message\n1;rain\n", encoding="utf-8")
    assert run_command(["predict", "demo", *arguments]) == 2
    told = capsys.readouterr()
    assert said in told.err and not told.out
    assert (project / "rows.csv").read_text(encoding="utf-8") == "body\nrain\n"


def test_a_record_is_answered_as_its_text_is(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["predict", "demo", "--text", "rain", "--text-b", "snow", "--json"]) == 0
    assert run_command(["predict", "demo", "--record", '{"text": "rain", "text_b": "snow"}', "--json"]) == 0
    told = capsys.readouterr().out
    assert told[: len(told) // 2] == told[len(told) // 2 :]


def test_a_files_encoding_and_delimiter_can_be_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "rows.csv").write_bytes("id;message\n1;這個應用程式很好用\n".encode("big5"))
    command = ["predict", "demo", "--file", "rows.csv", "--encoding", "big5", "--delimiter", ";", "--json"]
    assert run_command(command) == 0
    assert json.loads(capsys.readouterr().out)["line"] == 2


@pytest.fixture
def learnt_from(project: Path, bento: Path) -> Callable[[Filled], None]:
    """Makes the packaged model one whose training rows had a second text always, sometimes or never."""

    def write(state: Filled) -> None:
        package = project / "data/demo/package"
        (package / "bento").unlink()
        shutil.copytree(bento, package / "bento")
        export = package / "bento/src/serving/export"
        filled = {"text": "always", "text_b": state}
        manifest = write_manifest(export, read_manifest(export).model_copy(update={"filled": filled}))
        note = export.parent / "serving.json"
        note.write_text(json.dumps({**json.loads(note.read_text()), "export": manifest.digest}), encoding="utf-8")

    return write


def test_a_model_of_single_texts_refuses_pairs(
    project: Path, learnt_from: Callable[[Filled], None], capsys: pytest.CaptureFixture[str]
) -> None:
    learnt_from("never")
    (project / "rows.csv").write_text("message,text_b\nrain,\nrain,snow\n", encoding="utf-8")
    (project / "empty.csv").write_text("message,text_b\nrain,\n", encoding="utf-8")
    for arguments in (["--text", "rain", "--text-b", "snow"], ["--file", "rows.csv"]):
        assert run_command(["predict", "demo", *arguments]) == 2
        assert "text_b must be left out: the model was trained on rows without it." in capsys.readouterr().err
    assert run_command(["predict", "demo", "--file", "empty.csv"]) == 0


def test_a_model_of_pairs_refuses_single_texts(
    project: Path, learnt_from: Callable[[Filled], None], capsys: pytest.CaptureFixture[str]
) -> None:
    learnt_from("always")
    (project / "single.csv").write_text("message\nrain\n", encoding="utf-8")
    (project / "rows.csv").write_text("message,text_b\nrain,\nrain,snow\n", encoding="utf-8")
    assert run_command(["predict", "demo", "--text", "rain"]) == 2
    assert "text_b is missing: the model was trained on rows that all have it." in capsys.readouterr().err
    assert run_command(["predict", "demo", "--file", "single.csv"]) == 2
    assert '"text_b" (for text_b)' in capsys.readouterr().err
    assert run_command(["predict", "demo", "--file", "rows.csv", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"line": 2, "error": "text_b is empty"} and "label" in second


def test_people_read_four_digits(project: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [expected] = Predictor.open(export).responses([{"text": "rain"}])
    (project / "rows.csv").write_text("message\nrain\n", encoding="utf-8")
    assert run_command(["predict", "demo", "--text", "rain"]) == 0
    assert f"confidence: {round(expected['confidence'], 4)}\n" in capsys.readouterr().out
    assert run_command(["predict", "demo", "--file", "rows.csv"]) == 0
    assert f"\t{round(expected['confidence'], 4)}\t" in capsys.readouterr().out


def test_an_answers_file_is_whole_or_not_there(project: Path) -> None:
    (project / "rows.csv").write_text("body\nrain\n", encoding="utf-8")
    assert run_command(["predict", "demo", "--file", "rows.csv", "--output", "answers.csv"]) == 2
    assert not list(project.glob("*answers*"))


def test_without_a_package_the_reason_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "data/demo/package/bento").unlink()
    (project / "reports/demo").mkdir(parents=True)
    report = {"packaged": False, "why": "the gate said FAIL."}
    (project / "reports/demo/package.json").write_text(json.dumps(report), encoding="utf-8")
    for command in (["predict", "demo", "--text", "rain"], ["serve", "demo"]):
        assert run_command(command) == 2
        told = capsys.readouterr().err
        assert "the gate said FAIL." in told and "reports/demo/gate.md" in told
        assert "Run it with" not in told  # the same run would fail again


def test_a_pipeline_that_is_not_there_is_named_with_the_nearest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["predict", "dmeo", "--text", "rain"], ["serve", "dmeo"]):
        assert run_command(command) == 2
        assert 'There is no pipeline "dmeo". Did you mean "demo"?' in capsys.readouterr().err


def test_predict_loads_no_torch(project: Path) -> None:
    code = (
        "import sys; from tunegate.cli import run_command\n"
        "assert run_command(['predict', 'demo', '--text', 'rain']) == 0\n"
        "assert not {'torch', 'transformers', 'bentoml'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
