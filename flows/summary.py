"""The end of a run: for a person to read, for Prefect to show, and as one object for other programs."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from flows.result import Result, StageResult, exit_status
from tunegate.errors import ExitStatus
from tunegate.progress import format_seconds
from tunegate.versions.decisions import Decision, rejection_of
from tunegate.workspace import Workspace

MOST_OF_A_KIND = 4  # passing checks that a summary lists one by one

WORDS = {
    ExitStatus.PASSED: "passed the gate",
    ExitStatus.REFUSED: "was refused",
    ExitStatus.UNDECIDED: "needs a person to decide",
}


@dataclass(frozen=True)
class Summary:
    """A result with what the reports say. `reports` are by stage; a stage that has not run yet has none."""

    workspace: Workspace
    result: Result
    reports: dict[str, dict[str, Any]]
    status: ExitStatus
    rejection: Decision | None = None  # of the standing verdict, by a person

    @property
    def headline(self) -> str:
        """One line for lists."""
        if self.result.failure is not None:
            return self.result.failure.problem.partition("\n")[0]
        return f"{self.result.pipeline} {WORDS[self.status]}"

    @property
    def verdict(self) -> str | None:
        """The gate's; None before its first one and while the run that would make it has failed."""
        if self.result.failure is not None:
            return None
        verdict = self.reports["gate"].get("verdict") if "gate" in self.reports else None
        return None if verdict is None else str(verdict)

    @property
    def bento(self) -> str | None:
        """The tag of the package that stands now."""
        package = self.reports.get("package", {})
        return str(package["tag"]) if package.get("packaged") and self.result.failure is None else None

    def as_object(self) -> dict[str, Any]:
        """What `--json` prints."""
        failure = self.result.failure
        return {
            "pipeline": self.result.pipeline,
            "run": self.result.run,
            "stages": [
                {
                    "name": stage.name if stage.pipeline == self.result.pipeline else f"{stage.name}@{stage.pipeline}",
                    "state": stage.state,
                    "seconds": round(stage.seconds, 3),
                    "why": list(stage.why),
                }
                for stage in self.result.stages
            ],
            "verdict": self.verdict,
            "bento": self.bento,
            "commit": self.result.kept.commit,
            "version": self.result.kept.version,
            "rejected_by": self.rejection.who if self.rejection else None,
            "failure": None if failure is None else {"problem": failure.problem, "remedy": failure.remedy},
            "status": int(self.status),
        }

    def text(self) -> str:
        """For a terminal."""
        lines = [f"\n{self.result.pipeline}: {self._what()}", *self._stage_lines()]
        if not self.result.planned:
            lines += [*self._data(), *self._scores(), *self._decision(), *self._record(), *self._next()]
        return "\n".join(lines)

    def markdown(self) -> str:
        """For Prefect's artifact."""
        return f"```\n{self.text().strip()}\n```\n"

    def _what(self) -> str:
        stale = [stage for stage in self.result.stages if stage.state != "unchanged"]
        if self.result.planned:
            of = f"of {len(self.result.stages)} stages"
            return f"{len(stale)} {of} would run{_for_long(stale)}" if stale else "nothing would run"
        if not stale:
            return "nothing was redone: data, settings, libraries and code are those of the last run"
        done = sum(stage.state in ("ran", "restored") for stage in stale)
        seconds = format_seconds(sum(stage.seconds for stage in stale))
        return f"{done} of {len(self.result.stages)} stages redone in {seconds}"

    def _stage_lines(self) -> list[str]:
        return [f"  {self._name(stage):<10} {_state(stage)}" for stage in self.result.stages]

    def _name(self, stage: StageResult) -> str:
        return stage.name if stage.pipeline == self.result.pipeline else f"{stage.name}@{stage.pipeline}"

    def _data(self) -> list[str]:
        report = self.reports.get("validate")
        if report is None or self._not_done("ingest", "validate"):
            return []
        kept = ", ".join(f"{number:,} {split}" for split, number in report["kept"].items())
        lines = [
            f"\nrows     {report['rows']:,} read: {kept}",
            f"         {report['quarantined']:,} quarantined in {self._path('validate', 'quarantine.parquet')}",
            f"         what was found: reports/{self.result.pipeline}/validate.md",
        ]
        said = self.result.failure.problem if self.result.failure else ""  # once is enough
        return lines + [f"         {reason}" for reason in report.get("reasons", ()) if reason not in said]

    def _not_done(self, *names: str) -> bool:
        """Whether what their reports say is an earlier run's."""
        return any(
            stage.state in ("failed", "not reached")
            for stage in self.result.stages
            if stage.name in names and stage.pipeline == self.result.pipeline
        )

    def _path(self, stage: str, name: str) -> str:
        return self.workspace.relative(self.workspace.stage(self.result.pipeline, stage) / name)

    def _scores(self) -> list[str]:
        report = self.reports.get("evaluate")
        if report is None or self.result.failure is not None or self._not_done("ingest", "validate"):
            return []
        primary, baseline = report["primary"], report["baseline"]
        return [
            f"score    {_estimate(primary)} on {primary['n']:,} test rows",
            f"         {_estimate(baseline)} is what the baseline reaches",
        ]

    def _decision(self) -> list[str]:
        failure = self.result.failure
        if failure is not None:
            return ["\nstopped  " + f"{failure.problem}\n{failure.remedy}".replace("\n", "\n         ")]
        if self.verdict is None:
            return []
        checks = _checks_lines(self.reports["gate"]["checks"])
        if self.verdict != "PASS":
            checks.append(f"         the whole verdict: reports/{self.result.pipeline}/gate.md")
        package = self.reports.get("package", {})
        bento = f"Bento    {self.bento}" if self.bento else f"Bento    none: {package.get('why', 'not packaged')}"
        return [f"verdict  {self.verdict}", *checks, *self._rejected(), bento]

    def _rejected(self) -> list[str]:
        if self.rejection is None:
            return []
        return [f"rejected by {self.rejection.who} at {self.rejection.when}: {self.rejection.why}"]

    def _record(self) -> list[str]:
        """Which version it is, and where the run is kept."""
        kept = self.result.kept
        lines = []
        if kept.version:
            lines.append(f"version  {kept.version}{f', live in {kept.live}' if kept.live else ''}")
        if self.result.run and kept.commit:
            lines.append(f"record   {kept.commit[:10]}, listed by `tunegate runs` and `dvc exp show`")
        return lines + ([f"note     {kept.note}"] if kept.note else [])

    def _next(self) -> list[str]:
        pipeline = self.result.pipeline
        lines = self._to_decide()
        if self.workspace.shared_state is not None:  # a deployed run, in a tree that is about to go
            return lines + self._take_over()
        if self.bento and self.rejection is None:
            lines += [
                f"\nserve    tunegate serve {pipeline}",
                f"ask      tunegate predict {pipeline} {self._question()}",
            ]
        redone = any(stage.state in ("ran", "restored") for stage in self.result.stages)
        if redone and self.result.failure is None:
            lines.append(f"commit   git add params.yaml dvc.lock data reports && git commit -m '{self.headline}'")
        return lines

    def _take_over(self) -> list[str]:
        """How a person brings a deployed run's results into a tree of their own."""
        commit = self.result.kept.commit
        if commit is None or self.result.failure is not None:
            return []
        return [f"\ntake it  git restore --source {commit[:10]} dvc.lock data reports && dvc checkout"]

    def _question(self) -> str:
        """As `tunegate predict` wants one of this task: a text, or a record such as the task's first example."""
        from pydantic import ValidationError

        from tunegate.tasks import record_of

        task = self.reports.get("evaluate", {}).get("task")
        if task is None:
            return '--text "..."'
        part = record_of(task)
        try:
            part.Record.model_validate({"text": "..."})
        except ValidationError:
            asked = {name: value for name, value in part.EXAMPLES[0].items() if name in part.Record.model_fields}
            return f"--record '{json.dumps(asked, ensure_ascii=False)}'"
        return '--text "..."'

    def _to_decide(self) -> list[str]:
        """What a person may decide now."""
        kept = self.result.kept
        if self.rejection is not None:
            return []
        if kept.version and kept.live is None and self.result.run:
            return [f'\npromote  tunegate versions promote {kept.version} production --why "..."']
        if kept.commit and kept.version is None and self.verdict == "UNDECIDED":
            return [f'\ndecide   tunegate versions approve {self.result.run} --why "..."  (or: reject)']
        return []


