"""Registry tags against the commit that they stand on, against each other, and against the shared git remote."""

import json
from collections.abc import Iterator
from typing import Any

from tunegate.errors import OutsideError
from tunegate.releases.differences import Difference, short
from tunegate.versions.data_reviews import data_decisions
from tunegate.versions.git import file_at
from tunegate.versions.lineage import Made, training_of
from tunegate.versions.registry import Version, damage_of
from tunegate.versions.remotes import listed_tags, shared_remote
from tunegate.versions.runs import read_runs
from tunegate.versions.tags import Message, Tag, is_ours, read_tags
from tunegate.workspace import Workspace

COMPARE = "Compare with a colleague's clone or with the shared remote: `git ls-remote --tags`."


def differences_of_history(workspace: Workspace, version: Version, lineage: dict[str, Made]) -> Iterator[Difference]:
    """What was edited, moved or deleted since the version was registered."""
    said = version.said
    if said is None:
        yield Difference(
            "the registry",
            version.name,
            f"The tag {version.name} holds no record of ours: another tool made it, or somebody edited it.",
            COMPARE,
        )
        return
    tags = [tag for tag in read_tags(workspace) if _of(tag, version.pipeline)]
    for sentence in damage_of(read_tags(workspace)):
        if any(sentence.startswith(f"{tag.name} ") and tag.message is not None for tag in tags):
            yield Difference("the registry", sentence.partition(" ")[0], sentence, COMPARE)
    yield from _against_commit(workspace, version, said, lineage)
    yield from _against_decision(version, said, tags)
    yield from _against_data_decision(workspace, version, said)
    yield from _against_record(workspace, version, said)
    yield from _against_remote(workspace, version.pipeline)


def _of(tag: Tag, pipeline: str) -> bool:
    return tag.message.pipeline == pipeline if tag.message is not None else _about(tag.name, pipeline)


def _against_commit(
    workspace: Workspace, version: Version, said: Message, lineage: dict[str, Made]
) -> Iterator[Difference]:
    """The tag's facts are copies of what its commit holds."""
    if not lineage:
        yield Difference(
            "the registry",
            "dvc.lock",
            f"The commit of {version.name} holds no dvc.lock of {version.pipeline}.",
            "Fetch the whole history (`git fetch --unshallow`), then try again.",
            missing=True,
        )
        return
    gate, package = (_report(workspace, version, stage) for stage in ("gate", "package"))
    data = f"data/{version.pipeline}"
    facts = {
        "verdict": (said.verdict, gate.get("verdict")),
        "verdict_hash": (said.verdict_hash, gate.get("hash")),
        "bento": (said.bento, package.get("tag")),
        "export": (said.export, _made(lineage, "export", f"{data}/export")),
        "validated": (said.validated, _made(lineage, "validate", f"{data}/validate")),
        "trained": (said.trained, training_of(lineage)),
    }
    for name, (told, found) in facts.items():
        if told != found and (told or found):
            yield Difference(
                "the registry",
                version.name,
                f"The tag {version.name} says {name} {_shown(told)}, and its commit says {_shown(found)}.",
                COMPARE,
            )


def _report(workspace: Workspace, version: Version, stage: str) -> dict[str, Any]:
    content = file_at(workspace.root, version.tag.commit, f"reports/{version.pipeline}/{stage}.json")
    return dict(json.loads(content)) if content else {}


def _made(lineage: dict[str, Made], stage: str, path: str) -> str | None:
    return lineage[stage].made.get(path) if stage in lineage else None


def _shown(value: Any) -> str:
    return "nothing" if not value else str(value) if ":" in str(value) else short(str(value))


def _against_decision(version: Version, said: Message, tags: list[Tag]) -> Iterator[Difference]:
    """What a person let through has the person's decision beside it."""
    if not said.decision:
        return
    decision = next((tag for tag in tags if tag.name == said.decision and tag.message is not None), None)
    if decision is None:
        problem = f"The decision {said.decision}, by which {version.name} was let through, is gone."
    elif decision.message and decision.message.verdict_hash != said.verdict_hash:
        problem = f"The decision {said.decision} is about another verdict than that of {version.name}."
    else:
        return
    yield Difference("the registry", said.decision, problem, COMPARE)


