"""Records of runs: the tree as it was before the run, with what the run made, as one commit under `refs/exps`.

`dvc exp show` lists them, and no branch ever sees them. Reading and writing; what a run is, `flows` knows.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tunegate.errors import UserError, did_you_mean
from tunegate.versions.git import commit_of, commit_tree, create_ref, git, write_tree
from tunegate.workspace import Workspace

LARGEST_STRAY_BYTES = 10_000_000  # in every record, in every clone, for ever: what is larger belongs to DVC
FIELDS = ("refname", "objectname", "parent", "authorname", "authoremail", "authordate:iso-strict", "contents")
END = "\x1e\x1e"
NEWEST = ("--sort=-refname:lstrip=4", "--sort=-authordate")  # the last one leads; names tell two of one second apart
REF = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/(.+)")


@dataclass(frozen=True)
class Snapshot:
    """The working tree before a run: the tree's hash and the commit it stands on (None before the first one)."""

    tree: str
    head: str | None


@dataclass(frozen=True)
class StageTime:
    """`state` is ran, restored, unchanged, failed or "not reached"; `name` is `train`, or `train@other` upstream."""

    name: str
    state: str
    seconds: float


@dataclass(frozen=True)
class Ended:
    """What a run's record says of it. `status` is passed, refused, undecided, failed or interrupted."""

    name: str
    pipeline: str
    status: str
    verdict: str | None = None
    verdict_hash: str | None = None
    bento: str | None = None
    stages: tuple[StageTime, ...] = ()
    problem: str = ""  # of a run that did not come to its end


@dataclass(frozen=True)
class Run:
    """A record as it is kept. `baseline` is the commit that the person's tree stood on."""

    commit: str
    baseline: str
    parent: str
    who: str  # Name <mail>
    when: str  # ISO 8601
    ended: Ended

    @property
    def name(self) -> str:
        return self.ended.name

    @property
    def pipeline(self) -> str:
        return self.ended.pipeline

    @property
    def started(self) -> datetime:
        return datetime.fromisoformat(self.when)


def snapshot(workspace: Workspace) -> Snapshot:
    """Everything that git does not ignore, as it is now. Raises UserError for a file that is too large to keep."""
    root = workspace.root
    changed = git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    names = [entry[3:] for entry in changed.split("\0") if entry]
    _refuse_large(root, names)
    head = commit_of(root, "HEAD")
    if head is not None and not names:
        return Snapshot(git(root, "rev-parse", "HEAD^{tree}").strip(), head)
    return Snapshot(write_tree(root, None), head)


def _refuse_large(root: Path, names: Iterable[str]) -> None:
    sizes = {name: (root / name).lstat().st_size for name in names if (root / name).is_file()}
    large = {name: size for name, size in sizes.items() if size > LARGEST_STRAY_BYTES}
    if large:
        listed = ", ".join(f"{name} ({size / 1e6:,.0f} MB)" for name, size in sorted(large.items()))
        raise UserError(
            f"git does not ignore {listed}, and every run keeps what git does not ignore.",
            "Put it under DVC (`dvc add <file>`), name it in .gitignore, or move it out of the project.",
        )


def record(workspace: Workspace, before: Snapshot, ended: Ended, made: Iterable[Path]) -> Run:
    """Keep the run: the snapshot with the files that the run made (folders whole), under a name that is free.

    Raises UserError in a repository without a commit: a run is kept beside the commit it started from.
    """
    if before.head is None:
        raise UserError(
            "The run is not on record: the repository has no commit yet.", "Make the first one with `git commit`."
        )
    return _keep(workspace, before.tree, (before.head, before.head), ended, made)


def record_after(workspace: Workspace, earlier: Run, ended: Ended, made: Iterable[Path]) -> Run:
    """Keep what was made on top of an earlier run: its tree, itself as the parent. `workspace` is a worktree of it."""
    return _keep(workspace, earlier.commit, (earlier.baseline, earlier.commit), ended, made)


