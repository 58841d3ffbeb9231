"""What differs between two makings of one stage: command, code, settings, libraries and files, each by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tunegate.versions.lineage import CODE, Hashes, Made

Kind = Literal["command", "module", "setting", "library", "file", "made"]
"""`made`: a file that another stage of the pipeline made."""

LONGEST_VALUE = 60  # characters of a value that still read as part of a sentence


@dataclass(frozen=True)
class Change:
    """`name` is a path, a module's path, or a dotted setting; `before` and `after` are None where there was nothing.

    `maker` is the stage that made the file, of kind `made`.
    """

    kind: Kind
    name: str
    before: Any = None
    after: Any = None
    maker: str = ""

    @property
    def sentence(self) -> str:
        """`train.epochs was 3, is 6`."""
        if self.kind in ("setting", "library"):
            what = "the library " if self.kind == "library" else ""
            return f"{what}{self.name} was {_shown(self.before)}, is {_shown(self.after)}"
        what = {"module": "the module ", "command": "the command of "}.get(self.kind, "")
        did = "is new" if self.before is None else "is gone" if self.after is None else "changed"
        return f"{what}{self.name} {did}{f', which {self.maker} made' if self.maker else ''}"


def changes(stage: str, before: Made, after: Made, makers: dict[str, str]) -> list[Change]:
    """`makers`: of every output of the pipeline, the stage that makes it."""
    found = [Change("command", stage, before.command, after.command)] if before.command != after.command else []
    found += _files(before.read, after.read, makers)
    for name in {**before.settings, **after.settings}:
        found += setting_changes(name.removeprefix("params."), before.settings.get(name), after.settings.get(name))
    return found


def _files(before: Hashes, after: Hashes, makers: dict[str, str]) -> Iterator[Change]:
    for path in {**before, **after}:
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        if path.startswith(CODE):
            yield Change("module", path.removeprefix("src/tunegate/"), old, new)
            continue
        maker = next((stage for out, stage in makers.items() if path == out or path.startswith(f"{out}/")), "")
        yield Change("made" if maker else "file", path, old, new, maker)


def setting_changes(name: str, before: Any, after: Any) -> list[Change]:
    """Down to the single setting."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for key in {**before, **after}
            for change in setting_changes(f"{name}.{key}", before.get(key), after.get(key))
        ]
    section, _, library = name.partition(".")
    if section == "environment":
        return [Change("library", library, before, after)]
    return [Change("setting", name, before, after)]


def _shown(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
