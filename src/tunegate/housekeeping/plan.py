"""All that may go, part by part with sizes, looked up anew each time; and carried out."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tunegate.dvc.stores import Lying, Place, Stores, with_files
from tunegate.dvc.transfer import is_private
from tunegate.errors import UserError
from tunegate.housekeeping import state
from tunegate.housekeeping.needed import Needed, needed, worktrees
from tunegate.housekeeping.old_runs import Rule, sorted_out
from tunegate.versions.errands import under_way
from tunegate.versions.git import git, remote
from tunegate.versions.registry import read_registry
from tunegate.versions.remotes import SETTING, fetch_all, listed_runs, shared_remote
from tunegate.versions.runs import Run, read_runs, ref_of
from tunegate.workspace import Workspace

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Wish:
    """What a person asks for. `remote` "": none, None: the default one. Nothing younger than `grace` hours goes."""

    rule: Rule = Rule()
    remote: str | None = ""
    grace: float = 24.0


@dataclass(frozen=True)
class Part:
    """Things of one kind that may go. `names` are what people know them by; of objects there are none."""

    kind: str
    number: int
    bytes: int
    remove: Callable[[], None]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`kept` says what keeps the rest, `held` why single records stay, `young` how many objects are too new to go."""

    parts: tuple[Part, ...]
    kept: dict[str, int]
    held: dict[str, str] = field(default_factory=dict)
    young: int = 0
    young_bytes: int = 0
    note: str = ""

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def as_object(self, *, removed: bool) -> dict[str, object]:
        """What `--json` prints."""
        parts = [{"kind": each.kind, "number": each.number, "bytes": each.bytes, "names": list(each.names)}
                 for each in self.parts]  # fmt: skip
        return {
            "removed": removed, "bytes": self.bytes, "parts": parts, "kept": self.kept, "held": self.held,
            "young": self.young, "note": self.note,
        }  # fmt: skip

    def carry_out(self) -> None:
        """Records first, so that none of them ever names what is gone."""
        for part in self.parts:
            part.remove()


def plan(workspace: Workspace, wish: Wish) -> Plan:
    """Look at everything. Raises UserError, OutsideError where the remote cannot be had or others may need it."""
    upstream, errands = _others(workspace, wish)
    with ExitStack() as stack:
        stores = stack.enter_context(Stores(workspace))
        old, held = sorted_out(workspace, wish.rule, datetime.now(UTC))
        kept = needed(workspace, old, errands)
        young = time.time() - wish.grace * SECONDS_PER_HOUR if wish.grace else time.time() + SECONDS_PER_HOUR
        parts = [_records(workspace, old, upstream), *_state(workspace, young, {run.name for run in old})]
        shared = not any(stores.cache_folder.is_relative_to(tree) for tree in worktrees(workspace))
        cache = stores.cache
        places = [*([] if shared else [cache]), *([] if wish.remote == "" else [stores.remote(wish.remote)])]
        swept = [_Swept.of(place, kept, [cache, *places], young) for place in places]
    parts += [*([] if shared else [_run_cache(swept[0], stores)]), *(each.part for each in swept)]
    return Plan(
        tuple(part for part in parts if part.number),
        kept.why,
        held,
        sum(each.young for each in swept),
        sum(each.young_bytes for each in swept),
        f"DVC's cache, {stores.cache_folder}, may be other clones' too: it is left alone." if shared else "",
    )


@dataclass(frozen=True)
class _Swept:
    """A place looked through."""

    part: Part
    gone: frozenset[str]
    there: frozenset[str]
    young: int
    young_bytes: int

    @classmethod
    def of(cls, place: Place, kept: Needed, places: Sequence[Place], young: float) -> "_Swept":
        whole = with_files(kept.objects, places)
        lying = place.files()
        free = [file for file in lying if file.oid not in whole]
        new = [file for file in free if file.younger_than(young)]
        gone = [file for file in free if not file.younger_than(young)]
        gone = _without_lists_of(gone, new, place)
        kind = f"objects in {place.name}"
        return cls(
            Part(kind, len(gone), sum(file.bytes for file in gone), partial(place.remove, gone)),
            frozenset(file.oid for file in gone),
            frozenset(file.oid for file in lying),
            len(new),
            sum(file.bytes for file in new),
        )


