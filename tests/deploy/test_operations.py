"""What the pages for the person on call and for a team's server tell people to type, exists."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.commands import mistake_in
from tests.deploy.units import DEPLOY, ROOT, UNITS, read_environment

PAGES = [ROOT / "docs/operations.md", ROOT / "docs/how-to/team.md"]
DISTRIBUTION = {"postgresql", "redis-server", "nginx"}
SYSTEMD_VERBS = {"start", "stop", "restart", "reload", "status", "enable", "list-units", "list-timers", "daemon-reload"}
SEPARATORS = re.compile(r"\s*(?:&&|\|\||;|\|)\s*")
BEFORE_A_COMMAND = re.compile(
    r"^(?:sudo |REPLACE=yes |\S*deploy/as-tunegate |docker compose run --rm \S+ |\S*\.venv/bin/)+"
)


def commands(page: Path) -> Iterator[list[str]]:
    """Every command in a fence or between backticks, in words, without what stands before it and comments after it."""
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for fence in fences for line in fence.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in [*lines, *spans]:
        for part in SEPARATORS.split(re.sub(r"\s+#.*", "", line.strip())):
            if words := shlex.split(BEFORE_A_COMMAND.sub("", part)):
                yield words


def named(page: Path, program: str) -> list[list[str]]:
    return [words[1:] for words in commands(page) if words[0] == program and len(words) > 1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_are_ones_that_tunegate_takes(page: Path) -> None:
    asked = named(page, "tunegate")
    assert len(asked) > 2
    assert [mistake for words in asked if (mistake := mistake_in(words))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_units_of_a_page_are_there(page: Path) -> None:
    ours = {path.name.removesuffix(".service").replace("@", "@support") for path in UNITS.glob("tunegate*")}
    asked = named(page, "systemctl")
    assert len(asked) > 5
    for verb, *units in asked:
        assert verb in SYSTEMD_VERBS
        for unit in units:
            assert unit.startswith(("--", "tunegate*")) or unit in ours | DISTRIBUTION, unit
    for words in named(page, "journalctl"):
        units = [words[at + 1] for at, word in enumerate(words) if word == "-u"]
        assert set(units) <= ours


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_of_a_page_are_there(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"(?<![\w.(/])deploy/[\w./@-]*[\w]", text):
        missing_by_design = name.startswith("deploy/compose/secrets")
        assert missing_by_design or (ROOT / name).exists(), name
    subprocess.run([DEPLOY / "make-secrets", tmp_path / "secrets"], check=True)
    for name in re.findall(r"/etc/tunegate/secrets/(\w+)", text):
        assert (tmp_path / "secrets" / name).is_file(), name
    for name in re.findall(r"/etc/tunegate/([\w-]+\.env)", text):
        assert name == "service-support.env" or (DEPLOY / name).is_file(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.slow
def test_the_commands_of_a_page_are_ones_that_prefect_takes(page: Path) -> None:
    asked = {tuple(word for word in words if not word.isupper()) for words in named(page, "prefect")}
    assert asked
    for words in asked:
        options = [word for word in words if word.startswith("--")]
        path = words[: next((at for at, word in enumerate(words) if word.startswith("--")), len(words))]
        told = prefect(*path[:3] if path[0] == "server" else path[:2], "--help")
        assert all(option in told for option in options), words


@pytest.mark.slow
def test_every_setting_of_prefect_s_is_one_that_it_knows() -> None:
    code = "from prefect.settings.legacy import _get_settings_fields as f, Settings; print(*f(Settings))"
    known = set(
        subprocess.run(
            [ROOT / ".venv/bin/python", "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    )
    for file in [*DEPLOY.glob("*.env"), *DEPLOY.glob("compose/*.env")]:
        asked = {name for name in read_environment(file) if name.startswith("PREFECT_")}
        assert asked <= known, asked - known


def prefect(*words: str) -> str:
    command = [ROOT / ".venv/bin/prefect", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"COLUMNS": "200", "PATH": "/usr/bin"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
