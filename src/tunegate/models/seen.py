"""What was downloaded when a source was first used: `data/models/sources.lock`, which git keeps.

Nobody publishes hashes of most base models. The first download's are written down, and every later one, by whomever,
is compared with them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunegate.errors import UserError
from tunegate.workspace import write_atomically

LOCK = "sources.lock"


class Seen(BaseModel):
    """`files`: name to SHA-256 of all that was taken; `commit` where the source has such a thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str | None = None
    files: dict[str, str] = Field(default={})


class _Lock(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    sources: dict[str, Seen] = Field(default={})


@dataclass(frozen=True)
class Brought:
    """What was brought, under which name it is recorded in the lock, and whether its hashes were known before."""

    source: str
    seen: Seen
    known: bool
    lock: Path

    def record(self) -> None:
        record(self.lock, self.source, self.seen)

    def line(self) -> str:
        if self.known:
            return f"{self.source}: the files have the hashes that are known of them."
        hashes = ", ".join(f"{name} {digest[:12]}" for name, digest in self.seen.files.items())
        return (
            f"{self.source} is not pinned: no hash of its files was known. This download's count from now on "
            f"({hashes}): commit data/models/{self.lock.name}."
        )


def seen_of(lock: Path, source: str) -> Seen | None:
    """None where nobody has recorded it. Raises UserError for a damaged file."""
    return _read(lock).get(source)


def record(lock: Path, source: str, seen: Seen) -> None:
    """Only when it differs. Sources stand in the order of their names, so that two people's lines seldom meet."""
    known = _read(lock)
    if known.get(source) != seen:
        content = _Lock(sources=dict(sorted({**known, source: seen}.items())))
        write_atomically(lock, json.dumps(content.model_dump(mode="json", exclude_none=True), indent=2) + "\n")


def check_names(source: str, seen: Seen, found: Mapping[str, object], lock_name: str) -> None:
    """Raises UserError where a source has other files than were recorded."""
    other = sorted(seen.files.keys() ^ found.keys())
    if other:
        raise UserError(
            f"{source} has other files than {lock_name} records: {', '.join(other[:5])}.",
            "Look at what was published there; to take what is there now, give --renew.",
        )


def _read(lock: Path) -> dict[str, Seen]:
    try:
        return _Lock.model_validate_json(lock.read_text(encoding="utf-8")).sources
    except FileNotFoundError:
        return {}
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{lock} is damaged.", f"Restore it: git checkout -- {lock}.") from error
