"""Every task of the table goes the whole path: raw rows, the real stages, a perfect score on its own examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.service.client import Client
from tests.tasks.nasty import questions
from tests.tasks.path import BEFORE_GATE, PIPELINE, WAYS, go, way_id
from tunegate.bento import Packaged
from tunegate.cli import run_command
from tunegate.evaluation.findings import Findings
from tunegate.params import ServiceSettings
from tunegate.predictor import Predictor
from tunegate.records import answer_columns
from tunegate.service.questions import QuestionReader, RequestError
from tunegate.service.room import Room
from tunegate.stages import run_stage
from tunegate.tasks import record_of
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=WAYS, ids=way_id)
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Its stages up to evaluate, run on the task's own examples as JSON lines."""
    return go(request.param, tmp_path_factory.mktemp("path"), BEFORE_GATE)


def task_of(workspace: Workspace) -> str:
    return str(json.loads(workspace.inputs(PIPELINE).read_text())["params"]["task"])


def test_its_own_examples_are_learned_to_a_perfect_score(workspace: Workspace) -> None:
    found = Findings.model_validate_json(workspace.report(PIPELINE, "evaluate").read_text())
    best = 1.0 if found.higher_is_better else 0.0
    assert found.primary.value == pytest.approx(best, abs=0.05)
    assert found.rows == len(record_of(task_of(workspace)).EXAMPLES)


def test_a_gate_can_judge_it(workspace: Workspace) -> None:
    run_stage("gate", PIPELINE, workspace)
    report = json.loads(workspace.report(PIPELINE, "gate").read_text())
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert verdicts["data"] == "FAIL"  # the same rows stand on every side, which a gate must notice
    assert {name.partition(":")[0] for name in verdicts} >= {"data", "baseline", "calibration"}


def test_it_answers_a_question_alone_as_among_others_in_the_words_of_its_answer(workspace: Workspace) -> None:
    part = record_of(task_of(workspace))
    fields = part.Record.model_fields
    questions = [{name: value for name, value in row.items() if name in fields} for row in part.EXAMPLES]
    predictor = Predictor.open(workspace.stage(PIPELINE, "export"), "fp32")
    together = predictor.responses(questions, with_scores=True)
    assert all(part.Answer.model_validate(answer) for answer in together)
    alone = [predictor.responses([question], with_scores=True)[0] for question in questions]
    assert [rounded(answer) for answer in alone] == [rounded(answer) for answer in together]


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 3) if isinstance(value, float) else value


def test_rows_with_a_wrong_answer_are_rejected_and_the_others_stay(workspace: Workspace, tmp_path: Path) -> None:
    part = record_of(task_of(workspace))
    wrong = answer_columns(part.PAYLOAD)[0]
    needed = next((column.name for column in part.PAYLOAD if column.required and column.name == wrong), "text")
    rows = [*part.EXAMPLES[:3], {**part.EXAMPLES[0], wrong: {"no": ["answer"]}}, {**part.EXAMPLES[0], needed: None}]
    from tunegate.params import IngestSettings, SplitSettings
    from tunegate.progress import Progress
    from tunegate.records import read_table
    from tunegate.stages.ingest import ingest
    from tunegate.text.readers import file_of

    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = IngestSettings()
    file = file_of(path, settings)
    report = ingest([file], part.PAYLOAD, settings, SplitSettings(), tmp_path, Progress("ingest"))
    assert (report.rows, report.rejected) == (3, 2)
    assert sorted(read_table(tmp_path / "rejects.parquet")["source_line"].to_pylist()) == [4, 5]


def client_of(workspace: Workspace, characters: int) -> Client:
    """The service's layer around the pipeline's model, for many and large records."""
    predictor = Predictor.open(workspace.stage(PIPELINE, "export"), "fp32")
    limits = ServiceSettings(
        max_characters=characters, max_records=1_000, max_body_bytes=100_000_000, deadline_seconds=600
    )
    manifest = predictor.manifest
    packaged = Packaged(pipeline=PIPELINE, task=manifest.task, export="", limits=limits, filled=manifest.filled)
    return Client(Room(predictor, packaged, "v1.0.0"))


def refusal(reader: QuestionReader, question: dict[str, Any]) -> RequestError | None:
    try:
        reader.read(json.dumps({"records": [question]}).encode())
    except RequestError as error:
        return error
    return None


