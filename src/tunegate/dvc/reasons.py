"""Why a step is stale, in words for people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_VALUE = 30  # characters of a value that still read as part of a sentence; hashes are longer


@dataclass(frozen=True)
class Staleness:
    """Sentences on inputs and on outputs; `code` are the modules that changed, by their path in `src/tunegate`."""

    inputs: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def reasons(self) -> list[str]:
        """One sentence per cause, empty when the stage is up to date."""
        code = [f"code changed: {', '.join(self.code)}"] if self.code else []
        return [*self.inputs, *code, *self.outputs]


def staleness_of(stage: Any, root: Path) -> Staleness:
    """Why the stage must run. `stage` is DVC's; its files are hashed now."""
    if not any(dependency.hash_info for dependency in stage.deps):
        return Staleness(("it has not run yet",))
    inputs = ["its command changed"] if stage.changed_stage() else []
    code: list[str] = []
    for dependency in stage.deps:
        for name, status in dependency.status().items():
            if isinstance(status, dict):
                inputs += _settings(dependency, status)
            elif _is_code(dependency, root):
                code.append(_relative(dependency, root).removeprefix("src/tunegate/"))
            else:
                inputs.append(_file(_relative(dependency, root) or name, status))
    outputs = [_output(_relative(out, root), status) for out in stage.outs for status in out.status().values()]
    return Staleness(tuple(inputs), tuple(code), tuple(outputs))


def _is_code(dependency: Any, root: Path) -> bool:
    return _relative(dependency, root).startswith("src/")


def _relative(entry: Any, root: Path) -> str:
    path = Path(entry.fs_path)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _file(path: str, status: str) -> str:
    words = {"modified": "changed", "new": "is new", "deleted": "is missing"}
    return f"{path} {words.get(status, status)}"


def _output(path: str, status: str) -> str:
    words = {
        "modified": "was changed after the run that made it",
        "deleted": "is missing",
        "not in cache": "is missing from DVC's cache",
        "new": "has not been made yet",
    }
    return f"{path} {words.get(status, status)}"


def _settings(dependency: Any, status: dict[str, str]) -> list[str]:
    before: dict[str, Any] = dependency.hash_info.value or {}
    after: dict[str, Any] = dependency.read_params()
    return [
        line
        for name in status
        for line in _differences(name.removeprefix("params."), before.get(name), after.get(name))
    ]


def _differences(name: str, before: Any, after: Any) -> list[str]:
    """Down to the single setting: `train.epochs was 3, is 6`."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key in {**before, **after}
            if before.get(key) != after.get(key)
            for line in _differences(f"{name}.{key}", before.get(key), after.get(key))
        ]
    old, new = _shown(before), _shown(after)
    if max(len(old), len(new)) > LONGEST_VALUE:
        return [f"{name} changed"]
    return [f"{name} was {old}, is {new}"]


def _shown(value: Any) -> str:
    return "not set" if value is None else str(value)
