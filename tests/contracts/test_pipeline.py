"""dvc.yaml against the table of stages and the import graph: one name per stage, nothing forgotten, nothing extra."""

import ast
import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts.code_deps import EXEMPT, code_deps, import_graph
from tests.projects import git
from tunegate.stages import STAGES

ROOT = Path(__file__).parents[2]
PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def entry(stage):
    assert PIPELINE[stage]["foreach"] == "${pipelines}"
    return PIPELINE[stage]["do"]


def paths(items):
    return [next(iter(item)) if isinstance(item, dict) else item for item in items]


def test_the_table_and_dvc_yaml_name_the_same_stages_in_the_same_order():
    assert list(PIPELINE) == list(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_as_module_command_and_folder(stage):
    assert (ROOT / f"src/tunegate/stages/{stage}.py").is_file()
    assert entry(stage)["cmd"] == f"tunegate stage {stage} ${{key}}"
    assert paths(entry(stage)["outs"])[0] == f"data/${{key}}/{stage}"
    assert paths(entry(stage)["metrics"]) == [f"reports/${{key}}/{stage}.json"]
    assert f"reports/${{key}}/{stage}.md" in paths(entry(stage)["outs"])


@pytest.mark.parametrize("stage", STAGES)
def test_reports_are_kept_by_git_and_everything_else_by_dvc(stage):
    for item in (*entry(stage)["outs"], *entry(stage)["metrics"]):
        path = paths([item])[0]
        assert (isinstance(item, dict) and item[path] == {"cache": False}) == path.startswith("reports/")


def test_the_plots_that_stages_write_are_those_that_dvc_draws():
    """Beside the stages' folders: an output of DVC cannot lie within another."""
    for stage in STAGES:
        source = (ROOT / f"src/tunegate/stages/{stage}.py").read_text(encoding="utf-8")
        named = {f"data/${{key}}/{name}.csv" for name in re.findall(r'context\.plot\("(\w+)"\)', source)}
        assert set(paths(entry(stage).get("plots", []))) == named


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_keys_of_inputs_json_that_the_table_gives_it(stage):
    assert entry(stage)["params"] == [{"data/${key}/inputs.json": list(STAGES[stage].reads)}]


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_deps_of_a_stage_are_its_import_closure(stage):
    written = [path for path in entry(stage)["deps"] if path.startswith("src/")]
    assert written == code_deps(stage), "run `make deps`"


@pytest.mark.parametrize("stage", STAGES)
def test_only_task_data_and_model_are_taken_from_params_yaml(stage):
    names = set(re.findall(r"\$\{([^}]*)\}", str(entry(stage))))
    assert names <= {"key", "item.task", "item.data", "item.model"}


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_of_another_stage_that_a_stage_names_is_among_its_deps(stage):
    deps = entry(stage)["deps"]
    for other, name in _paths_read(ROOT / f"src/tunegate/stages/{stage}.py"):
        wanted = f"data/${{key}}/{other}/{name}".rstrip("/")
        covered = any(wanted == dep or wanted.startswith(f"{dep}/") for dep in deps)
        parts = any(dep.startswith(f"{wanted}/") for dep in deps)  # the folder is named, its files stand in deps
        assert covered or parts, f"{stage} reads {wanted}"


def _paths_read(module):
    """The literal calls `context.path("stage", "name")`."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "path":
            values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if values and values[0] in STAGES and len(values) == len(node.args):
                yield values[0], values[1] if len(values) > 1 else ""


@pytest.mark.parametrize("stage", [name for name in STAGES if "params.model" in STAGES[name].reads])
def test_a_stage_that_knows_the_base_model_depends_on_its_files(stage):
    assert "data/${item.model}" in entry(stage)["deps"]


def test_every_exempt_module_exists_and_has_its_reason():
    assert EXEMPT.keys() <= set(import_graph().modules)
    assert all(EXEMPT.values())


def test_a_new_task_makes_no_pipeline_stale():
    """A pipeline names its own task's modules only, and the table of tasks is exempt."""
    for stage in STAGES:
        deps = [path for path in entry(stage)["deps"] if path.startswith("src/tunegate/tasks/")]
        assert all(path.startswith("src/tunegate/tasks/${item.task}/") for path in deps)


def test_dvc_draws_the_edges_from_files_within_earlier_stages_folders(tmp_path, monkeypatch):
    from tunegate.dvc.project import Project
    from tunegate.workspace import Workspace

    for name in ("dvc.yaml", "params.yaml", ".dvc/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    steps = Project(Workspace(tmp_path)).steps(["support"])
    assert [step.stage for step in steps] == list(STAGES)
    upstream = {step.stage: {name.partition("@")[0] for name in step.upstream} for step in steps}
    assert upstream["ingest"] == set()
    for stage in STAGES:
        earlier = {dep.split("/")[2] for dep in entry(stage)["deps"] if dep.startswith("data/${key}/")}
        assert earlier <= upstream[stage]
