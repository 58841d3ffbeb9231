"""The modules that decide each stage's result, from the import graph; `make deps` writes them to dvc.yaml.

DVC does not see code: a stage runs again after a change of code only when the file is among its `deps`. A test holds
dvc.yaml equal to what is found here.
"""

import ast
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"

EXEMPT = {
    "tunegate.errors": "sentences for people; no result depends on them",
    "tunegate.mistakes": "sentences for people; no result depends on them",
    "tunegate.params": "settings reach a stage through inputs.json, defaults filled in",
    "tunegate.settings": "what settings are, as tunegate.params",
    "tunegate.train_settings": "as tunegate.params",
    "tunegate.augment_settings": "as tunegate.params",
    "tunegate.vocabulary_settings": "as tunegate.params",
    "tunegate.params_file": "read before a run starts; stages only take from it how YAML is read",
    "tunegate.inputs": "the reading of inputs.json, whose keys DVC compares by value",
    "tunegate.progress": "how far a stage is, not what it makes",
    "tunegate.workspace": "where files lie, which dvc.yaml names itself",
    "tunegate.task": "the shape of a task; a new task's needs grow it",
    "tunegate.tasks": "the table of tasks; a new line must make no pipeline stale",
    "tunegate.stages": "the table of stages and the call of one; dvc.yaml holds its keys itself",
}

PARTS = {"record_of": "record", "options_of": "record", "encoding_of": "encode", "answering_of": "answer"}
"""Functions of tunegate.tasks, by which a stage asks for its task, and the part that each of them loads."""

ALSO = {
    "package": ("tunegate.service",),
}
"""What a stage puts into its result without importing it: the service's code goes into the Bento."""


def code_deps(stage: str) -> list[str]:
    """The files, as they stand in dvc.yaml, of the stage's import closure; of the tasks, the pipeline's own parts."""
    graph = import_graph()
    found, waiting = set[str](), [f"tunegate.stages.{stage}", *_also(graph, stage)]
    while waiting:
        module = waiting.pop()
        if module in found or module in EXEMPT or module not in graph.modules:
            continue
        found.add(module)
        waiting += _ancestors_with_code(module)
        waiting += list(graph.find_modules_directly_imported_by(module))
        waiting += [part for name in _parts_asked_for(module) for part in _parts(graph, name)]
    return sorted({path for module in found for path in (_written(module), *_templates(module))})


def _templates(module: str) -> list[str]:
    """Pages beside the module that its text names."""
    path = _file(module)
    text = path.read_text(encoding="utf-8")
    return [page.relative_to(ROOT).as_posix() for page in path.parent.glob("*.html") if page.name in text]


def import_graph() -> Any:
    """grimp's graph of the package, imports for type checkers left out."""
    import grimp

    if str(SOURCE) not in sys.path:
        sys.path.insert(0, str(SOURCE))
    return grimp.build_graph("tunegate", exclude_type_checking_imports=True, cache_dir=None)


def _also(graph: Any, stage: str) -> list[str]:
    return [
        module
        for name in ALSO.get(stage, ())
        for module in sorted(graph.modules)
        if module == name or module.startswith(f"{name}.")
    ]


def _file(module: str) -> Path:
    path = SOURCE / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _written(module: str) -> str:
    """A task's part by the pipeline's own task."""
    path = _file(module).relative_to(ROOT).as_posix()
    parts = path.split("/")
    if parts[2] == "tasks":
        parts[3] = "${item.task}"
    return "/".join(parts)


def _ancestors_with_code(module: str) -> list[str]:
    """Packages whose `__init__` runs when the module is imported, where it holds more than a docstring."""
    names = module.split(".")
    ancestors = [".".join(names[:count]) for count in range(1, len(names))]
    return [name for name in ancestors if len(ast.parse(_file(name).read_text(encoding="utf-8")).body) > 1]


def _parts_asked_for(module: str) -> set[str]:
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {PARTS[name] for name in names & PARTS.keys()}


def _parts(graph: Any, part: str) -> list[str]:
    """That part of every task: what they import in common rooms belongs to every stage that asks for the part."""
    return [f"{task}.{part}" for task in graph.find_children("tunegate.tasks")]


def write() -> bool:
    """Put the lists, and the keys that the table of stages gives, into dvc.yaml. Returns whether anything changed."""
    from ruamel.yaml import YAML

    from tunegate.stages import STAGES

    yaml = YAML(typ="rt")
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    path = ROOT / "dvc.yaml"
    before = path.read_text(encoding="utf-8")
    document = yaml.load(before)
    for name, stage in STAGES.items():
        entry = document["stages"][name]["do"]
        entry["deps"][:] = [dep for dep in entry["deps"] if not dep.startswith("src/")] + code_deps(name)
        entry["params"][0]["data/${key}/inputs.json"][:] = stage.reads
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)
    return path.read_text(encoding="utf-8") != before


if __name__ == "__main__":
    print("dvc.yaml rewritten" if write() else "dvc.yaml is up to date")  # noqa: T201