def summarise(workspace: Workspace, result: Result) -> Summary:
    """The reports as they stand."""
    reports = {
        stage.name: json.loads(path.read_text(encoding="utf-8"))
        for stage in result.stages
        if (path := workspace.report(result.pipeline, stage.name)).is_file() and stage.pipeline == result.pipeline
    }
    rejection = rejection_of(workspace, result.pipeline)
    return Summary(workspace, result, reports, exit_status(workspace, result), rejection)


def _checks_lines(checks: list[dict[str, Any]]) -> list[str]:
    """One by one; of a kind with many that pass (behaviour tests) only how many, and the others one by one."""
    passed = Counter(_kind(check) for check in checks if check["verdict"] == "PASS")
    lines = [
        line
        for check in checks
        if check["verdict"] != "PASS" or passed[_kind(check)] <= MOST_OF_A_KIND
        for line in _check_lines(check)
    ]
    many = {kind: number for kind, number in passed.items() if number > MOST_OF_A_KIND}
    return lines + [f"         {'PASS':<9} {kind}: {number} tests pass" for kind, number in many.items()]


def _kind(check: dict[str, Any]) -> str:
    return str(check["name"]).partition(":")[0]


def _check_lines(check: dict[str, Any]) -> list[str]:
    """The check, and what to do where it did not pass."""
    lines = [f"         {check['verdict']:<9} {check['name']}: {check['reason']}"]
    if check["verdict"] != "PASS" and check.get("remedy"):
        lines.append(f"         {'':<9} -> {check['remedy']}")
    return lines


def _state(stage: StageResult) -> str:
    why = f" ({'; '.join(stage.why)})" if stage.why else ""
    if stage.state == "stale":
        return f"would run{f', {format_seconds(stage.seconds)}' if stage.seconds else ''}{why}"
    if stage.state in ("ran", "restored"):
        return f"{stage.state:<9} {format_seconds(stage.seconds):>12}{why}"
    return stage.state


def _for_long(stale: list[StageResult]) -> str:
    """By past runs: less where a result is restored, or where what follows turns out the same."""
    known = [stage.seconds for stage in stale if stage.seconds]
    if not known:
        return ""
    new = len(stale) - len(known)
    rest = f" and {new} that never ran" if new else ""
    return f", about {format_seconds(sum(known))} by past runs{rest}"


def _estimate(estimate: dict[str, Any]) -> str:
    return f"{estimate['name']} {estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
