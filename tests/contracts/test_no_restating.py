"""One name per thing: tasks are named in `tasks/` only, and a stage has one name everywhere."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tunegate import params
from tunegate.stages import STAGES
from tunegate.tasks import TASKS

ROOT = Path(__file__).parents[2]
SOURCES = [path for room in ("src", "flows") for path in sorted((ROOT / room).rglob("*.py"))]
OUTSIDE_TASKS = [path for path in SOURCES if "tasks" not in path.relative_to(ROOT).parts]


def strings_in_code(path: Path) -> Iterator[tuple[int, str]]:
    """Line and value of every string that the program uses; docstrings and comments may name tasks as examples."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", OUTSIDE_TASKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_outside_tasks_names_a_task(path: Path) -> None:
    assert [line for line, text in strings_in_code(path) if text in TASKS] == []


@pytest.mark.parametrize("path", OUTSIDE_TASKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_outside_tasks_decides_by_a_tasks_name(path: Path) -> None:
    compared = re.compile(r"""\btask(_name)?\s*((==|!=)\s*["'A-Z]|in\s*[({\[])|match\s+task\b""")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if compared.search(line)] == []


def test_no_module_outside_tasks_imports_a_task() -> None:
    imported = re.compile(rf"tunegate\.tasks(\.| import .*\b)({'|'.join(TASKS)})\b")
    assert imported.search(f"from tunegate.tasks import examples_of, {next(iter(TASKS))}")
    assert [path.name for path in OUTSIDE_TASKS if imported.search(path.read_text(encoding="utf-8"))] == []


def test_no_page_sentence_or_definition_outside_tasks_names_a_task() -> None:
    """Templates, sentences, the pipeline's stages, the service package: a word of the table stands in none."""
    named = re.compile(rf"\b({'|'.join(TASKS)})\b")
    kept = [path for path in (ROOT / "src").rglob("*") if path.suffix in (".html", ".json", ".yaml", ".css", ".js")]
    found = [
        path for path in (*kept, ROOT / "dvc.yaml", ROOT / "bentofile.yaml", ROOT / "prefect.yaml") if path.is_file()
    ]
    assert len(found) > 20
    assert [path.name for path in found if named.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_module_of_its_name(stage: str) -> None:
    assert find_spec(f"tunegate.stages.{stage}") is not None


def test_every_module_beside_the_table_is_a_stage() -> None:
    modules = {path.stem for path in (ROOT / "src/tunegate/stages").glob("*.py")} - {"__init__"}
    assert modules == set(STAGES)


def test_dvc_knows_the_stages_in_the_tables_order() -> None:
    from ruamel.yaml import YAML

    entries = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert list(entries) == list(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_line_in_the_explanation(stage: str) -> None:
    page = (ROOT / "docs/explanation/stages.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {stage}$", page, re.MULTILINE)


def test_the_explanation_names_no_stage_that_is_none() -> None:
    page = (ROOT / "docs/explanation/stages.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(STAGES)


def test_settings_know_the_stages_of_the_table() -> None:
    assert tuple(STAGES) == params.STAGES
