"""The registry: which versions there are and where each is live, made from tags alone.

Current is the assignment with the highest number, not the newest by time: two within a second have one time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from tunegate.errors import UserError, did_you_mean
from tunegate.versions.tags import (
    ASSIGNMENT,
    DECISION,
    VERSION,
    LostRaceError,
    Message,
    Tag,
    create_tag,
    heads_of,
    now,
    read_tags,
)
from tunegate.workspace import Workspace

Environment = Literal["production", "staging", "shadow"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)
Number = tuple[int, int, int]
Part = Literal["major", "minor", "patch"]
TRIES = 20  # of registering while others register too: each loss is somebody's success


@dataclass(frozen=True)
class Version:
    """A registered model. `said` is None where its tag holds no message of ours (made by other tools)."""

    pipeline: str
    number: Number
    tag: Tag

    @property
    def name(self) -> str:
        """`support@v1.2.0`."""
        return self.tag.name

    @property
    def short(self) -> str:
        """`v1.2.0`."""
        return format_number(self.number)

    @property
    def said(self) -> Message | None:
        return self.tag.message

    @property
    def forced(self) -> bool:
        """A person let it through against a FAIL: for ever."""
        return self.said is not None and self.said.what == "force"


@dataclass(frozen=True)
class Assignment:
    """A version was made live in an environment. `version` is its short name, None where nothing tells which."""

    pipeline: str
    environment: str
    number: int
    version: str | None
    tag: Tag


@dataclass(frozen=True)
class Registry:
    """Everything that tags say, read once."""

    tags: tuple[Tag, ...]
    versions: tuple[Version, ...] = ()  # by pipeline and number, oldest first
    assignments: tuple[Assignment, ...] = ()  # by pipeline, environment and number
    damage: tuple[str, ...] = field(default=())

    def of(self, pipeline: str) -> list[Version]:
        """Oldest first."""
        return [version for version in self.versions if version.pipeline == pipeline]

    def history(self, pipeline: str, environment: str) -> list[Assignment]:
        """Oldest first."""
        return [each for each in self.assignments if (each.pipeline, each.environment) == (pipeline, environment)]

    def current(self, pipeline: str, environment: str) -> Version | None:
        """The version that is live there; None where nothing is."""
        history = self.history(pipeline, environment)
        return self._named(pipeline, history[-1].version) if history else None

    def champion(self, pipeline: str) -> Version | None:
        return self.current(pipeline, "production")

    def live(self, version: Version) -> list[str]:
        """The environments where it is live now."""
        return [name for name in ENVIRONMENTS if self.current(version.pipeline, name) == version]

    def best(self, pipeline: str) -> Version | None:
        """The first version, then each that was surely better than the best of its time; none that was rejected."""
        versions = [version for version in self.of(pipeline) if self.rejection(version) is None]
        better = [each for each in versions[1:] if each.said is not None and each.said.improved_on_best]
        return next(iter([*reversed(better), *versions[:1]]), None)

    def rejection(self, version: Version) -> Message | None:
        """What a person said who rejected the version's verdict, after it had passed; None where nobody did."""
        verdict_hash = version.said.verdict_hash if version.said is not None else ""
        return next(
            (
                tag.message
                for tag in self.tags
                if DECISION.fullmatch(tag.name) and tag.message is not None and tag.message.what == "reject"
                and verdict_hash and tag.message.verdict_hash == verdict_hash
            ),
            None,
        )  # fmt: skip

    def find(self, name: str) -> Version:
        """By `support@v1.2.0`. Raises UserError, with the nearest name."""
        known = [version.name for version in self.versions]
        for version in self.versions:
            if version.name == name:
                return version
        raise UserError(
            f'There is no version "{name}".{did_you_mean(name, known)}',
            f"Choose one of: {', '.join(known)}." if known else "The first run that passes its gate registers one.",
        )

    def _named(self, pipeline: str, short: str | None) -> Version | None:
        return next((version for version in self.of(pipeline) if version.short == short), None)

    def before(self, pipeline: str, environment: str) -> Version | None:
        """What a rollback goes back to: the version that was live before the one that is, rollbacks undone."""
        lived: list[str] = []
        for each in self.history(pipeline, environment):
            if each.version is None or (lived and lived[-1] == each.version):
                continue
            if each.tag.message is not None and each.tag.message.what == "rollback" and each.version in lived:
                del lived[lived.index(each.version) + 1 :]
            else:
                lived.append(each.version)
        found = [self._named(pipeline, short) for short in reversed(lived[:-1])]
        return next((version for version in found if version is not None and self.rejection(version) is None), None)


def read_registry(workspace: Workspace) -> Registry:
    """As the local tags say."""
    return registry_of(read_tags(workspace))


