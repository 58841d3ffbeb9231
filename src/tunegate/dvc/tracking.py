"""Putting a file or folder under DVC: hashed into its cache, named by a `.dvc` file beside it."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from tunegate.dvc.failures import remote_failures
from tunegate.dvc.settings import open_repository
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace, write_atomically


def track_edit(workspace: Workspace, path: Path) -> Path:
    """The `.dvc` file, made anew for an edited file or folder.

    A remote that it named for itself alone (the example's is read-only) keeps the old version; the new one goes to
    the default remote.
    """
    from ruamel.yaml import YAML

    tracked = track(workspace, path)
    yaml = YAML()
    document = yaml.load(tracked.read_text(encoding="utf-8"))
    if document["outs"][0].pop("remote", None) is not None:
        with tracked.open("w", encoding="utf-8") as file:
            yaml.dump(document, file)
    return tracked


def track(workspace: Workspace, path: Path) -> Path:
    """The `.dvc` file, made anew where the content changed. Raises UserError where DVC cannot take the path.

    Changed content no longer names the remote that the old one came from (the example's is read-only): it goes to
    the default one.
    """
    tracked = path.with_name(f"{path.name}.dvc")
    before = _entry(tracked)
    repository = open_repository(workspace)
    from dvc.exceptions import DvcException

    logging.getLogger("dvc").setLevel(logging.WARNING)  # what to add to git, the caller says
    try:
        repository.scm_context.quiet = True  # its hints would stand between our own lines
        repository.add([str(path)])
    except DvcException as error:
        name = workspace.relative(path)
        raise UserError(f"DVC cannot track {name}: {error}.", f"Mend that, then run `dvc add {name}`.") from error
    finally:
        repository.close()
    after = _entry(tracked)
    if "remote" in after and after["md5"] != before.get("md5"):
        text = tracked.read_text(encoding="utf-8")
        write_atomically(tracked, re.sub(r"^ +remote: .*\n", "", text, count=1, flags=re.MULTILINE))
    return tracked


def _entry(tracked: Path) -> dict[str, object]:
    """The single output that a `.dvc` file names; empty where there is no file yet."""
    if not tracked.is_file():
        return {}
    return dict(YAML(typ="safe").load(tracked.read_text(encoding="utf-8"))["outs"][0])


@dataclass(frozen=True)
class CachedFolder:
    """A folder as DVC's cache holds it."""

    md5: str  # ends in `.dir`
    size: int
    files: int

    def text(self, name: str) -> str:
        """The `.dvc` file that names it as `name`, without a remote of its own."""
        return f"outs:\n- md5: {self.md5}\n  size: {self.size}\n  nfiles: {self.files}\n  hash: md5\n  path: {name}\n"


def cache_folder(workspace: Workspace, folder: Path) -> CachedFolder:
    """Put a folder's files into DVC's cache, wherever it stands; nothing is tracked yet. Raises UserError."""
    repository = open_repository(workspace)
    from dvc.exceptions import DvcException
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.transfer import transfer
    from dvc_objects.fs.local import LocalFileSystem

    try:
        cache = repository.cache.local
        staged, meta, built = build(cache, str(folder), LocalFileSystem(), "md5")
        transfer(staged, cache, {built.hash_info}, shallow=False)
        return CachedFolder(str(built.hash_info.value), int(meta.size), int(meta.nfiles))
    except (DvcException, OSError) as error:
        raise UserError(
            f"DVC cannot keep {workspace.relative(folder)}: {error}.", "Look at the disk that holds its cache."
        ) from error
    finally:
        repository.close()


def push_folder(workspace: Workspace, tracked: Path) -> int:
    """Send what a `.dvc` file names to DVC's remote; the number of files sent. Raises OutsideError."""
    repository = open_repository(workspace)
    try:
        return int(repository.push([str(tracked)]))
    except remote_failures() as error:
        raise OutsideError(
            f"DVC could not push {workspace.relative(tracked)}: {error}.", "Look at `dvc remote list`, then `dvc push`."
        ) from error
    finally:
        repository.close()
