"""A version made again: its stages run anew in a worktree of its own commit, and what they make is compared.

With the libraries of now: where those are others than the version was made with, that is said, and may be the cause.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tunegate.dvc.objects import FOLDER, MissingObjectError, Objects
from tunegate.dvc.project import Step
from tunegate.dvc.running import Listener, run_step
from tunegate.dvc.storage import fetch_folder
from tunegate.dvc.worktrees import bring_inputs
from tunegate.inputs import Inputs, read_inputs
from tunegate.releases.differences import Difference, part_of, short
from tunegate.releases.verify import Verified
from tunegate.releases.worktree import worktree
from tunegate.stages import STAGES
from tunegate.versions.inputs import library_versions
from tunegate.versions.lineage import Made, lineage_at, read_lock
from tunegate.workspace import Workspace, fresh_folder

Say = Callable[[str], None]


def rebuild(workspace: Workspace, verified: Verified, say: Say) -> Verified:
    """Run every stage again until one makes another file. Raises what a stage raises, OutsideError for lost inputs."""
    pipeline = verified.version.partition("@")[0]
    lineage = lineage_at(workspace, verified.commit, pipeline)
    stages = [name for name in STAGES if name in lineage] or list(lineage)
    with worktree(workspace, verified.commit) as tree, own_state(tree) as alone:
        notes = _other_libraries(read_inputs(alone.inputs(pipeline)))
        bring_references(workspace, alone, read_inputs(alone.inputs(pipeline)))
        for number, name in enumerate(stages):
            step = Step(name, pipeline)
            say(f"{name}: runs again")
            bring_inputs(alone, step)
            run_step(alone, step, Listener(say), force=True)
            made = read_lock((alone.root / "dvc.lock").read_bytes(), pipeline)[name]
            difference = _difference(workspace, name, lineage[name], made)
            if difference is not None:
                return replace(verified, difference=difference, rebuilt=number + 1, notes=(*verified.notes, *notes))
    return replace(verified, rebuilt=len(stages), notes=(*verified.notes, *notes))


@contextlib.contextmanager
def own_state(tree: Workspace) -> Iterator[Workspace]:
    """The worktree with a state folder of its own: no checkpoint of the person's runs is used or cleared away."""
    state = tree.root.parent / f"{tree.root.name}.state"
    shutil.rmtree(state, ignore_errors=True)
    try:
        yield Workspace(tree.root, state)
    finally:
        shutil.rmtree(state, ignore_errors=True)


def bring_references(workspace: Workspace, tree: Workspace, inputs: Inputs) -> None:
    """The files of the data version before, of the champion and of the best version, as the run had them."""
    for hash_value in reference_hashes(inputs):
        target = tree.state / "references" / hash_value
        if not target.is_dir():
            with fresh_folder(target) as folder:
                shutil.copytree(fetch_folder(workspace, hash_value), folder, dirs_exist_ok=True)


def reference_hashes(inputs: Inputs) -> list[str]:
    """Of everything that the inputs name from earlier runs."""
    models = [each for each in (inputs.champion, inputs.best) if each is not None]
    wanted = [inputs.previous.hash] if inputs.previous else []
    wanted += [value for each in models for value in (each.hash, each.validated) if value]
    return list(dict.fromkeys(wanted))


def _other_libraries(inputs: Inputs) -> tuple[str, ...]:
    now = library_versions()
    return tuple(
        f"{name} was {version} and is {now[name]} here: other results are no surprise."
        for name, version in inputs.environment.items()
        if name in now and now[name] != version
    )


def _difference(workspace: Workspace, stage: str, before: Made, after: Made) -> Difference | None:
    """Of the files that DVC keeps: reports hold measured times too."""
    for path, old in before.made.items():
        new = after.made.get(path)
        if path.startswith("reports/") or new == old:
            continue
        file = _first_file(workspace, path, old, new or "")
        return Difference(
            part_of(path),
            file,
            f"{file} came out otherwise when {stage} ran again: {path} was {short(old)}, is {short(new or 'missing')}.",
            "What is stored is whole; look at the notes, and at what the stage takes from outside its inputs.",
        )
    return None


def _first_file(workspace: Workspace, path: str, old: str, new: str) -> str:
    if not (old.endswith(FOLDER) and new.endswith(FOLDER)):
        return path
    with Objects(workspace) as objects:
        try:
            before, after = objects.listing(old), objects.listing(new)
        except (MissingObjectError, ValueError):
            return path
    return next((str(Path(path) / name) for name in {**before, **after} if before.get(name) != after.get(name)), path)
