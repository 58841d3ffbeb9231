"""Putting a file or folder under DVC: hashed into its cache, named by a `.dvc` file beside it."""

import logging
from pathlib import Path

from tunegate.dvc.settings import open_repository
from tunegate.errors import UserError
from tunegate.workspace import Workspace


def track(workspace: Workspace, path: Path) -> Path:
    """The `.dvc` file, made anew where the content changed. Raises UserError where DVC cannot take the path."""
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
    return path.with_name(f"{path.name}.dvc")
