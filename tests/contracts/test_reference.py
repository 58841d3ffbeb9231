"""The reference pages are what the code says, and every setting and command is documented."""

import re
from pathlib import Path

import pytest

from scripts.reference import FOLDER, PAGES, command_paths
from tunegate.cli.params import all_settings
from tunegate.errors import ExitStatus
from tunegate.stages import STAGES

ROOT = Path(__file__).parents[2]
PROSE = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent != FOLDER)
PAGES_FOR_PEOPLE = [ROOT / name for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md")] + PROSE
COMMAND = re.compile(r"(?<![\w/.-])tunegate ([a-z]+)(?: ([a-z]+))?")


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_up_to_date(name: str) -> None:
    """Otherwise: `make docs`."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_setting_is_documented() -> None:
    page = (FOLDER / "params.md").read_text(encoding="utf-8")
    assert [row.key for row in all_settings() if f"| `{row.key}` |" not in page] == []


def test_every_command_is_documented_and_has_help() -> None:
    page = (FOLDER / "cli.md").read_text(encoding="utf-8")
    for path in command_paths():
        section = page.split(f"## tunegate {' '.join(path)}\n")[1].split("\n## ")[0]
        assert "Usage: tunegate" in section
        assert len(section.splitlines()) > 6


def test_every_exit_status_is_documented() -> None:
    page = (FOLDER / "cli.md").read_text(encoding="utf-8")
    assert all(f"| {int(status)} | " in page for status in ExitStatus)


@pytest.mark.parametrize("path", PAGES_FOR_PEOPLE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_commands_that_a_page_names_exist(path: Path) -> None:
    paths = command_paths()
    groups = {parts[0] for parts in paths if len(parts) > 1}
    known = {" ".join(parts[:length]) for parts in paths for length in range(1, len(parts) + 1)}
    code = re.findall(r"```.*?```|`[^`\n]+`", path.read_text(encoding="utf-8"), re.DOTALL)
    named = {match.groups() for snippet in code for match in COMMAND.finditer(snippet)}
    asked = {f"{command} {below}" if below and command in groups else command for command, below in named}
    unknown = asked - known
    assert unknown == set()


@pytest.mark.parametrize("path", PAGES_FOR_PEOPLE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_settings_that_a_page_names_exist(path: Path) -> None:
    """`train.epochs` in backticks: a section's name, a dot, a setting."""
    keys = {row.key for row in all_settings()}
    sections = {key.split(".")[0] for key in keys if "." in key}
    named = re.findall(r"`([a-z_]+\.[a-z_]+)(?:: [^`]*)?`", path.read_text(encoding="utf-8"))
    files = ("json", "md", "py", "yaml", "parquet", "html", "csv", "npy", "txt", "toml", "dvc", "lock")
    meant = [name for name in named if name.split(".")[0] in sections and name.split(".")[1] not in files]
    assert [name for name in meant if name not in keys] == []


@pytest.mark.parametrize("path", PAGES_FOR_PEOPLE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES_FOR_PEOPLE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_stage_commands_name_stages(path: Path) -> None:
    named = re.findall(r"(?:--force|tunegate stage) ([a-z]+)", path.read_text(encoding="utf-8"))
    assert set(named) <= set(STAGES)


def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    listed = re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == records


def test_the_pages_that_the_code_names_exist() -> None:
    sources = [path for room in ("src", "flows", "scripts", "tests") for path in (ROOT / room).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"docs/[a-z0-9/-]+\.md", path.read_text(encoding="utf-8"))}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
