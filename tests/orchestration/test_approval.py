"""An undecided deployed run asks a person: answered on Prefect's page, elsewhere, twice, wrongly, late or never."""

import hashlib
import json
import os
import signal
import socket
from collections.abc import Iterator

import psutil
import pytest

from tests.orchestration.kept import Up
from tests.releases.project import change, make_project
from tests.versions.history import commit
from tunegate.dvc.tracking import track
from tunegate.releases.deciding import reject
from tunegate.versions.decisions import decision_about
from tunegate.versions.registry import read_registry
from tunegate.versions.runs import find_run

pytestmark = pytest.mark.slow


INGEST = """\
stages:
  ingest:
    foreach: [demo]
    do:
      cmd: mkdir -p data/demo/ingest && cp data/raw/demo/rows.csv data/demo/ingest/
      deps: [data/raw/demo]
      outs: [data/demo/ingest]
  validate:
    foreach: [demo]
    do:
      cmd: mkdir -p data/demo/validate && cd data/demo/validate && cp ../ingest/rows.csv train.parquet
        && echo '["a", "b"]' > labels.json && echo facts > facts.parquet
        && echo '{"accepted":true,"reasons":[]}' > verdict.json
      deps: [data/demo/ingest/rows.csv]
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    workspace = make_project(tmp_path_factory.mktemp("up") / "project")
    workspace.params.write_text(
        "pipelines: {demo: {task: text_classification, data: demo, model: models/m, approve_own: false}}\n"
    )
    stages = (workspace.root / "dvc.yaml").read_text()
    (workspace.root / "dvc.yaml").write_text(INGEST + stages[stages.index("      outs: [data/demo/validate]") :])
    (workspace.root / "data/models/m").mkdir(parents=True)
    (workspace.root / "data/models/m/config.json").write_text("{}")
    commit(workspace.root, "Settings")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        made = Up(workspace, probe.getsockname()[1])
    made.tunegate("up")
    yield made
    made.tunegate("down")
    made.nothing_lives()


def undecided(up, name):
    """A deployed run on new data that ends undecided, and the run that waits for a person because of it."""
    new_rows(up, name)
    ended = up.ended(up.begin("demo"))
    assert (ended["state_type"], ended["state_name"]) == ("COMPLETED", "Undecided"), up.logs()
    found = up.server.post("flow_runs/filter", flow_runs={"name": {"any_": [f"{ended['name']}-approval"]}})
    assert len(found) == 1, up.said(ended["id"]) + up.logs()
    waits(up, found[0]["id"])
    return find_run(up.workspace, ended["name"]), found[0]["id"]


def new_rows(up, name):
    """Other data and another verdict, committed."""
    change(up.workspace, name=name, rows=f"one\n{name}\n")
    track(up.workspace, up.workspace.raw("demo"))
    commit(up.root, f"Rows {name}")


def waits(up, asked):
    up.until(lambda: up.run(asked)["state_type"] == "PAUSED", "the run to wait")
    return up.run(asked)["state"]["state_details"]


def answer(up, asked, decision, name="Ben <ben@example.org>", reason="I looked"):
    said = {"decision": decision, "name": name, "reason": reason}
    return up.server.post(f"flow_runs/{asked}/resume", run_input=said)


def form(up, asked):
    """The schema that Prefect's page makes its form of."""
    keyset = up.run(asked)["state"]["state_details"]["run_input_keyset"]
    return up.server.get(f"flow_runs/{asked}/input/{keyset['schema']}")


def test_an_approval_on_the_page_packages_and_registers(up):
    run, asked = undecided(up, "1")
    as_stored(up, "one\n1\n")
    assert up.json("status")["paused"][0]["name"] == f"{run.name}-approval"
    fields = form(up, asked)["properties"]
    assert {"decision", "name", "reason"} <= set(fields) and fields["decision"]["enum"] == ["approve", "reject"]
    answer(up, asked, "approve")
    ended = up.ended(asked)
    assert ended["state_name"] == "Approved", up.said(asked)
    (version,) = read_registry(up.workspace).versions
    assert ended["state"]["message"].endswith(f"It is {version.name}.")
    decision = decision_about(up.workspace, "demo", run.ended.verdict_hash)
    assert (decision.who, decision.why) == ("Ben <ben@example.org>", "I looked")


