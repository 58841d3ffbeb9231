"""What a backfill found, a row per version of the data: made from reports, kept from one backfill to the next."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tunegate.data_versions.log import Tracked
from tunegate.errors import ExitStatus
from tunegate.versions.git import git
from tunegate.versions.inputs import library_versions
from tunegate.versions.references import current_references
from tunegate.versions.runs import Snapshot, run_of_verdict
from tunegate.workspace import Workspace, write_atomically

FINISHED = (ExitStatus.PASSED, ExitStatus.REFUSED, ExitStatus.UNDECIDED)


class Row(BaseModel):
    """One version. Scores are those of the model that would be served, on that version's own test rows."""

    model_config = ConfigDict(frozen=True)

    data: str  # `support@1a2b3c4d5e`, as `tunegate data diff` takes it
    hash: str
    date: str
    subject: str
    rows: int | None = None
    metric: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str | None = None
    status: int = int(ExitStatus.INTERRUPTED)
    run: str | None = None  # the commit of its record
    reused: tuple[str, ...] = ()  # stages
    redone: tuple[str, ...] = ()
    problem: str = ""
    seconds: float = 0.0
    before: bool = False  # an earlier backfill did it

    @property
    def finished(self) -> bool:
        return self.status in [int(each) for each in FINISHED]

    @property
    def score(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.metric} {self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def outcome(self) -> str:
        """For one line."""
        first = self.problem.partition("\n")[0]
        return self.verdict or first or "interrupted"


def row_of(tree: Workspace, pipeline: str, version: Tracked, answer: Path) -> Row:
    """Of the run in a worktree, before that goes."""
    told = _json(answer)
    stages = told.get("stages", [])
    failure = told.get("failure") or {}
    scored = {} if failure else _json(tree.report(pipeline, "evaluate")).get("primary", {})
    verdict_hash = None if failure else _json(tree.report(pipeline, "gate")).get("hash")
    known = run_of_verdict(tree, pipeline, verdict_hash) if verdict_hash and not told.get("commit") else None
    return Row(
        data=version.name,
        hash=version.hash,
        date=version.date,
        subject=version.subject,
        rows=_json(tree.report(pipeline, "ingest")).get("rows"),
        metric=scored.get("name"),
        value=scored.get("value"),
        low=scored.get("low"),
        high=scored.get("high"),
        verdict=told.get("verdict"),
        status=told.get("status", int(ExitStatus.BUG)),
        run=told.get("commit") or (known.commit if known else None),
        reused=tuple(each["name"] for each in stages if each["state"] in ("unchanged", "restored")),
        redone=tuple(each["name"] for each in stages if each["state"] == "ran"),
        problem=str(failure.get("problem", "" if told else "The run ended without a word; its log says more.")),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def key_of(workspace: Workspace, pipeline: str, data: str, before: Snapshot) -> str:
    """A hash of all that decides a version's result beside its data: code, settings, libraries, models compared with.

    Rows of another key are looked at again, which is quick where nothing of it matters.
    """
    made = ("dvc.lock", f"data/{pipeline}/", f"data/raw/{data}.dvc", "reports/")
    listed = git(workspace.root, "ls-tree", "-r", "-z", before.tree).split("\0")
    files = [line for line in listed if line and not line.partition("\t")[2].startswith(made)]
    references = {name: each and each.hash for name, each in current_references(workspace, pipeline).items()}
    return hashlib.sha256(json.dumps([files, library_versions(), references]).encode()).hexdigest()


def read_rows(workspace: Workspace, pipeline: str, key: str) -> dict[str, Row]:
    """What earlier backfills with this key finished, by the data's hash."""
    kept = _json(_kept(workspace, pipeline))
    try:
        return {hash_: Row.model_validate(row) for hash_, row in kept.get("rows", {}).items() if kept["key"] == key}
    except (ValidationError, AttributeError):
        return {}


def write_rows(workspace: Workspace, pipeline: str, key: str, row: Row) -> None:
    rows = {**read_rows(workspace, pipeline, key), row.hash: row}
    listed = {hash_: each.model_dump(mode="json") for hash_, each in rows.items()}
    write_atomically(_kept(workspace, pipeline), json.dumps({"key": key, "rows": listed}, indent=2, ensure_ascii=False))


def _kept(workspace: Workspace, pipeline: str) -> Path:
    return workspace.state / "backfill" / f"{pipeline}.json"


def report(workspace: Workspace, pipeline: str, rows: Sequence[Row]) -> Path:
    """The table as Markdown under the state folder: the working tree stays as it is."""
    head = ("data version", "date", "rows", "score", "verdict", "run", "reused", "seconds")
    lines = [f"# {pipeline} over past versions of its data\n", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', ' ') for cell in cells(row))} |" for row in rows]
    lines += ["", "Each row is scored on its own test rows: scores of different rows are not to be compared."]
    path = workspace.state / "backfill" / f"{pipeline}.md"
    write_atomically(path, "\n".join(lines) + "\n")
    return path


def cells(row: Row) -> tuple[str, ...]:
    """For a table."""
    stages = len(row.reused) + len(row.redone)
    reused = "all, done before" if row.before else f"{len(row.reused)} of {stages} stages"
    return (
        row.data, row.date[:10], "-" if row.rows is None else f"{row.rows:,}", row.score, row.outcome,
        (row.run or "-")[:10], reused, f"{row.seconds:.0f}",
    )  # fmt: skip
