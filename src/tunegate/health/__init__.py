"""What `tunegate doctor` looks at: the machine, the environment and the project, one finding each.

Reads only (write access is tried with a file that is deleted at once). Nothing heavy is imported: what torch and the
GPU can do is read from files.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tunegate.errors import TunegateError
from tunegate.health import machine, project
from tunegate.health.finding import Finding
from tunegate.workspace import Workspace

__all__ = ["Finding", "examine"]


def examine(folder: Path) -> Iterator[Finding]:
    """All findings, in the order in which one would mend them."""
    yield machine.python_version(sys.version_info[:2])
    own = None
    try:
        workspace = Workspace.find(folder)
    except TunegateError as error:
        yield Finding("project", "broken", error.problem, error.remedy)
    else:
        yield Finding("project", "ok", str(workspace.root))
        yield from _examine_project(workspace)
        own = project.own_port(workspace)
    yield machine.ports(own)
    yield machine.prefect_server()
    yield machine.processor(machine.cpu_flags())
    yield machine.graphics_card()


def _examine_project(workspace: Workspace) -> Iterator[Finding]:
    yield project.packages(workspace)
    yield project.git(workspace)
    yield project.settings(workspace)
    yield project.dvc_repository(workspace)
    yield project.lock_file(workspace)
    yield project.tracked_data(workspace)
    yield project.write_access(workspace)
    yield project.disk(workspace)
