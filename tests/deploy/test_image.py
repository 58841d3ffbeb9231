"""The Dockerfile's steps, replayed without Docker: its first stage in a clean folder and a clean environment."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.units import DEPLOY, ROOT
from tunegate.health.project import read_constraints

pytestmark = pytest.mark.slow
DOCKERFILE = DEPLOY / "image" / "Dockerfile"
PYTHON = re.search(r"^FROM python:(\d+)\.(\d+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the image would have. Needs a package index."""
    assert PYTHON is not None
    if sys.version_info[:2] != (int(PYTHON[1]), int(PYTHON[2])):
        pytest.skip(f"the image's Python is {PYTHON[1]}.{PYTHON[2]}")
    root = tmp_path_factory.mktemp("image")
    (root / "build").mkdir()
    first = DOCKERFILE.read_text(encoding="utf-8").split("\nFROM ")[1]
    environment = dict(os.environ)
    for instruction, words in re.findall(r"^(RUN|COPY|ENV) (.+)$", first.replace("\\\n", " "), re.MULTILINE):
        if instruction == "ENV":
            environment.update(part.split("=", 1) for part in words.split())
        elif instruction == "COPY":
            *sources, target = words.split()
            for source in sources:
                copy(ROOT / source, root / "build" / target)
        else:
            run(words, root, environment)
    return root / "environment"


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def run(words: str, root: Path, environment: dict[str, str]) -> None:
    """With an index of this machine's for torch: which build comes of it is the index' affair."""
    words = words.replace("/opt/tunegate", str(root / "environment")).replace('--index-url "$TORCH_INDEX" ', "")
    words = re.sub(r"^python ", f"{sys.executable} ", words)
    done = subprocess.run(
        words, shell=True, cwd=root / "build", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"RUN {words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def test_the_image_holds_what_is_pinned_and_it_starts(made: Path) -> None:
    said = subprocess.run([made / "bin/pip", "freeze"], check=True, capture_output=True, text=True).stdout
    found = read_constraints_of(said)
    pinned = read_constraints(ROOT / "constraints.txt")
    assert {name: version for name, version in found.items() if pinned.get(name, version) != version} == {}
    assert {"torch", "prefect-redis", "asyncpg", "prefect-kubernetes", "prefect-docker"} <= set(found)
    for command in (["tunegate", "--version"], ["prefect", "--version"], ["dvc", "--version"]):
        subprocess.run([made / "bin" / command[0], *command[1:]], check=True, capture_output=True, cwd=made)


def read_constraints_of(text: str) -> dict[str, str]:
    pins = (line.split("==") for line in text.splitlines() if "==" in line)
    return {re.sub(r"[_.]", "-", name.lower()): version.split("+")[0] for name, version in pins}


def test_a_changed_package_is_not_installed(made: Path, tmp_path: Path) -> None:
    line = next(
        line for line in (DEPLOY / "image/requirements.txt").read_text().splitlines() if line.startswith("six==")
    )
    wrong = tmp_path / "requirements.txt"
    wrong.write_text(re.sub(r"sha256:.", lambda match: "sha256:" + ("0" if match[0][-1] != "0" else "1"), line))
    command = [made / "bin/pip", "install", "--force-reinstall", "--require-hashes", "--no-deps", "-r", wrong]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "HASHES" in done.stderr
