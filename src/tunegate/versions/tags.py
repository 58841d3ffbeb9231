"""Registry events as annotated git tags, in GTO's format: names, messages, and their creation as compare-and-set.

    support@v1.2.0          a version of a pipeline's model, on the commit of its run
    support#production#5    the fifth time that a version was assigned to an environment
    decisions/<run>/<hash>  what a person decided about a verdict
    decisions/data/<pipeline>/<hash>  the same about validated data

A tag's message is a line for people, an empty line, and one JSON object: who, when, why and what was decided about.
`previous` in it are the pipeline's last events that its writer knew, by the hashes of their tags: a chain, in which an
edited or deleted tag is missed.
"""

import json
import re
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tunegate.errors import UserError
from tunegate.versions.git import author, create_ref, git
from tunegate.versions.remotes import fetch_tags, push_new, shared_remote
from tunegate.workspace import PIPELINE_NAME, Workspace

VERSION = re.compile(rf"(?P<pipeline>{PIPELINE_NAME.pattern})@(?P<number>v(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){{2}})")
ASSIGNMENT = re.compile(rf"(?P<pipeline>{PIPELINE_NAME.pattern})#(?P<environment>[a-z]+)#(?P<number>[1-9]\d*)")
DECISION = re.compile(r"decisions/(?P<run>[^/]+)/(?P<hash>[0-9a-f]{16,64})")
DATA_DECISION = re.compile(rf"decisions/data/(?P<pipeline>{PIPELINE_NAME.pattern})/(?P<hash>[0-9a-f]{{16,64}})")

FIELDS = ("refname:lstrip=2", "objectname", "objecttype", "*objectname", "objectname", "contents")
END = "\x1e\x1e"


class Message(BaseModel):
    """What a tag of ours says. Fields that a kind of event does not have stay empty."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer tunegate may say more

    pipeline: str
    what: str  # register, promote, rollback, approve, reject, force, ...
    who: str
    when: str  # ISO 8601 with its offset
    why: str
    run: str = ""  # the run's name
    commit: str = ""  # the commit that the tag stands on
    verdict: str = ""
    verdict_hash: str = ""
    bento: str | None = None
    version: str = ""  # of an assignment: which version
    export: str = ""  # DVC's hash of the export folder
    validated: str = ""  # DVC's hash of the folder of validated rows
    trained: str = ""  # a hash of everything that training read
    task: str = ""
    labels: list[str] = []
    improved_on_best: bool = False
    decision: str = ""  # of a version that a person let through: the decision's tag
    previous: list[str] = []
    nonce: str = ""  # two people who say the same in the same second write different tags


@dataclass(frozen=True)
class Tag:
    """A tag of ours as it stands. `message` is None where it holds no message of ours."""

    name: str
    object: str  # the tag object's own hash
    commit: str
    message: Message | None


class LostRaceError(UserError):
    """Somebody else was first. `winner` is what stands now."""

    def __init__(self, problem: str, remedy: str, winner: Tag | None = None) -> None:
        super().__init__(problem, remedy)
        self.winner = winner


def read_tags(workspace: Workspace) -> list[Tag]:
    """All registry events and decisions of the repository, from one git process, by name."""
    fields = "%00".join(f"%({name})" for name in FIELDS)
    out = git(workspace.root, "for-each-ref", f"--format={fields}{END}", "refs/tags")
    tags = []
    for block in out.split(END):
        name, hash_value, kind, inner, outer, contents = (block.lstrip("\n").split("\0", 5) + [""] * 6)[:6]
        if is_ours(name):
            tags.append(Tag(name, hash_value, inner if kind == "tag" else outer, _message(contents)))
    return tags


def is_ours(name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in (VERSION, ASSIGNMENT, DECISION, DATA_DECISION))


def _message(contents: str) -> Message | None:
    body = contents.partition("\n\n")[2].partition("\n-----BEGIN ")[0]  # a signature may follow
    try:
        return Message.model_validate_json(body)
    except ValidationError:
        return None


def now() -> str:
    """The moment as tags say it."""
    return datetime.now(UTC).astimezone().isoformat(timespec="seconds")


def create_tag(workspace: Workspace, name: str, headline: str, message: Message) -> Tag:
    """Write the tag on `message.commit`, once in the world that shares the git remote.

    Pushed first where there is a shared remote, which refuses a name that it has; then written here. Raises
    LostRaceError with what stands under that name, OutsideError where the remote cannot be had.
    """
    root = workspace.root
    message = message.model_copy(update={"nonce": uuid.uuid4().hex})
    hash_value = _tag_object(workspace, name, headline, message)
    upstream = shared_remote(workspace)
    if upstream is not None and not push_new(workspace, upstream, {f"refs/tags/{name}": hash_value}):
        fetch_tags(workspace, upstream)
        raise _lost(workspace, name)
    if not create_ref(root, f"refs/tags/{name}", hash_value):
        raise _lost(workspace, name)
    return Tag(name, hash_value, message.commit, message)


def _tag_object(workspace: Workspace, name: str, headline: str, message: Message) -> str:
    """Its hash; no ref names it yet. Signed where `tag.gpgSign` says so."""
    root = workspace.root
    text = f"{headline}\n\n{json.dumps(_facts(message), indent=1, ensure_ascii=False)}\n"
    if git(root, "config", "--get", "--default", "false", "--type", "bool", "tag.gpgSign").strip() == "true":
        return _signed(workspace, name, text, message.commit)
    tagger = git(root, "var", "GIT_COMMITTER_IDENT", env=author(root)).strip()
    content = f"object {message.commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{text}"
    return git(root, "mktag", stdin=content).strip()


def _signed(workspace: Workspace, name: str, text: str, commit: str) -> str:
    """`git tag` cannot sign without writing a ref, so it writes into a bare repository made for it, which shares ours.

    Its settings (the key, the program) are those of this repository.
    """
    root = workspace.root
    own = Path(git(root, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    with tempfile.TemporaryDirectory(prefix="tunegate-") as folder:
        bare = Path(folder)
        (bare / "refs").mkdir()
        (bare / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        (bare / "config").write_bytes((own / "config").read_bytes())
        env = {"GIT_DIR": str(bare), "GIT_OBJECT_DIRECTORY": str(own / "objects"), **author(root)}
        git(root, "tag", "--sign", "--cleanup=verbatim", "-F", "-", name, commit, stdin=text, env=env)
        return git(root, "rev-parse", f"refs/tags/{name}", env=env).strip()


def _facts(message: Message) -> dict[str, Any]:
    """Without what is empty: people read tags too."""
    return {name: value for name, value in message.model_dump().items() if value not in ("", [], None, False)}


def _lost(workspace: Workspace, name: str) -> LostRaceError:
    winner = next((tag for tag in read_tags(workspace) if tag.name == name), None)
    said = winner.message if winner else None
    who = f"{said.who} wrote {name} first, at {said.when}: {said.why}" if said else f"{name} is there already"
    return LostRaceError(
        f"{who}.", "Look at `tunegate versions list`, then decide again if it is still needed.", winner
    )


def heads_of(tags: Sequence[Tag], pipeline: str) -> list[str]:
    """The pipeline's events that no other event names as `previous`: where the chain goes on."""
    own = [tag for tag in tags if tag.message is not None and tag.message.pipeline == pipeline]
    named = {previous for tag in own if tag.message for previous in tag.message.previous}
    return sorted(tag.object for tag in own if tag.object not in named)
