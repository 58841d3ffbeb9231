"""A team's server as deploy/ describes it, from its own units, with real PostgreSQL, Redis and nginx; their deaths."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.deploy.processes import needed, until
from tests.deploy.proxy import Proxy
from tests.deploy.stack import PYTHON, Stack
from tests.deploy.units import DEPLOY, ROOT
from tests.flows.project import make_project
from tests.projects import git
from tests.service.conftest import bento, export, packaged

pytestmark = pytest.mark.slow
__all__ = ["bento", "export", "packaged"]

FLOW = """
import time
from pathlib import Path

from prefect import flow, task


@task
def step(number: int) -> None:
    time.sleep(0.5)
    with Path("steps.txt").open("a") as file:
        file.write(f"{number}\\n")


@flow
def work(steps: int = 1) -> None:
    for number in range(steps):
        step(number)
"""


@pytest.fixture(scope="module")
def stack(bento: Path) -> Iterator[Stack]:
    """Server, services and a worker of the pool `local`, over a project that has run once."""
    for program in ("initdb", "postgres", "psql", "pg_dump", "redis-server", "nginx", "openssl"):
        needed(program)
    folder = Path(tempfile.mkdtemp(prefix="tunegate-"))  # short: a socket's path has at most 107 characters
    folder.chmod(0o755)  # PostgreSQL's user looks in
    made: Stack | None = None
    try:
        made = Stack.make(folder, folder / "project")
        make_project(folder / "project")
        (folder / "project/flow.py").write_text(FLOW)
        (folder / "project/data/demo/package").mkdir(parents=True)
        (folder / "project/data/demo/package/bento").symlink_to(bento)
        git(folder / "project", "add", "-A")
        git(folder / "project", "commit", "-qm", "start")
        made.up()
        yield made
    finally:
        if made is not None:
            made.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def deployment(stack: Stack) -> str:
    """The flow above, deployed to the pool that the unit's worker polls; the event `tunegate.tried` starts it."""
    stack.prefect("work-pool", "create", "local", "--type", "process")
    stack.prefect("--no-prompt", "deploy", "flow.py:work", "-n", "tried", "-p", "local")
    stack.start("tunegate-worker")
    made = str(stack.ask("/deployments/name/work/tried")["id"])
    trigger = {"type": "event", "posture": "Reactive", "expect": ["tunegate.tried"], "threshold": 1, "within": 0}
    action = {"type": "run-deployment", "source": "selected", "deployment_id": made}
    stack.ask("/automations/", {"name": "tried", "enabled": True, "trigger": trigger, "actions": [action]})
    return made


@pytest.fixture(scope="module")
def proxy(stack: Stack) -> Iterator[Proxy]:
    made = Proxy.make(stack)
    made.start()
    yield made
    made.process.stop()


