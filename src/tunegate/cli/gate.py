"""`tunegate gate`: how good the gate itself is on a pipeline's rows, and behaviour tests tried without a run."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate.errors import ExitStatus, UserError
from tunegate.workspace import Workspace, check_pipeline_name, no_such_pipeline

if TYPE_CHECKING:
    from tunegate.behaviour.results import TestResult
    from tunegate.gate.checks import Check
    from tunegate.gate.selftest import Measured, SelfTest
    from tunegate.params import PipelineSettings

commands = typer.Typer(help="The gate itself: measured on your rows, and behaviour tests tried without a run.")
HOW = {"drawn": "", "altered": " (answers altered)", "run": " (the model run on them)"}


def add_to(app: typer.Typer) -> None:
    app.add_typer(commands, name="gate", no_args_is_help=True)


@commands.command("selftest")
def selftest(
    pipeline: Annotated[str, typer.Argument(help="a pipeline that has been run")],
    trials: Annotated[int, typer.Option(help="candidates per line", min=1, max=100_000)] = 200,
    seed: Annotated[int, typer.Option(help="another seed, other draws", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Measure how often the gate blocks an equal model and passes a worse one, on this pipeline's own test rows."""
    from tunegate.gate.selftest import selftest as run
    from tunegate.gate.subject import read_subject
    from tunegate.progress import Progress

    workspace = Workspace.find()
    settings = _settings(workspace, pipeline)
    progress = Progress("selftest", sys.stderr)
    subject = read_subject(workspace, pipeline, settings.gate)
    found = run(subject, trials, seed, lambda done, total: progress.advance("kinds of candidates", done, total))
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        _show_selftest(found)


@commands.command("behaviour")
def behaviour(
    pipeline: Annotated[str, typer.Argument(help="a pipeline that has been run")],
    file: Annotated[Path | None, typer.Argument(help="the tests (default: evaluate.behaviour of params.yaml)")] = None,
    failures: Annotated[int, typer.Option(help="failing cases that are shown per test", min=0, max=10)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Try behaviour tests on the exported model, and show what fails. Writes nothing.

    Exit status: 0 passed, 3 a test fails, 4 one is undecided, 2 a mistake to mend.
    """
    from tunegate.behaviour.running import run_behaviour
    from tunegate.gate import combine
    from tunegate.gate.behaviour import judged
    from tunegate.predictor import Predictor
    from tunegate.records import read_table

    workspace = Workspace.find()
    settings = _settings(workspace, pipeline)
    path, name = _tests(workspace, settings, file)
    predictor = Predictor.open(workspace.stage(pipeline, "export"))
    rows = read_table(workspace.stage(pipeline, "validate") / "test.parquet")
    found = run_behaviour(path, name, rows, {predictor.precision: predictor}, settings.evaluate.seed)
    [results] = found.precisions.values()
    checks = [judged(result, predictor.precision) for result in results]
    verdict = combine(checks)
    if as_json:
        tests = [
            {**result.model_dump(mode="json"), "verdict": check.verdict, "remedy": check.remedy}
            for result, check in zip(results, checks, strict=True)
        ]
        print(json.dumps({"verdict": verdict, "file": name, "tests": tests}, indent=2, ensure_ascii=False))
    else:
        for result, check in zip(results, checks, strict=True):
            _show_test(result, check, failures)
    statuses = {"PASS": ExitStatus.PASSED, "FAIL": ExitStatus.REFUSED, "UNDECIDED": ExitStatus.UNDECIDED}
    raise typer.Exit(statuses[verdict])


def _settings(workspace: Workspace, pipeline: str) -> "PipelineSettings":
    from tunegate.params_file import load_pipelines
    from tunegate.tasks import options_of

    pipelines = load_pipelines(workspace.params, options_of)
    if check_pipeline_name(pipeline) not in pipelines:
        raise no_such_pipeline(pipeline, pipelines)
    if not workspace.stage(pipeline, "export").is_dir():
        raise UserError(f"{pipeline} has no exported model yet.", f"Run it first: tunegate run {pipeline}.")
    return pipelines[pipeline]


def _tests(workspace: Workspace, settings: "PipelineSettings", file: Path | None) -> tuple[Path, str]:
    """A file given is relative to where the person is, the settings' to the root."""
    if file is not None:
        if not file.is_file():
            raise UserError(f"There is no file {file}.", "Check the path.")
        return file, str(file)
    if settings.evaluate.behaviour is None:
        raise UserError(
            "This pipeline has no behaviour tests: evaluate.behaviour is not set.",
            "Name a file of tests, or set evaluate.behaviour in params.yaml.",
        )
    return workspace.root / settings.evaluate.behaviour, settings.evaluate.behaviour


def _show_selftest(found: "SelfTest") -> None:
    from tunegate.new_pipeline.margin import points

    print(
        f"{found.pipeline}: {found.rows:,} test rows, margin {points(found.margin)}, discordance "
        f"{100 * found.discordance:.1f} %, {found.trials:,} candidates a line. The champion is the model judged last.\n"
    )
    print(f"{'candidate':<58} {'truly':>7} {'PASS':>7} {'UNDEC.':>7} {'FAIL':>7}  because of")
    for line in found.measured:
        because = ", ".join(f"{name} {count}" for name, count in list(line.because.items())[:3])
        shares = " ".join(f"{100 * share:6.1f}%" for share in (line.passed, line.undecided, line.failed))
        print(f"{_name(line):<58} {100 * line.change:+7.1f} {shares}  {because}")
    print(f"\n{_summary(found)}")


def _name(line: "Measured") -> str:
    return f"{line.name}{HOW[line.how]}"[:58]


def _summary(found: "SelfTest") -> str:
    from tunegate.statistics.power import certified_margin

    equal = next(line for line in found.measured if line.name == "an equal model")
    worse = [line for line in found.measured if line.how == "drawn" and line.change < 0]
    passed = " and ".join(f"one that is {line.name} in {100 * line.passed:.1f} %" for line in worse)
    said = f"The gate blocks an equal model in {100 * equal.failed:.1f} % of the trials and passes {passed}."
    able = certified_margin(found.rows, discordance=found.discordance)
    if equal.undecided > 0.25:
        said += (
            f"\nAn equal model is undecided in {100 * equal.undecided:.1f} %: {found.rows:,} test rows certify about "
            f"{100 * able:.1f} points, gate.margin is {100 * found.margin:g}. Label more rows, or widen the margin."
        )
    return said


def _show_test(result: "TestResult", check: "Check", failures: int) -> None:
    print(f"{check.verdict:<10} {result.name}: {check.reason}")
    for failing in result.examples[:failures]:
        print(f"             {_texts(failing.changed or failing.record)}")
        if failing.changed:
            print(f"             (was: {_texts(failing.record)})")
        print(f"             wanted {failing.wanted}, got {failing.got}")
    if check.remedy:
        print(f"           {check.remedy}")


def _texts(record: dict[str, str]) -> str:
    """All texts of a record on one line, cut."""
    plain = " / ".join(" ".join(text.split()) for text in record.values())
    return plain if len(plain) <= 160 else f"{plain[:157]}..."