def registry_of(tags: Sequence[Tag]) -> Registry:
    versions = [
        Version(found["pipeline"], parse_number(found["number"]), tag)
        for tag in tags
        if (found := VERSION.fullmatch(tag.name))
    ]
    versions.sort(key=lambda version: (version.pipeline, version.number))
    assignments = [
        Assignment(found["pipeline"], found["environment"], int(found["number"]), _assigned(tag, versions), tag)
        for tag in tags
        if (found := ASSIGNMENT.fullmatch(tag.name))
    ]
    assignments.sort(key=lambda each: (each.pipeline, each.environment, each.number))
    return Registry(tuple(tags), tuple(versions), tuple(assignments), tuple(damage_of(tags)))


def _assigned(tag: Tag, versions: Sequence[Version]) -> str | None:
    """By its message; of other tools' tags by the commit, as GTO has it."""
    if tag.message is not None and tag.message.version:
        return tag.message.version
    pipeline = tag.name.partition("#")[0]
    there = [each.short for each in versions if each.tag.commit == tag.commit and each.pipeline == pipeline]
    return there[-1] if there else None


def damage_of(tags: Sequence[Tag]) -> list[str]:
    """Sentences on tags that were edited, moved or deleted, as far as the tags themselves show it."""
    there = {tag.object for tag in tags}
    found = []
    for tag in tags:
        if tag.message is None:
            found.append(f"{tag.name} holds no record of ours: another tool made it, or somebody edited it.")
            continue
        if tag.message.commit != tag.commit:
            found.append(f"{tag.name} was made for commit {tag.message.commit[:10]} and stands on {tag.commit[:10]}.")
        missing = [previous for previous in tag.message.previous if previous not in there]
        if missing:
            found.append(
                f"{tag.name} followed a tag that is gone or was edited ({', '.join(h[:10] for h in missing)})."
            )
    return found


def register(workspace: Workspace, message: Message, first: Number = (1, 0, 0)) -> Version:
    """A new version on `message.commit`, numbered after the highest one there is; tries again while others register.

    `first` is the number where there is none.

    Raises what `create_tag` raises.
    """
    for _ in range(TRIES):
        tags = read_tags(workspace)
        earlier = registry_of(tags).of(message.pipeline)
        number = next_number(earlier[-1].number, part_since(earlier[-1].said, message)) if earlier else first
        name = f"{message.pipeline}@{format_number(number)}"
        filled = message.model_copy(update={"previous": heads_of(tags, message.pipeline), "when": now()})
        headline = f"Register {name}: {message.verdict or 'no verdict'}"
        try:
            return Version(message.pipeline, number, create_tag(workspace, name, headline, filled))
        except LostRaceError as error:
            lost = error
    raise lost


def assign(
    workspace: Workspace, version: Version, environment: str, *, who: str, why: str, what: str = "promote"
) -> Assignment:
    """Make the version live. Raises LostRaceError when another was made live in the meantime."""
    if environment not in ENVIRONMENTS:
        raise UserError(
            f'There is no environment "{environment}".{did_you_mean(environment, ENVIRONMENTS)}',
            f"Choose one of: {', '.join(ENVIRONMENTS)}.",
        )
    tags = read_tags(workspace)
    registry = registry_of(tags)
    rejection = registry.rejection(version)
    if rejection is not None:
        raise UserError(
            f"{version.name} was rejected by {rejection.who} at {rejection.when}: {rejection.why}.",
            "It goes nowhere. Run the pipeline again to have another verdict, or choose another version.",
        )
    history = registry.history(version.pipeline, environment)
    number = history[-1].number + 1 if history else 1
    message = Message(
        pipeline=version.pipeline,
        what=what,
        who=who,
        when=now(),
        why=why,
        commit=version.tag.commit,
        version=version.short,
        verdict_hash=version.said.verdict_hash if version.said else "",
        bento=version.said.bento if version.said else None,
        previous=heads_of(tags, version.pipeline),
    )
    name = f"{version.pipeline}#{environment}#{number}"
    tag = create_tag(workspace, name, f"Assign {version.name} to {environment}: {why}", message)
    return Assignment(version.pipeline, environment, number, version.short, tag)


def part_since(earlier: Message | None, new: Message) -> Part:
    """major: another task or set of labels, which callers notice; minor: training saw or made something else."""
    if earlier is None:
        return "minor"
    before, after = ((said.task, frozenset(said.labels)) for said in (earlier, new))
    if before != after:
        return "major"
    return "minor" if earlier.trained != new.trained else "patch"


def next_number(number: Number, part: Part) -> Number:
    major, minor, patch = number
    if part == "major":
        return major + 1, 0, 0
    return (major, minor + 1, 0) if part == "minor" else (major, minor, patch + 1)


def parse_number(short: str) -> Number:
    """Of `v1.2.0`."""
    major, minor, patch = (int(part) for part in short.removeprefix("v").split("."))
    return major, minor, patch


def format_number(number: Number) -> str:
    return "v" + ".".join(map(str, number))
