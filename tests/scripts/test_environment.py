"""What `make run` checks before it installs anything: a sentence for each thing that is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "cat", "cksum", "tr", "awk", "git", "df", "grep", "rm")


@pytest.fixture
def clone(tmp_path):
    """The files that the script reads, and a folder `bin` with the tools that every machine has, but no Python."""
    for name in ("scripts/environment.sh", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".git").mkdir()
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return tmp_path


def make(clone, *, python=None):
    environment = {**os.environ, "PATH": str(clone / "bin"), "PYTHON": python or ""}
    return subprocess.run(
        ["scripts/environment.sh", "example"], cwd=clone, capture_output=True, text=True, env=environment, check=False
    )


def tool(clone, name, text):
    (clone / "bin" / name).unlink(missing_ok=True)
    (clone / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (clone / "bin" / name).chmod(0o755)


def test_a_folder_that_is_no_clone_is_told_so(clone):
    (clone / ".git").rmdir()
    done = make(clone)
    assert done.returncode == 2 and "not a git repository" in done.stderr


def test_a_machine_without_git_is_told_what_to_install(clone):
    (clone / "bin/git").unlink()
    done = make(clone)
    assert done.returncode == 2 and "git was not found" in done.stderr


def test_without_a_suitable_python_both_ways_out_are_named(clone):
    tool(clone, "python3", "exit 1")  # too old, or without venv
    done = make(clone)
    assert done.returncode == 2
    assert "No Python 3.11, 3.12 or 3.13" in done.stderr and "PYTHON=" in done.stderr


def test_a_full_disk_is_noticed_before_the_download(clone):
    tool(clone, "python3", "exit 0")
    tool(clone, "df", "echo header; echo /dev/x 1 1 1048576 99% /")
    done = make(clone)
    assert done.returncode == 2 and "1 GB are free" in done.stderr


def test_an_environment_that_is_there_costs_nothing_and_a_changed_constraint_is_noticed(clone):
    mark = subprocess.run(
        ["sh", "-c", "cat pyproject.toml constraints.txt | cksum | tr -d ' '"],
        cwd=clone,
        capture_output=True,
        check=True,
    ).stdout
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to("/bin/sh")
    (clone / ".venv/made-for-example").write_bytes(mark)
    done = make(clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with (clone / "constraints.txt").open("a") as file:
        file.write("a-package==1\n")
    assert make(clone).returncode == 2  # it sets out to make it anew, and finds no Python
