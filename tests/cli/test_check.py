"""`tunegate check` on a person's own files: it finds, it says where, and it changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.cli import run_command
from tunegate.errors import ExitStatus
from tunegate.tasks import TASKS

TASK = next(iter(TASKS))
ROWS = [f"question number {number},{'ab'[number % 2]}" for number in range(60)]
BROKEN = [
    "question number 4,a",  # line 62: as line 6
    "Question number 7!,b",  # line 63: nearly as line 9
    "one text two labels,a",
    "one text two labels,b",
    "lost \ufffd character,a",
    "itâ€™s broken,a",
    f"{'very long ' * 200},b",
    "three,fields,here",  # line 69
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Not a project: no params.yaml, no git."""
    write(tmp_path / "mine.csv", [*ROWS, *BROKEN])
    write(tmp_path / "good.csv", ROWS)
    write(tmp_path / "held_out.csv", ["question number 5,b", "something of its own,a"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: list[str], header: str = "body,team") -> None:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def check(*arguments: str) -> int:
    return run_command(["check", *arguments, "--task", TASK, "--text", "body", "--label", "team"])


def summary(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    check(*arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def lines(found: dict[str, Any]) -> dict[str, dict[str, list[int]]]:
    return {finding["code"]: finding["lines"] for finding in found["findings"]}


def test_each_finding_has_its_rows_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = summary(capsys, "mine.csv")
    assert lines(found) == {
        "DUP_EXACT": {"mine.csv": [62]},
        "DUP_NEAR": {"mine.csv": [63]},
        "LABEL_CONFLICT": {"mine.csv": [64, 65]},
        "ENC_REPLACEMENT": {"mine.csv": [66]},
        "ENC_MOJIBAKE": {"mine.csv": [67]},
        "LENGTH_ODD": {"mine.csv": [68]},
        "QUARANTINE_SHARE": {},
    }
    assert found["rejected"] == {"mine.csv": [69]}


def test_a_person_reads_messages_lines_labels_and_lengths(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("mine.csv") == ExitStatus.REFUSED
    out = capsys.readouterr().out
    for part in (
        "67 rows from 1 file",
        "1 line could not be read:",
        "mine.csv:69",
        "[DUP_NEAR] 1 of 67 rows (1.5 %)",
        "mine.csv line 64, 65",
        "2 labels:",
        "longest 1,999",
        "refuse the data (QUARANTINE_SHARE)",
        "Nothing was changed.",
    ):
        assert part in out


def test_good_data_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("good.csv") == ExitStatus.PASSED
    assert "No check found anything." in capsys.readouterr().out


def test_a_single_label_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "one.csv", [row[:-1] + "a" for row in ROWS])
    assert check("one.csv") == ExitStatus.REFUSED
    out = capsys.readouterr().out
    assert "[CLASS_ONE]" in out and "1 label:" in out


def test_leaks_between_given_splits_are_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = summary(capsys, "good.csv", "--test", "held_out.csv")
    assert lines(found) == {"LEAK_EXACT": {"good.csv": [7]}}
    assert found["splits"] == {"train": 60, "validation": 0, "test": 2}


def test_a_column_can_give_the_split(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{row},train" for row in ROWS]
    write(folder / "all.csv", [*rows, "question number 5,b,test", "my own,a,test"], header="body,team,part")
    found = summary(capsys, "all.csv", "--column", "split=part")
    assert lines(found) == {"LEAK_EXACT": {"all.csv": [7]}}


def test_a_folder_named_for_splits_keeps_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "set").mkdir()
    (folder / "good.csv").rename(folder / "set" / "train.csv")
    (folder / "held_out.csv").rename(folder / "set" / "test.csv")
    assert summary(capsys, "set")["splits"] == {"train": 60, "validation": 0, "test": 2}


def test_nothing_is_changed_and_nothing_is_left_behind(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    check("mine.csv")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_column_is_never_guessed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", "mine.csv", "--task", TASK, "--text", "body"]) == ExitStatus.MISTAKE
    said = capsys.readouterr().err
    assert "No column is named label" in said and "team" in said and "--label COLUMN" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.csv"], "absent.csv"),
        (["mine.csv", "--column", "split"], "FIELD=COLUMN"),
        (["mine.csv", "--test", "absent.csv"], "absent.csv"),
    ],
)
def test_a_slip_is_answered_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert check(*arguments) == ExitStatus.MISTAKE
    assert said in capsys.readouterr().err


def test_personal_data_is_looked_for_on_request(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "mine.csv", [*ROWS, "write to ann@example.org,a"])
    assert lines(summary(capsys, "mine.csv")) == {}
    assert lines(summary(capsys, "mine.csv", "--personal-data")) == {"PII": {"mine.csv": [62]}}


@pytest.mark.parametrize(("option", "value"), [("--encoding", "klingon"), ("--delimiter", ";;"), ("--encoding", "hex")])
def test_a_wrong_option_is_answered_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert check("mine.csv", option, value) == ExitStatus.MISTAKE
    assert value in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("big5.csv", "body,team\n這個應用程式很好用,a\n".encode("big5"), "set --encoding big5"),
        ("wide.csv", "body,team\nrain,a\n".encode("utf-16"), "Declare it with --encoding utf-16"),
        ("semicolons.csv", b"body;team\nrain;a\n", 'set --delimiter ";"'),
        ("tabs.csv", b"body\tteam\nrain\ta\n", 'set --delimiter "\\t"'),
    ],
)
def test_what_readers_say_names_options(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str
) -> None:
    (folder / name).write_bytes(content)
    assert check(name) == ExitStatus.MISTAKE
    told = capsys.readouterr().err
    assert said in told and "ingest." not in told and "params.yaml" not in told


def test_a_tab_can_be_typed_as_sentences_write_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tabs.csv").write_text("\n".join(["body\tteam", *(f"number {n}\t{'ab'[n % 2]}" for n in range(30))]))
    assert check("tabs.csv", "--delimiter", r"\t") == ExitStatus.PASSED
    assert "30 rows from 1 file" in capsys.readouterr().out


def test_a_second_file_without_the_column_says_it_in_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "other.csv", ["rain,a"], header="body,group_name")
    assert check("good.csv", "other.csv") == ExitStatus.MISTAKE
    told = capsys.readouterr().err
    assert 'no column "team" (for label)' in told and "for example --column label=group_name, or rename" in told
