"""Who is who: a token per person in `.tunegate/people.json`, kept as hashes; without any, the git user on loopback.

Tokens are 32 random bytes, so a plain SHA-256 keeps them: there is nothing to guess.
"""

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tunegate.errors import UserError
from tunegate.versions.git import identity
from tunegate.workspace import Workspace, write_atomically

NAME = re.compile(r"[^\x00-\x1f\x7f<>]{1,80}( <[^\x00-\x20\x7f<>]{3,100}>)?")


class Person(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    token_sha256: str
    since: str


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    people: list[Person]


@dataclass(frozen=True)
class People:
    """The file, read anew at every question: a person taken out is out at once."""

    path: Path

    @classmethod
    def of(cls, workspace: Workspace) -> "People":
        return cls(workspace.state / "people.json")

    def all(self) -> list[Person]:
        """Raises UserError for a damaged file: nobody is let in by mistake."""
        try:
            return _File.model_validate_json(self.path.read_text(encoding="utf-8")).people
        except FileNotFoundError:
            return []
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise UserError(
                f"{self.path} cannot be read or is damaged.", "Restore it, or delete it and add everybody again."
            ) from error

    def add(self, name: str) -> str:
        """The new person's token, which stands nowhere else. Raises UserError for a name that is taken or none."""
        name = name.strip()
        if not NAME.fullmatch(name):
            raise UserError(
                f"{name[:90]!r} is no person's name.",
                "Write it like this: Ada Lovelace <ada@example.org> (the address may be left out).",
            )
        known = self.all()
        if any(person.name.casefold() == name.casefold() for person in known):
            raise UserError(
                f"{name} has a token already.", f'Take it back with `tunegate review people remove "{name}"`.'
            )
        token = secrets.token_urlsafe(32)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        self._write([*known, Person(name=name, token_sha256=_hash(token), since=since)])
        return token

    def remove(self, name: str) -> None:
        """Raises UserError for nobody's name."""
        known = self.all()
        kept = [person for person in known if person.name != name]
        if len(kept) == len(known):
            names = ", ".join(person.name for person in known) or "nobody"
            raise UserError(f"Nobody is called {name!r} here.", f"There are: {names}.")
        self._write(kept)

    def named_by(self, token: str) -> str | None:
        """Whose token it is. Everybody's is compared, in constant time, so that time says nothing."""
        given, found = _hash(token), None
        for person in self.all():
            if hmac.compare_digest(person.token_sha256, given):
                found = person.name
        return found

    def _write(self, people: list[Person]) -> None:
        text = json.dumps({"people": [person.model_dump() for person in people]}, indent=1, ensure_ascii=False)
        write_atomically(self.path, text + "\n")
        self.path.chmod(0o600)


def git_user(workspace: Workspace) -> str:
    """Who decides on this machine. Raises UserError where git knows nobody: a decision needs a name."""
    found = identity(workspace.root)
    if found is None:
        raise UserError(
            "Git does not know who you are, and a decision needs a name.",
            'Say it once: git config user.name "Your Name" && git config user.email you@example.org',
        )
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