def _without_lists_of(gone: list[Lying], new: Sequence[Lying], place: Place) -> list[Lying]:
    """A folder that is too new to go keeps its files, which may be older than it."""
    lists = [file.oid for file in new if file.oid.endswith(".dir")]
    inside = {oid for each in lists for oid in place.listing(each) or ()}
    return [file for file in gone if file.oid not in inside]


def _run_cache(cache: _Swept, stores: Stores) -> Part:
    """Entries of DVC's run cache that could restore nothing any more."""
    left = cache.there - cache.gone
    useless = [path for path, outs in stores.made_before() if not outs <= left]
    return Part("entries of DVC's run cache", len(useless), sum(path.stat().st_size for path in useless),
                lambda: _unlink(useless))  # fmt: skip


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


def _others(workspace: Workspace, wish: Wish) -> tuple[str | None, list[str]]:
    """Before a remote is swept, what others made is fetched, so that it counts.

    The shared git remote's name, and the commits of stages that run elsewhere now.
    """
    upstream = shared_remote(workspace)
    if wish.remote == "":
        return None, []
    if upstream is not None:
        fetch_all(workspace, upstream)
        remote(workspace.root, "fetch", "--quiet", "--no-tags", upstream)
        return upstream, under_way(workspace, upstream)
    alone = git(workspace.root, "config", "--get", "--default", "", SETTING).strip() == "none"
    if alone or (wish.remote is None and is_private(workspace)):
        return None, []
    raise UserError(
        "Others may need what lies in that DVC remote, and this clone does not know what they made.",
        "Run `tunegate pull` once, which names the shared git remote; or say that nobody shares this clone: "
        f"`git config {SETTING} none`.",
    )


def _records(workspace: Workspace, old: Sequence[Run], upstream: str | None) -> Part:
    return Part("records of runs", len(old), 0, lambda: _forget(workspace, old, upstream), tuple(r.name for r in old))


def _forget(workspace: Workspace, old: Sequence[Run], upstream: str | None) -> None:
    """Here, and on the shared git remote where its data goes too: else the next `pull` would bring them back."""
    refs = {ref_of(run): run.commit for run in old}
    if upstream is not None:
        there = {ref: commit for ref, commit in refs.items() if listed_runs(workspace, upstream).get(ref) == commit}
        lease = [f"--force-with-lease={ref}:{commit}" for ref, commit in there.items()]
        if there:
            remote(workspace.root, "push", "--quiet", "--no-verify", *lease, upstream, *(f":{ref}" for ref in there))
    lines = "".join(f"delete {ref} {commit}\n" for ref, commit in refs.items())
    git(workspace.root, "update-ref", "--stdin", stdin=lines)


def _state(workspace: Workspace, young: float, forgotten: set[str]) -> Iterator[Part]:
    trees = worktrees(workspace)
    yield _folders("references", state.references(workspace, trees), shutil.rmtree)
    yield _folders("checkpoints of abandoned trainings", state.checkpoints(workspace, young), state.remove_checkpoint)
    yield _folders("downloads that broke off", state.downloads(workspace, young), shutil.rmtree)
    abandoned = state.abandoned_worktrees(workspace, young)
    yield _folders("worktrees that were left", abandoned, partial(state.remove_worktree, workspace))
    bentos = state.bentos(workspace, _packaged(workspace, trees, forgotten), young)
    yield _folders("Bentos in the store", bentos, state.remove_bento)


def _packaged(workspace: Workspace, trees: Sequence[Path], forgotten: set[str]) -> frozenset[str]:
    """Bentos that a version, a record or a working tree names."""
    tags = {version.said.bento for version in read_registry(workspace).versions if version.said}
    tags |= {run.ended.bento for run in read_runs(workspace) if run.name not in forgotten}
    tags |= {tag for tree in trees for tag in state.packaged_in(tree)}
    return frozenset(tag for tag in tags if tag)


def _folders(kind: str, found: Sequence[state.Folder], remove: Callable[[Path], None]) -> Part:
    def go() -> None:
        for folder in found:
            remove(folder.path)

    names = tuple(f"{folder.path.parent.name}/{folder.path.name}" for folder in found)
    return Part(kind, len(found), sum(folder.bytes for folder in found), go, names)
