"""Whether a version is still what was registered: from its tags over every stored file, raw data to Bento.

    history   the tags against the commit that they stand on, and against the shared git remote
    stored    what dvc.lock says of each stage against the files that DVC keeps, each hashed again
    here      the working tree's copies, as far as the tree claims to hold this version

Nothing is believed for lying under the right name. The first difference is told; nothing is mended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tunegate.dvc.objects import Objects
from tunegate.releases.differences import Difference
from tunegate.releases.here import differences_here
from tunegate.releases.history import differences_of_history, notes_on_history
from tunegate.releases.stored import Stored
from tunegate.versions.lineage import lineage_at
from tunegate.versions.registry import Version, read_registry
from tunegate.workspace import Workspace


@dataclass(frozen=True)
class Verified:
    """`difference` is the first one; None: everything is as it was registered. `notes` are no differences."""

    version: str
    commit: str
    stages: int
    files: int  # whose content was hashed, each object once
    megabytes: float
    difference: Difference | None = None
    rebuilt: int = 0  # stages that were run again
    notes: tuple[str, ...] = field(default=())

    def as_object(self) -> dict[str, object]:
        """What `--json` prints."""
        found = self.difference
        return {
            "version": self.version,
            "commit": self.commit,
            "stages": self.stages,
            "files": self.files,
            "megabytes": self.megabytes,
            "same": found is None,
            "difference": found.as_object() if found else None,
            "rebuilt": self.rebuilt,
            "notes": list(self.notes),
        }


def verify(workspace: Workspace, name: str) -> Verified:
    """Check a registered version (`support@v1.2.0`) until the first difference.

    Raises UserError where there is no such version, OutsideError where DVC's remote cannot be had.
    """
    version = read_registry(workspace).find(name)
    with Objects(workspace) as objects:
        stored = Stored(workspace, objects, version)
        difference = next(_differences(workspace, version, stored), None)
        return Verified(
            version=version.name,
            commit=version.tag.commit,
            stages=len(stored.lineage),
            files=objects.hashed_files,
            megabytes=round(objects.hashed_bytes / 1e6, 1),
            difference=difference,
            notes=tuple(notes_on_history(workspace, version.pipeline)),
        )


def _differences(workspace: Workspace, version: Version, stored: Stored) -> Iterator[Difference]:
    lineage = lineage_at(workspace, version.tag.commit, version.pipeline)
    yield from differences_of_history(workspace, version, lineage)
    yield from stored.differences()
    yield from differences_here(workspace, stored)