def _keep(workspace: Workspace, base: str, after: tuple[str, str], ended: Ended, made: Iterable[Path]) -> Run:
    """`after`: the baseline that lists it, and its parent."""
    root, (baseline, parent) = workspace.root, after
    folders = list(made)
    inside = git(root, "ls-tree", "-r", "-z", "--name-only", base, *(workspace.relative(each) for each in folders))
    paths = [*folders, *(root / name for name in inside.split("\0") if name)]  # also those that are gone now
    tree = write_tree(root, base, paths)
    for name in _names(ended.name):
        commit = commit_tree(root, tree, [parent], _message(ended, name))
        if create_ref(root, f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", commit):
            break
    return find_run(workspace, name)


def _names(wanted: str) -> Iterable[str]:
    yield wanted
    yield from (f"{wanted}-{number}" for number in range(2, 1000))


def _message(ended: Ended, name: str) -> str:
    trailers = {
        "Pipeline": ended.pipeline,
        "Run": name,
        "Status": ended.status,
        "Verdict": ended.verdict,
        "Verdict-Hash": ended.verdict_hash,
        "Bento": ended.bento,
        "Problem": " ".join(ended.problem.split()),
    }
    lines = [f"{key}: {value}" for key, value in trailers.items() if value]
    lines += [f"Stage: {stage.name} {stage.state.replace(' ', '-')} {stage.seconds:.2f}" for stage in ended.stages]
    return f"{name}: {ended.verdict or ended.status}\n\n" + "\n".join(lines) + "\n"


def read_runs(workspace: Workspace, pipeline: str | None = None) -> list[Run]:
    """All records, newest first, from one git process. Experiments that DVC made itself are no runs of ours."""
    fields = "%00".join(f"%({name})" for name in FIELDS)
    out = git(workspace.root, "for-each-ref", f"--format={fields}{END}", *NEWEST, "refs/exps")
    found = (_run(block.lstrip("\n").split("\0")) for block in out.split(END) if block.strip())
    return [run for run in found if run is not None and pipeline in (None, run.pipeline)]


def _run(fields: Sequence[str]) -> Run | None:
    place = REF.fullmatch(fields[0])
    ended = _ended(fields[-1])
    if place is None or ended is None:
        return None
    _, commit, parents, name, mail, when, _ = fields
    return Run(commit, place[1] + place[2], parents.partition(" ")[0], f"{name} {mail}", when, ended)


def _ended(message: str) -> Ended | None:
    pairs = [line.partition(": ")[::2] for line in message.partition("\n\n")[2].splitlines()]
    said = dict(pairs)
    if not {"Pipeline", "Run", "Status"} <= said.keys():
        return None
    return Ended(
        said["Run"],
        said["Pipeline"],
        said["Status"],
        said.get("Verdict"),
        said.get("Verdict-Hash"),
        said.get("Bento"),
        tuple(_stage(value) for key, value in pairs if key == "Stage"),
        said.get("Problem", ""),
    )


def _stage(value: str) -> StageTime:
    name, state, seconds = value.split(" ")
    return StageTime(name, state.replace("-", " "), float(seconds))


def ref_of(run: Run) -> str:
    """Where the record lies."""
    return f"refs/exps/{run.baseline[:2]}/{run.baseline[2:]}/{run.name}"


def find_run(workspace: Workspace, name: str) -> Run:
    """By its name, or by (the beginning of) its commit. Raises UserError, with the nearest name."""
    runs = read_runs(workspace)
    named = [run for run in runs if run.name == name] or [
        run for run in runs if len(name) >= 7 and run.commit.startswith(name)
    ]
    if named:
        return named[0]
    known = [run.name for run in runs]
    raise UserError(f'There is no run "{name}".{did_you_mean(name, known)}', "`tunegate runs` lists them.")


def run_of_verdict(workspace: Workspace, pipeline: str, verdict_hash: str) -> Run | None:
    """The newest run that came to this verdict."""
    runs = read_runs(workspace, pipeline)
    return next((run for run in runs if run.ended.verdict_hash == verdict_hash), None)