def sent(client: Client, asked: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """The questions that are answered, all in one request; each of the others must be refused with a reason."""
    part = record_of(client.room.packaged.task)
    reader = QuestionReader(part.Record, client.room.packaged.limits, client.room.packaged.filled)
    refused = {name: refusal(reader, question) for name, question in asked}
    assert [
        name for name, why in refused.items() if why is not None and (why.status, why.message[-1]) != (422, ".")
    ] == []
    taken = [(name, question) for name, question in asked if refused[name] is None]
    got = client.records(*(question for _, question in taken), scores=True)
    assert got.status == 200, (got.body[:300], [name for name, _ in taken])
    for (name, _), answer in zip(taken, got.json["answers"], strict=True):
        assert part.Answer.model_validate(answer), name
    return [name for name, _ in taken]


def test_nasty_texts_over_http_are_answered_or_refused_with_a_reason_and_never_a_500(workspace: Workspace) -> None:
    client = client_of(workspace, 5_000)
    part, filled = record_of(task_of(workspace)), client.room.packaged.filled
    asked = list(questions(part, part.EXAMPLES[0], filled))
    answered = sent(client, asked)
    assert len(answered) > len(asked) / 4 and not [name for name in answered if name.startswith("long")]
    for escape in (rb"\ud800", rb"\udfff\ud800", rb"a\ud83d", rb"\ud800\u0041"):
        body = json.dumps({"records": [asked[0][1]]}).encode().replace(rb"a\u0000b", escape, 1)
        assert escape in body and client.ask(body).status == 400


@pytest.mark.slow
def test_texts_of_100_000_characters_are_answered_where_the_limits_let_them_in(workspace: Workspace) -> None:
    client = client_of(workspace, 200_000)
    part, filled = record_of(task_of(workspace)), client.room.packaged.filled
    long = [one for one in questions(part, part.EXAMPLES[0], filled) if one[0].startswith(("long", "a long"))]
    assert sent(client, long)


@pytest.fixture
def packaged(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predictor:
    """A project whose packaged version is the pipeline's model; commands run in it."""
    from tunegate.bento.building import build

    export = workspace.stage(PIPELINE, "export")
    predictor = Predictor.open(export, "fp32")
    manifest = predictor.manifest
    note = Packaged(
        pipeline=PIPELINE, task=manifest.task, export=manifest.digest, limits=ServiceSettings(), filled=manifest.filled
    )
    build(export, note, ROOT / "bentofile.yaml", tmp_path / "data" / PIPELINE / "package" / "bento")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    entry = f"{{task: {manifest.task}, data: tiny, model: models/tiny}}"
    (tmp_path / "params.yaml").write_text(f"pipelines:\n  {PIPELINE}: {entry}\n")
    monkeypatch.chdir(tmp_path)
    return predictor


@pytest.mark.slow
def test_nasty_texts_in_a_file_and_in_a_record_are_answered_or_refused_by_predict(
    packaged: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    part, filled = record_of(packaged.manifest.task), packaged.manifest.filled
    columns = {column.name for column in part.PAYLOAD if column.kind == "text"}
    short = [one for one in questions(part, part.EXAMPLES[0], filled) if not one[0].startswith("long")]
    rows = [question for _, question in short if set(question) <= columns]
    lines = [json.dumps(row) for row in rows]
    lines += [lines[0].replace(r"a\u0000b", r"a\ud800b"), "{", "null", "[]", '"text"']
    Path("rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run_command(["predict", PIPELINE, "--file", "rows.jsonl", "--output", "answers.jsonl"]) == 0
    answers = [json.loads(line) for line in Path("answers.jsonl").read_bytes().split(b"\n")[:-1]]
    assert [answer.pop("line") for answer in answers] == list(range(1, len(lines) + 1))
    assert all(answer.get("error") or part.Answer.model_validate(answer) for answer in answers)
    assert all("error" in answer for answer in answers[len(rows) :])
    for number, (name, question) in enumerate(short):
        if number % 12 == 0:
            capsys.readouterr()
            status = run_command(["predict", PIPELINE, "--record", json.dumps(question), "--json"])
            told = capsys.readouterr()
            assert (status == 0 and json.loads(told.out)) or (status == 2 and "This is no question" in told.err), name
