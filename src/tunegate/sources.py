"""Which of our own modules a module needs: the closure of its imports, read from the source without running it."""

import ast
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "tunegate"


def closure(package: Path, roots: Iterable[str], left_out: frozenset[str] = frozenset()) -> list[Path]:
    """Files relative to the folder `package` that the dotted modules `roots` import, also inside functions.

    `left_out` names modules that are not followed. Packages on the way bring their `__init__`.
    """
    found: set[Path] = set()
    waiting = [*roots]
    while waiting:
        module = waiting.pop()
        path = _file(package, module)
        if module in left_out or path is None or path in found:
            continue
        found.add(path)
        waiting += [parent for parent in (module.rpartition(".")[0],) if parent]
        waiting += _imports(package / path)
    return sorted(found)


def _file(package: Path, module: str) -> Path | None:
    """The module's file, or None for what is no module (`from tunegate.errors import UserError`)."""
    first, *rest = module.split(".")
    candidates = [Path(*rest[:-1], f"{rest[-1]}.py")] if rest else []
    candidates.append(Path(*rest, "__init__.py"))
    return next((path for path in candidates if first == PACKAGE and (package / path).is_file()), None)


def _imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == PACKAGE]
