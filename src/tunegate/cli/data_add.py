"""`tunegate data add PIPELINE FILE` and what else makes a new data version: shown first, then written."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tunegate.errors import RefusedError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.data_versions.adding import Proposal
    from tunegate.progress import Progress
    from tunegate.validation.summary import Summary

FINDINGS_SHOWN = 12


def write_after_a_look(
    workspace: Workspace,
    propose: "Callable[[Progress], Proposal]",
    what: str,
    *,
    yes: bool,
    anyway: bool,
    push: bool,
    as_json: bool,
) -> None:
    """Show what would change and what validation would say, ask, write. `what` heads the commit's message.

    Raises RefusedError for data that validation would refuse, unless `anyway`.
    """
    from tunegate.data_versions.adding import discard, message_of, write
    from tunegate.progress import Progress

    proposal = propose(Progress("data", sys.stderr))
    commit = None
    try:
        if not as_json:
            _show(proposal)
        if not proposal.is_empty and (yes or not as_json):
            _stop_if_refused(proposal.validation, anyway)
            if not yes:
                typer.confirm(f"Write this as the next version of data/raw/{proposal.data}?", abort=True)
            commit = write(workspace, proposal, message_of(proposal, what))
    finally:
        discard(proposal)
    pushed = _pushed(workspace, proposal.data) if push and commit else None
    if as_json:
        print(json.dumps(_object(proposal, commit, pushed), ensure_ascii=False))
    elif commit:
        print(f"\nWritten and committed as {commit[:10]} (data/raw/{proposal.data}.dvc, nothing else).")
        print(pushed or f"Next: tunegate run {proposal.pipeline}")


def _show(proposal: "Proposal") -> None:
    from tunegate.data_versions.told import terminal

    print(terminal(proposal.diff))
    if proposal.known:
        print(f"\nLeft out, because they are in the data already, word for word: {proposal.known:,}.")
    if proposal.is_empty:
        print("\nNothing is new: no version is written.")
        return
    summary = proposal.validation
    verdict = "accept" if summary.accepted else "REFUSE"
    print(f"\nValidation would {verdict} this data and take {summary.quarantined:,} rows out.")
    for finding in summary.findings[:FINDINGS_SHOWN]:
        print(f"  {finding.message}")
    if len(summary.findings) > FINDINGS_SHOWN:
        print(f"  and {len(summary.findings) - FINDINGS_SHOWN} more findings")
    print("\nNothing has been written yet.")


def _stop_if_refused(summary: "Summary", anyway: bool) -> None:
    if not summary.accepted and not anyway:
        raise RefusedError(
            "Validation would refuse this data, so it is not written:\n  " + "\n  ".join(summary.reasons),
            "\nCorrect the rows, raise the limit in params.yaml, or write it all the same with --anyway.",
        )


def _pushed(workspace: Workspace, data: str) -> str:
    from tunegate.dvc.tracking import push_folder
    from tunegate.versions.git import git, remote

    sent = push_folder(workspace, workspace.raw(f"{data}.dvc"))
    told = f"Pushed {sent:,} {'file' if sent == 1 else 'files'} to DVC's remote"
    if not git(workspace.root, "remote").strip():
        return f"{told}; git has no remote, so the commit stays here."
    remote(workspace.root, "push", "--quiet")
    return f"{told}, and the commit to git's."


def _object(proposal: "Proposal", commit: str | None, pushed: str | None) -> dict[str, object]:
    return {
        "pipeline": proposal.pipeline,
        "data": proposal.data,
        "diff": proposal.diff.model_dump(mode="json"),
        "updated": proposal.updated,
        "known": proposal.known,
        "validation": proposal.validation.model_dump(mode="json"),
        "written": commit is not None,
        "commit": commit,
        "pushed": pushed is not None,
    }


def add_batch(
    workspace: Workspace,
    pipeline: str,
    files: list[Path],
    *,
    replace: bool,
    yes: bool,
    anyway: bool,
    push: bool,
    as_json: bool,
) -> None:
    """The next batch of a pipeline's data."""
    from tunegate.data_versions.adding import propose

    names = ", ".join(path.name for path in files)
    write_after_a_look(
        workspace,
        lambda progress: propose(workspace, pipeline, files, replace=replace, progress=progress),
        f"{'Replace' if replace else 'Add'} data of {pipeline}: {names}",
        yes=yes,
        anyway=anyway,
        push=push,
        as_json=as_json,
    )
