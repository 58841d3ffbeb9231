"""The shell around the commands: sentences and exit statuses."""

import subprocess
import sys

import pytest

from tunegate.cli import run_command


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["parms"], "Did you mean 'params'?"),
        (["stage"], "Missing argument"),
        (["stage", "train", "support", "--sped"], "No such option"),
        (["params", "a", "b"], "unexpected extra argument"),
    ],
)
def test_a_slip_of_typing_is_two_lines_and_status_2(
    line: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(line) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "--help` shows what it takes." in error
    assert len(error.splitlines()) == 2


def test_no_command_shows_the_help_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_a_mistake_has_no_traceback(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tunegate.cli", "stage", "train", "support"],
        cwd=str(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is not inside a tunegate project" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"tunegate {version('tunegate')}\n"
