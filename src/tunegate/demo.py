"""The example's next ten minutes: a refusal, an undecided candidate, an approval, a rollback; in a copy of the project.

The copy is a clone with the project's own results and DVC cache, so that nothing here is touched; every step is a
command that a person could type there.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tunegate.dvc.worktrees import share_cache
from tunegate.errors import UserError
from tunegate.versions.git import git, identity
from tunegate.workspace import Workspace

PIPELINE = "support"
SOMEBODY = ("Demo", "demo@localhost")  # where git knows nobody: decisions have a name
COPIED = (
    "dvc.lock",
    "params.yaml",
    f"data/{PIPELINE}",
    f"data/raw/{PIPELINE}",
    f"data/raw/{PIPELINE}.dvc",
    "data/models",
    f"reports/{PIPELINE}",
)  # what a first run leaves uncommitted


@dataclass(frozen=True)
class Step:
    """One command, why it comes, and the exit status that it should end with."""

    why: str
    command: tuple[str, ...]
    status: int = 0

    @property
    def line(self) -> str:
        return " ".join(f'"{word}"' if " " in word else word for word in self.command)


def story(last_run: Callable[[], str]) -> list[Callable[[], Step]]:
    """The steps in their order. `last_run` names the newest run on record, once it is there."""
    return [
        lambda: Step(
            "The gate judges once more, and the model that passes is registered as a version.",
            ("tunegate", "run", PIPELINE, "--force", "gate"),
        ),
        lambda: Step(
            "It goes into production: from now on every candidate is compared with it.",
            ("tunegate", "versions", "promote", f"{PIPELINE}@v1.0.0", "production", "--why", "the first that passed"),
        ),
        lambda: Step(
            "New data arrives. One of its batches was labelled in a hurry, by the first word that caught the eye.",
            ("dvc", "pull", f"data/raw/{PIPELINE}-v3"),
        ),
        lambda: _data("v3"),
        lambda: Step(
            "The gate finds the batch, and names its lines.",
            ("tunegate", "run", PIPELINE),
            3,
        ),
        lambda: Step(
            "The same data without that batch: later messages, and some labels corrected.",
            ("dvc", "pull", f"data/raw/{PIPELINE}-v2"),
        ),
        lambda: _data("v2"),
        lambda: Step(
            "An honest, small change. Too few test rows from business customers, whom params.yaml calls critical, to "
            "be sure that nothing was lost there: a person decides.",
            ("tunegate", "run", PIPELINE),
            4,
        ),
        lambda: Step(
            "You have looked at the verdict, and let it through. It is packaged from the run's own commit.",
            (
                "tunegate",
                "versions",
                "approve",
                last_run(),
                "--why",
                "read the answers to business customers: none is worse",
            ),
        ),
        lambda: Step(
            "It goes live.",
            ("tunegate", "versions", "promote", f"{PIPELINE}@v1.1.0", "production", "--why", "approved today"),
        ),
        lambda: Step(
            "Somebody complains; the version before is back in a second.",
            ("tunegate", "versions", "rollback", PIPELINE, "--why", "complaints about refunds"),
        ),
        lambda: Step("What is live, since when, by whom and why stays on record.", ("tunegate", "versions", "list")),
    ]


def _data(version: str) -> Step:
    return Step(
        "What would change is shown before it is written, and what validation says of it.",
        ("tunegate", "data", "add", PIPELINE, f"data/raw/{PIPELINE}-{version}/messages.csv", "--replace", "--yes"),
    )


def copy_project(workspace: Workspace) -> Workspace:
    """A fresh copy under the state folder, one commit further. Raises UserError before the example's first PASS."""
    if not (workspace.stage(PIPELINE, "package") / "bento").is_dir():
        raise UserError(
            f"The pipeline {PIPELINE} has no packaged model here yet, and the demo starts from one.",
            "Run `make run` first.",
        )
    where = workspace.state / "demo"
    shutil.rmtree(where, ignore_errors=True)
    where.parent.mkdir(parents=True, exist_ok=True)
    git(workspace.root, "clone", "--quiet", "--no-tags", str(workspace.root), str(where))
    git(where, "remote", "remove", "origin")  # tags of this story are no business of the project's
    copy = Workspace(where)
    if not identity(where):
        git(where, "config", "user.name", SOMEBODY[0])
        git(where, "config", "user.email", SOMEBODY[1])
    for name in COPIED:
        _copy(workspace.root / name, where / name)
    share_cache(workspace, copy)
    git(where, "add", "--all")
    git(where, "commit", "--quiet", "--no-verify", "--allow-empty", "--message", "The example after its first run")
    return copy


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
