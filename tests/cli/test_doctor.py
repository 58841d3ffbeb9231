"""`tunegate doctor` prints findings and ends with 2 when something is broken."""

import json
from pathlib import Path

import pytest

from tunegate.cli import run_command


def test_outside_a_project_it_says_so_and_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["doctor"]) == 2
    out = capsys.readouterr().out
    assert "BROKEN  project:" in out
    assert "-> Change into your clone" in out


def test_programs_get_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_command(["doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["fit"] is False
    assert {"name", "state", "what", "remedy"} == set(answer["findings"][0])
