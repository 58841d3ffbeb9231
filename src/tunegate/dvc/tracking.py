"""Putting a file or folder under DVC: hashed into its cache, named by a `.dvc` file beside it."""

import logging
import re
from pathlib import Path

from ruamel.yaml import YAML

from tunegate.dvc.settings import open_repository
from tunegate.errors import UserError
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