def runs(stack: Stack, *, scheduled: bool = False) -> list[dict[str, Any]]:
    """The newest first."""
    found = stack.ask("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})
    return [run for run in found if run["auto_scheduled"] == scheduled]


def state_of(stack: Stack, run: str) -> str:
    return str(stack.ask(f"/flow_runs/{run}")["state_type"])


def started(stack: Stack, deployment: str, steps: int) -> str:
    """A run that is in its second step."""
    marks = stack.project / "steps.txt"
    marks.unlink(missing_ok=True)
    body = {"parameters": {"steps": steps}}
    run = str(stack.ask(f"/deployments/{deployment}/create_flow_run", body)["id"])
    until(lambda: marks.exists() and len(marks.read_text().split()) >= 2)
    assert state_of(stack, run) == "RUNNING"
    return run


def steps_done(stack: Stack) -> list[int]:
    return [int(line) for line in (stack.project / "steps.txt").read_text().split()]


def test_only_whoever_has_the_secret_is_answered(stack: Stack) -> None:
    assert stack.status("/health") == stack.status("/ready") == 200
    assert stack.status("/admin/version") == stack.status("/admin/version", "team:wrong") == 401
    assert stack.status("/admin/version", stack.secret) == 200
    for path in (stack.folder / "tunegate-server.log", stack.folder / "tunegate-services.log"):
        assert stack.secret.split(":")[1] not in path.read_text()


@pytest.mark.parametrize("path", ["/events/out", "/events/in", "/logs/out"])
def test_events_and_logs_are_not_streamed_to_strangers(path: str, stack: Stack) -> None:
    with pytest.raises(StrangerError):
        listen_as(stack, path, "team:wrong")
    listen_as(stack, path, stack.secret)


class StrangerError(Exception):
    """The server hung up."""


def listen_as(stack: Stack, path: str, secret: str) -> None:
    """Raises StrangerError where the server ends the conversation."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    try:
        with connect(f"{stack.url.replace('http', 'ws', 1)}{path}", subprotocols=["prefect"]) as socket:  # type: ignore[list-item]
            socket.send(json.dumps({"type": "auth", "token": secret}))
            if json.loads(socket.recv(timeout=20))["type"] != "auth_success":
                raise StrangerError
    except (ConnectionClosed, InvalidStatus) as error:
        raise StrangerError from error


def test_the_tables_are_brought_up_to_date_from_an_older_version(stack: Stack) -> None:
    """As an upgrade does: server and services stand still meanwhile."""
    newest = stack.database.ask("select version_num from alembic_version")
    for name in ("tunegate-services", "tunegate-server"):
        stack.parts[name].stop()
    settings = stack.process("tunegate-migrate").environment
    stack.run(str(PYTHON / "prefect"), "server", "database", "downgrade", "--yes", **settings)
    assert stack.database.ask("select version_num from alembic_version") != newest
    stack.up()
    assert stack.database.ask("select version_num from alembic_version") == newest


def test_an_event_starts_a_run(stack: Stack, deployment: str) -> None:
    """What never happens where services started on tables that were not there yet."""
    stack.prefect("event", "emit", "tunegate.tried", "--resource-id", "data.one")
    until(lambda: runs(stack))
    until(lambda: state_of(stack, runs(stack)[0]["id"]) == "COMPLETED")


def test_a_schedule_makes_runs(stack: Stack, deployment: str) -> None:
    schedule = {"interval": 86_400, "timezone": "Europe/Berlin"}
    [made] = stack.ask(f"/deployments/{deployment}/schedules", [{"active": True, "schedule": schedule}])
    until(lambda: runs(stack, scheduled=True))
    stack.ask(f"/deployments/{deployment}/schedules/{made['id']}", method="DELETE")


def test_a_run_survives_the_death_of_the_database(stack: Stack, deployment: str) -> None:
    """It ends while nobody answers, and its end is not lost."""
    run = started(stack, deployment, 8)
    stack.database.process.kill()
    assert stack.status("/ready") == 503
    until(lambda: steps_done(stack) == list(range(8)))
    time.sleep(3)  # the flow has ended by now, and tries to say so
    stack.database.start()
    until(lambda: state_of(stack, run) == "COMPLETED")
    assert steps_done(stack) == list(range(8))


def test_a_run_survives_the_death_of_redis_and_automations_go_on(stack: Stack, deployment: str) -> None:
    run = started(stack, deployment, 8)
    stack.redis.process.kill()
    until(lambda: steps_done(stack) == list(range(8)))
    stack.redis.start()
    until(lambda: state_of(stack, run) == "COMPLETED")
    before = len(runs(stack))
    stack.prefect("event", "emit", "tunegate.tried", "--resource-id", "data.two")
    until(lambda: len(runs(stack)) > before)


def test_prefect_is_reached_through_the_proxy_over_tls_alone(stack: Stack, deployment: str, proxy: Proxy) -> None:
    outside = {
        "PREFECT_API_URL": f"https://localhost:{proxy.port}/api",
        "PREFECT_API_SSL_CERT_FILE": str(proxy.certificate),
    }
    assert "local" in stack.prefect("work-pool", "ls", **outside)
    before = len(runs(stack))
    stack.prefect("event", "emit", "tunegate.tried", "--resource-id", "data.three", **outside)  # over a WebSocket
    until(lambda: len(runs(stack)) > before)
    assert proxy.ask("prefect.example.org", "/api/admin/version").status == 401
    page = proxy.ask("prefect.example.org", "/")
    assert page.status == 200 and "max-age" in page.headers["Strict-Transport-Security"]
    asked = json.loads(proxy.ask("prefect.example.org", "/ui-settings").text)
    assert (asked["api_url"], asked["auth"]) == ("/api", "BASIC")


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_the_server_takes_pools_of_containers_and_their_stages(kind: str, stack: Stack) -> None:
    made = ["work-pool", "create", "gpu", "--type", kind, "--base-job-template"]
    stack.prefect(*made, str(DEPLOY / f"pools/{kind}-gpu.json"))
    deploy = ["--no-prompt", "deploy", "--all", "--prefect-file", "deploy/pools/prefect.yaml"]
    stack.run(str(PYTHON / "prefect"), *deploy, where=ROOT)
    found = stack.ask("/deployments/name/run-stage/gpu")
    assert found["work_pool_name"] == "gpu" and set(found["parameter_openapi_schema"]["required"]) == {
        "commit",
        "stage",
        "pipeline",
    }
    stack.prefect("--no-prompt", "work-pool", "delete", "gpu")


def test_other_names_get_no_answer(proxy: Proxy) -> None:
    proxy.ask("models.example.org", "/metrics")
    assert proxy.ask("models.example.org", "/metrics").status == 404
    assert proxy.ask("prefect.example.org", "/", Host="nobody.example.org").status == 0


def test_people_log_in_on_the_review_page_through_the_proxy(stack: Stack, proxy: Proxy) -> None:
    said = stack.run(str(PYTHON / "tunegate"), "review", "people", "add", "Ada <ada@example.org>")
    token = said.split()[-1]
    review = stack.start("tunegate-review")
    until(lambda: proxy.ask("review.example.org", "/").status == 303)
    assert proxy.ask("review.example.org", "/").headers["location"] == "/login"
    page = proxy.ask("review.example.org", "/login")
    cookie = page.headers["set-cookie"]
    assert "Secure" in cookie and "HttpOnly" in cookie
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf is not None
    body = urlencode({"csrf": csrf[1], "token": token})
    origin = f"https://review.example.org:{proxy.port}"
    form = {"Cookie": cookie.split(";")[0], "Content_Type": "application/x-www-form-urlencoded"}
    assert proxy.ask("review.example.org", "/login", body, Origin="https://evil.example", **form).status == 403
    assert proxy.ask("review.example.org", "/login", body, Origin=origin, **form).status == 303
    review.stop()


def test_a_model_answers_through_the_proxy_whoever_has_the_token(stack: Stack, proxy: Proxy) -> None:
    stack.start("tunegate-service@demo")
    token = (stack.folder / "etc/secrets/TUNEGATE_TOKEN").read_text()
    body, kind = json.dumps({"records": [{"text": "rain"}]}), {"Content_Type": "application/json"}

    def asked(**headers: str) -> int:
        return proxy.ask("models.example.org", "/v1/predict", body, **kind, **headers).status

    until(lambda: asked(Authorization=f"Bearer {token}") == 200)
    assert asked() == asked(Authorization="Bearer wrong") == 401
    assert proxy.ask("models.example.org", "/metrics").status == 404


def test_a_backup_brings_everything_back(stack: Stack, deployment: str, tmp_path: Path) -> None:
    """The database is lost, and the clone: runs, automations, history and data are there again."""
    git(stack.project, "update-ref", "refs/exps/ab/cd/run", "HEAD")
    git(stack.project, "tag", "-a", "-m", "good", "demo@v1.0.0")
    refs = git(stack.project, "for-each-ref", "--format=%(refname) %(objectname)")
    assert "refs/exps/" in refs
    known = {run["id"]: run["state_type"] for run in runs(stack)}
    said = stack.once("tunegate-backup")
    [backup] = (stack.folder / "backups").iterdir()
    assert str(backup) in said

    for name in ("tunegate-worker", "tunegate-services", "tunegate-server"):
        stack.parts[name].stop()
    stack.database.order("drop database prefect with (force)")
    stack.database.order("create database prefect owner tunegate")
    lost = stack.project.rename(stack.folder / "lost")
    subprocess.run(["git", "clone", "-q", backup / "history.bundle", stack.project], check=True)

    restore = [str(DEPLOY / "restore"), str(backup)]
    settings = stack.process("tunegate-backup").environment
    stack.run(*restore, **settings)
    stack.up()
    assert {run["id"]: run["state_type"] for run in runs(stack)} == known
    assert "tried" in {each["name"] for each in stack.ask("/automations/filter", {})}
    wanted = {line for line in refs.splitlines() if line.startswith(("refs/tags", "refs/exps"))}
    assert wanted <= set(git(stack.project, "for-each-ref", "--format=%(refname) %(objectname)").splitlines())
    assert (stack.project / ".tunegate/people.json").read_text() == (lost / ".tunegate/people.json").read_text()


def test_a_restore_refuses_what_is_damaged_and_what_would_lose_something(stack: Stack) -> None:
    [backup] = (stack.folder / "backups").iterdir()
    command = [str(DEPLOY / "restore"), str(backup)]
    settings = stack.process("tunegate-backup").environment

    def said() -> str:
        asked = subprocess.run(command, env=settings, cwd=stack.project, capture_output=True, text=True, check=False)
        assert asked.returncode == 2
        return asked.stderr

    assert "connections to the database are open" in said()
    for name in ("tunegate-services", "tunegate-server"):
        stack.parts[name].stop()
    assert "is not empty" in said()
    with (backup / "prefect.dump").open("ab") as dump:
        dump.write(b"x")
    assert "damaged" in said()
