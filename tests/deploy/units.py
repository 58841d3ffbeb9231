"""systemd's units of deploy/, read as systemd does: drop-ins first found by prefix, lists that add up."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"


@dataclass(frozen=True)
class Unit:
    """Every value of every key, in order, the drop-ins' before the unit's own."""

    name: str
    values: Mapping[str, list[str]]

    def last(self, key: str) -> str | None:
        found = self.values.get(key)
        return found[-1] if found else None

    @property
    def command(self) -> list[str]:
        return shlex.split(self.last("ExecStart") or "")

    @property
    def environment_files(self) -> list[str]:
        return [value.removeprefix("-") for value in self.values.get("EnvironmentFile", [])]

    @property
    def credentials(self) -> dict[str, str]:
        return dict(value.split(":", 1) for value in self.values.get("LoadCredential", []))

    @property
    def needs(self) -> list[str]:
        """Units that have to have started (or ended well) before this one."""
        return [name for value in self.values.get("Requires", []) for name in value.split()]

    @property
    def after(self) -> list[str]:
        return [name for value in self.values.get("After", []) for name in value.split()]


def unit_files() -> list[Path]:
    return sorted([*UNITS.glob("*.service"), *UNITS.glob("*.timer"), *UNITS.glob("*.target")])


def services() -> list[Unit]:
    return [read_unit(path) for path in sorted(UNITS.glob("*.service"))]


def read_unit(path: Path) -> Unit:
    values: dict[str, list[str]] = {}
    drop_ins = sorted(UNITS.glob("tunegate-.service.d/*.conf")) if path.name.startswith("tunegate-") else []
    for file in [*(drop_ins if path.suffix == ".service" else []), path]:
        for key, value in _pairs(file.read_text(encoding="utf-8")):
            values.setdefault(key, []).append(value)
    return Unit(path.name, values)


def _pairs(text: str) -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n", " ", text).splitlines()
    kept = (line.strip() for line in lines if line.strip() and line.strip()[0] not in "#;[")
    return [(key.strip(), value.strip()) for key, _, value in (line.partition("=") for line in kept)]


def read_environment(path: Path) -> dict[str, str]:
    """An EnvironmentFile, which is also a compose `env_file`."""
    return dict(_pairs(path.read_text(encoding="utf-8")))