def test_a_second_run_of_the_pipeline_goes_on_while_one_waits_and_asks_nobody_twice(up):
    _, asked = undecided(up, "2")
    again = up.ended(up.begin("demo"))
    assert again["state_name"] == "Undecided"
    found = up.server.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["PAUSED"]}}})
    assert [each["id"] for each in found] == [asked]
    answer(up, asked, "reject")
    assert up.ended(asked)["state_name"] == "Rejected"


def test_a_decision_elsewhere_ends_the_wait_and_a_second_answer_is_told(up):
    run, asked = undecided(up, "3")
    reject(up.workspace, run, who="Cleo <cleo@example.org>", why="it loses refunds")
    answer(up, asked, "approve")  # before the news is there, or after: it changes nothing
    ended = up.ended(asked)
    assert ended["state_name"] == "Rejected" and "it loses refunds" in ended["state"]["message"]
    assert decision_about(up.workspace, "demo", run.ended.verdict_hash).what == "reject"


def test_news_of_a_decision_ends_the_wait_by_itself(up):
    run, asked = undecided(up, "4")
    up.tunegate("versions", "reject", run.name, "--why", "too few refunds")
    assert up.ended(asked)["state_name"] == "Rejected"


def test_an_answer_that_may_not_be_is_said_and_asked_again_and_an_empty_one_is_refused(up):
    run, asked = undecided(up, "5")
    refused = answer(up, asked, "approve", reason="")
    assert refused["status"] == "REJECT" and up.run(asked)["state_type"] == "PAUSED"
    first = waits(up, asked)["pause_key"]
    answer(up, asked, "approve", name="Anna <anna@example.org>")  # whose run it is
    up.until(lambda: up.run(asked)["state_type"] == "PAUSED" and waits(up, asked)["pause_key"] != first, "to be asked")
    up.until(lambda: "could not be taken" in up.said(asked), "the log")
    assert decision_about(up.workspace, "demo", run.ended.verdict_hash) is None
    answer(up, asked, "reject")
    assert up.ended(asked)["state_name"] == "Rejected"


def test_a_wait_survives_server_and_worker_and_is_no_lost_run(up):
    _, asked = undecided(up, "6")
    for name in ("worker", "server"):
        before = up.process(name)
        os.kill(before.pid, signal.SIGKILL)
        up.until(lambda name=name, before=before: up.process(name) != before, f"another {name}")
    up.until(lambda: up.json("status", status=0)["healthy"], "health")
    assert up.run(asked)["state_type"] == "PAUSED"
    answer(up, asked, "reject", reason="slept over it")
    assert up.ended(asked)["state_name"] == "Rejected"
    assert not [each for each in psutil.Process().children() if each.status() == psutil.STATUS_ZOMBIE]


def test_nobody_answers_in_time(up):
    new_rows(up, "7")
    ended = up.ended(up.begin("demo"))
    (first,) = up.server.post("flow_runs/filter", flow_runs={"name": {"any_": [f"{ended['name']}-approval"]}})
    waits(up, first["id"])
    deployment = up.server.get("deployments/name/approval/approval")
    about = {**first["parameters"], "days": 3 / 86_400}
    short = up.server.post(f"deployments/{deployment['id']}/create_flow_run", parameters=about)["id"]
    last = up.ended(short)
    assert last["state_name"] == "Undecided" and "Nobody decided in time" in last["state"]["message"]
    answer(up, first["id"], "reject")  # the other still waits
    assert up.ended(first["id"])["state_name"] == "Rejected"


def as_stored(up, rows):
    """The store cannot take a Bento that a shell command made: it is there already (see `tests.releases.project`)."""
    verdict = json.loads((up.root / "fixed/gate.json").read_text())
    number = hashlib.sha256(rows.encode() + json.dumps(verdict).encode()).hexdigest()[:12]
    place = up.workspace.state / "bentoml/bentos/demo" / number / "bento.yaml"
    place.parent.mkdir(parents=True)
    place.write_text("in the store\n")