def _against_data_decision(workspace: Workspace, version: Version, said: Message) -> Iterator[Difference]:
    """Data that had to be accepted by a person was, and nobody refused it."""
    if not _asks_for_review(workspace, version):
        return
    about = next(
        (each for each in data_decisions(workspace, version.pipeline) if each.validated == said.validated), None
    )
    name = f"decisions/data/{version.pipeline}/{said.validated.removesuffix('.dir')}"
    if about is None:
        problem = f"The decision {name}, by which the data of {version.name} was accepted, is gone or was edited."
    elif not about.accepted:
        problem = f"The data of {version.name} was refused by {about.who} ({about.why}), and a model was made of it."
    else:
        return
    yield Difference("the registry", name, problem, COMPARE)


def _asks_for_review(workspace: Workspace, version: Version) -> bool:
    """Whether the version's run was one of those that wait for a person to accept the data."""
    content = file_at(workspace.root, version.tag.commit, f"data/{version.pipeline}/inputs.json")
    return bool(content) and json.loads(content or b"{}").get("data_review") is not None


def _against_record(workspace: Workspace, version: Version, said: Message) -> Iterator[Difference]:
    """A clone may lack the runs; one that is there must be the one that was registered."""
    run = next((each for each in read_runs(workspace, version.pipeline) if each.name == said.run), None)
    if run is None:
        return
    if run.ended.verdict_hash != said.verdict_hash:
        yield Difference(
            "the registry",
            run.name,
            f"The record of {run.name} says verdict {_shown(run.ended.verdict_hash)}, and the tag {version.name} "
            f"says {_shown(said.verdict_hash)}.",
            COMPARE,
        )
    if run.commit != said.commit:
        yield Difference(
            "the registry",
            run.name,
            f"{version.name} stands on {short(said.commit)}, and the record of {run.name} is {short(run.commit)}.",
            COMPARE,
        )


def _against_remote(workspace: Workspace, pipeline: str) -> Iterator[Difference]:
    """A tag that both sides have is one tag. That nobody answered is a note."""
    try:
        here, there = _both(workspace)
    except OutsideError:
        return
    for name in sorted(here.keys() & there.keys()):
        if here[name] != there[name] and _about(name, pipeline):
            yield Difference(
                "the registry",
                name,
                f"The tag {name} is {short(here[name])} here and {short(there[name])} on the shared remote: it was "
                "edited on one side.",
                f"`git show {name}` shows ours; fetch theirs beside it with `git fetch REMOTE tag {name}`.",
            )


def notes_on_history(workspace: Workspace, pipeline: str) -> list[str]:
    """Tags that one side alone has: a clone that is behind, or somebody deleted them."""
    upstream = shared_remote(workspace)
    if upstream is None:
        return []
    try:
        here, there = _both(workspace)
    except OutsideError as error:
        return [f"The shared remote was not compared: {error.problem}"]
    lacking = [name for name in sorted(there.keys() - here.keys()) if _about(name, pipeline)]
    unsent = [name for name in sorted(here.keys() - there.keys()) if _about(name, pipeline)]
    notes = []
    if lacking:
        notes.append(f"{upstream} has {', '.join(lacking)}, which this clone lacks: `tunegate pull` brings them.")
    if unsent:
        notes.append(
            f"{upstream} lacks {', '.join(unsent)}: deleted there, or never sent (`tunegate push` sends them)."
        )
    return notes


def _about(name: str, pipeline: str) -> bool:
    """Decisions are named after runs, and runs after their pipeline; those about data after the pipeline itself."""
    return name.startswith((f"{pipeline}@", f"{pipeline}#", f"decisions/{pipeline}-", f"decisions/data/{pipeline}/"))


def _both(workspace: Workspace) -> tuple[dict[str, str], dict[str, str]]:
    """Tag to object, here and on the shared remote; both empty while nothing is shared. Raises OutsideError."""
    upstream = shared_remote(workspace)
    if upstream is None:
        return {}, {}
    here = {tag.name: tag.object for tag in read_tags(workspace)}
    return here, {name: value for name, value in listed_tags(workspace, upstream).items() if is_ours(name)}
