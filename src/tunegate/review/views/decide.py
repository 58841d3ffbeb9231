"""The page before a decision: what will happen, in whose name, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from tunegate.errors import UserError
from tunegate.releases.deciding import may_decide
from tunegate.releases.registering import version_of_verdict
from tunegate.review.history import LiveShown, live, run_of
from tunegate.review.language import Language
from tunegate.review.reports import CheckSeen, GateSeen, ValidateSeen
from tunegate.review.snapshots import NotThereError, Snapshot
from tunegate.review.waiting_data import waiting_of
from tunegate.versions.decisions import DecidedError
from tunegate.versions.registry import ENVIRONMENTS, Registry, Version, read_registry
from tunegate.versions.runs import Run

About = Literal["approve", "reject", "force"]


@dataclass(frozen=True)
class DecideView:
    """`address` is where the form goes, `back` where nothing is decided. `problem`: why it cannot be decided now."""

    template: ClassVar[str] = "decide.html"

    pipeline: str
    action: str
    name: str
    who: str
    will: str
    address: tuple[str, ...]
    back: tuple[str, ...]
    verdict: GateSeen | None = None
    environments: Sequence[tuple[str, str]] = ()  # environment and what is live there
    problem: str = ""
    to: str = ""  # of a rollback: the version that was shown
    validated: str = ""  # of data: the hash that was shown

    @property
    def open_checks(self) -> list[CheckSeen]:
        return [each for each in self.verdict.checks if each.verdict != "PASS"] if self.verdict else []

    def title(self, language: Language) -> str:
        return language.say(f"decide.title.{self.action}", name=self.name)


def about_run(snapshot: Snapshot, action: About, who: str, language: Language) -> DecideView:
    """Approve, reject or force the run that the snapshot shows. Raises NotThereError where there is no verdict."""
    gate = snapshot.report("gate", GateSeen)
    run = judged_run(snapshot)
    here = ("p", snapshot.pipeline, "model", snapshot.ref)
    return DecideView(
        pipeline=snapshot.pipeline,
        action=action,
        name=run.name,
        who=who,
        will=language.say(f"decide.will.{action}", run=run.name),
        address=(*here, action),
        back=here,
        verdict=gate,
        problem=_problem(snapshot, run, action, who),
    )


def judged_run(snapshot: Snapshot) -> Run:
    """Raises NotThereError."""
    gate = snapshot.report("gate", GateSeen)
    run = run_of(snapshot, gate.hash if gate else None)
    if run is None or run.ended.verdict_hash is None:
        raise NotThereError(
            f"{snapshot.name} has no run with a verdict on record.", "Run the pipeline with `tunegate run`."
        )
    return run


def _problem(snapshot: Snapshot, run: Run, action: str, who: str) -> str:
    """What would be refused, said before anybody writes a reason."""
    try:
        may_decide(snapshot.workspace, run, action, who=who)
    except DecidedError as error:
        unfinished = error.decision.what == action and version_of_verdict(snapshot.workspace, run) is None
        return "" if unfinished and action != "reject" else f"{error.problem} {error.remedy}"
    except UserError as error:
        return f"{error.problem} {error.remedy}"
    return ""


def about_version(snapshot: Snapshot, who: str, language: Language) -> DecideView:
    """Promote a registered version. Raises NotThereError for a run that is none."""
    registry = read_registry(snapshot.workspace)
    version = registered(registry, snapshot)
    places = {each.environment: each.ref for each in live(registry, snapshot.pipeline)}
    nothing = language.say("decide.nothing")
    shown = [(name, places.get(name, nothing)) for name in ENVIRONMENTS]
    now = ", ".join(f"{language.say(f'environment.{name}')}: {ref}" for name, ref in shown)
    here = ("p", snapshot.pipeline, "model", snapshot.ref)
    return DecideView(
        pipeline=snapshot.pipeline,
        action="promote",
        name=version.name,
        who=who,
        will=language.say("decide.will.promote", version=version.name, now=now),
        address=(*here, "promote"),
        back=here,
        verdict=snapshot.report("gate", GateSeen),
        environments=shown,
    )


def registered(registry: Registry, snapshot: Snapshot) -> Version:
    """The version that the snapshot is. Raises NotThereError."""
    for version in registry.of(snapshot.pipeline):
        if version.short == snapshot.ref or version.tag.commit == snapshot.commit:
            return version
    raise NotThereError(f"{snapshot.name} is no registered version.", "Only registered versions go live.")


def registered_as(registry: Registry, pipeline: str, short: str) -> Version:
    """By its short name. Raises NotThereError."""
    for version in registry.of(pipeline):
        if version.short == short:
            return version
    raise NotThereError(f"{pipeline} has no version {short[:40]!r}.", "Choose one from the pipeline's page.")


def about_environment(registry: Registry, names: tuple[str, str], who: str, language: Language) -> DecideView:
    """Roll an environment back. `names`: pipeline and environment. Raises NotThereError where nothing was before."""
    pipeline, environment = names
    standing = standing_in(registry, pipeline, environment)
    will = language.say(
        "decide.will.rollback",
        environment=language.say(f"environment.{environment}"),
        before=standing.before,
        now=standing.ref,
    )
    return DecideView(
        pipeline=pipeline,
        action="rollback",
        name=f"{pipeline}, {language.say(f'environment.{environment}')}",
        who=who,
        will=will,
        address=("p", pipeline, "rollback", environment),
        back=("p", pipeline),
        to=standing.before or "",
    )


def standing_in(registry: Registry, pipeline: str, environment: str) -> LiveShown:
    """What is live there and has something before it. Raises NotThereError."""
    for each in live(registry, pipeline):
        if each.environment == environment and each.before is not None:
            return each
    raise NotThereError(
        f"Nothing was live in {environment[:40]!r} of {pipeline} before what is live there now.",
        "There is nothing to roll back to; promote a version instead.",
    )


def about_data(snapshot: Snapshot, action: Literal["accept", "refuse"], who: str, language: Language) -> DecideView:
    """Accept or refuse the data that validate left in the working tree. Raises NotThereError where none is."""
    waiting = waiting_of(snapshot.workspace, snapshot.pipeline)
    if waiting is None or snapshot.commit is not None:
        raise NotThereError(
            "Only the data that was validated last can be accepted or refused.", "Open the data of the working tree."
        )
    report = snapshot.report("validate", ValidateSeen)
    will = language.say(
        f"decide.will.{action}",
        rows=f"{report.rows if report else 0:,}",
        quarantined=f"{report.quarantined if report else 0:,}",
    )
    here = ("p", snapshot.pipeline, "data", snapshot.ref)
    return DecideView(
        pipeline=snapshot.pipeline,
        action=action,
        name=snapshot.name,
        who=who,
        will=will,
        address=(*here, action),
        back=here,
        validated=waiting.validated,
        problem="" if waiting.waits else language.say("decide.no_wait"),
    )
