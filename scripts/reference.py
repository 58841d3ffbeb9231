"""The reference pages, written from the code itself: `make docs`. A test holds the pages equal to what is made here."""

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

from scripts.tasks_page import tasks_page

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
NOTICE = "<!-- Written by `make docs` from the code; edit the code instead. -->\n"
HELP_WIDTH = "80"  # columns: the pages do not depend on the terminal


def params_page() -> str:
    """Every setting, by section."""
    from tunegate.cli.params import all_settings

    lines = [
        "# Settings: params.yaml\n",
        "A pipeline is an entry under `pipelines`; a setting `train.epochs` stands in its section `train`. Only what "
        "differs from the default needs to be written. `tunegate params` prints this list.\n",
    ]
    section = None
    for row in all_settings():
        head = row.key.split(".")[0] if "." in row.key else ""
        if head != section:
            section = head
            lines += [f"\n## {head or 'The pipeline itself'}\n", "| setting | type | default | limits | meaning |"]
            lines += ["|---|---|---|---|---|"]
        cells = (f"`{row.key}`", row.type, f"`{row.default}`", row.limits, row.meaning)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return _page(lines)


def cli_page() -> str:
    """Every command's own help."""
    from tunegate.errors import ExitStatus

    lines = ["# The command line\n", "Commands that report take `--json` for other programs.\n", "## Exit statuses\n"]
    lines += ["| status | meaning |", "|---|---|"]
    lines += [f"| {int(status)} | {EXIT_STATUSES[status.name]} |" for status in ExitStatus]
    lines += ["\n`make` turns every failure into 2: the statuses are those of `tunegate` itself.\n"]
    for path in command_paths():
        lines += [f"## tunegate {' '.join(path)}\n", "```text", _help(path).rstrip(), "```\n"]
    return _page(lines)


EXIT_STATUSES = {
    "PASSED": "the standing verdict is PASS (or approved and packaged), or the command did what it was asked",
    "BUG": "a bug of tunegate: the traceback is printed",
    "MISTAKE": "a mistake of the person's: a file, a setting, an argument; the message says what to do",
    "REFUSED": "refused: the gate says FAIL, or the data is over its limits",
    "UNDECIDED": "undecided: the gate cannot tell, or waits for a person",
    "OUTSIDE": "something outside failed (a remote, a server, the network): trying again may help",
    "INTERRUPTED": "interrupted (Ctrl-C); the same command goes on from there",
}


def command_paths() -> list[tuple[str, ...]]:
    """Every command, groups flattened, in the order of `--help`."""
    import typer

    from tunegate.cli import app

    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        inner = getattr(command, "commands", None)
        if not inner:
            yield path
        for name, below in (inner or {}).items():
            yield from walk(below, (*path, name))

    return list(walk(typer.main.get_command(app), ()))


def _help(path: tuple[str, ...]) -> str:
    from tunegate.cli import run_command

    os.environ["COLUMNS"] = HELP_WIDTH
    text = io.StringIO()
    with redirect_stdout(text):
        run_command([*path, "--help"])
    return text.getvalue()


def service_page() -> str:
    """Routes, limits and errors; per task the request and the answer."""
    from tunegate.bento import Packaged
    from tunegate.params import ServiceSettings
    from tunegate.service.openapi import ERRORS, ROUTING_ERRORS, openapi
    from tunegate.tasks import TASKS, record_of

    packaged = {task: Packaged(pipeline="NAME", task=task, export="...", limits=ServiceSettings()) for task in TASKS}
    documents = {task: openapi(packaged[task], record_of(task), "VERSION") for task in TASKS}
    first = next(iter(documents.values()))
    lines = ["# The service\n", "A running service says all of this of itself: `GET /openapi.json`.\n", "## Routes\n"]
    lines += ["| route | what it does |", "|---|---|"]
    for path, operations in first["paths"].items():
        lines += [f"| `{method.upper()} {path}` | {what['summary']} |" for method, what in operations.items()]
    lines += ["\n## Errors\n", "Every error has one shape; `where` names the place in the request.\n"]
    lines += [_json({"error": {"code": "...", "message": "...", "where": "records[3].text"}, "request_id": "..."})]
    lines += ["| status | code | when |", "|---|---|---|"]
    lines += [
        f"| {status} | `{code}` | {meaning} |"
        for status, codes in sorted({**ERRORS, **ROUTING_ERRORS}.items())
        for code, meaning in codes.items()
    ]
    lines += ["\n## Limits\n", "Settings of the pipeline, section `service`: see [params.md](params.md#service).\n"]
    for task, document in documents.items():
        example = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
        schemas = document["components"]["schemas"]
        lines += [f"## Task {task}\n", "A request to `POST /v1/predict`:\n", _json(example)]
        lines += [_fields("A record", schemas["Record"]), _fields("An answer", schemas["Answer"])]
    return _page(lines)


def _fields(title: str, schema: dict[str, dict[str, dict[str, object]]]) -> str:
    rows = [f"| `{name}` | {field.get('description', '')} |" for name, field in schema["properties"].items()]
    return "\n".join([f"{title}:\n", "| field | meaning |", "|---|---|", *rows, ""])


def checks_page() -> str:
    """Every rule of validate, and what to do about it."""
    from tunegate.tasks import TASKS, record_of
    from tunegate.validation.checks import AFTER_THE_TASKS, BEFORE_THE_TASKS, DATA_CHECKS

    of_tasks = list(dict.fromkeys(check for task in TASKS for check in record_of(task).CHECKS))  # tasks may share one
    lines = [
        "# Checks on data\n",
        "What `validate` and `tunegate check` look at. `validate.checks.<CODE>.action` and `.tolerated` change a "
        "check.\n",
        "## Rows\n",
        "A failing row goes to the quarantine (or is only told of), with its file, line and reason.\n",
        "| code | when | action | what to do |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{check.code}` | {check.what} | {check.action} | {check.remedy} |"
        for check in (*BEFORE_THE_TASKS, *of_tasks, *AFTER_THE_TASKS)
    ]
    lines += ["\n## The data set\n", "| code | action | what to do |", "|---|---|---|"]
    lines += [f"| `{check.code}` | {check.action} | {check.remedy} |" for check in DATA_CHECKS]
    return _page(lines)


def _json(value: object) -> str:
    return f"```json\n{json.dumps(value, ensure_ascii=False)}\n```\n"


def _page(lines: list[str]) -> str:
    return NOTICE + "\n".join(lines).rstrip() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "params.md": params_page,
    "cli.md": cli_page,
    "service.md": service_page,
    "checks.md": checks_page,
    "../tasks.md": lambda: _page(tasks_page()),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
