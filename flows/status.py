"""`tunegate status`: how what `tunegate up` keeps is doing, from the server's API, without Prefect being imported."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from flows.alive import Kept, last_kept, read_kept
from flows.api import Server
from flows.locks import Wait, waits
from flows.prefect_file import KINDS, Schedule, schedules_of
from tunegate.errors import OutsideError
from tunegate.workspace import Workspace

MOST = 200
IN_PROGRESS = ("RUNNING", "PENDING", "CANCELLING")


@dataclass(frozen=True)
class Worker:
    name: str
    pool: str
    status: str
    heard: str | None


@dataclass(frozen=True)
class Queue:
    """`waiting` are runs whose time has come and which nobody has begun."""

    name: str
    pool: str
    status: str
    waiting: int


@dataclass(frozen=True)
class Coming:
    """A deployment's schedules in words, and the next time of them all."""

    deployment: str
    schedules: tuple[str, ...]
    next: str | None


@dataclass(frozen=True)
class FlowRun:
    name: str
    state: str
    deployment: str | None
    since: str | None


@dataclass(frozen=True)
class Status:
    """`kept` is None when nothing is up; `why` says what is not as it should be."""

    kept: Kept | None
    why: str = ""
    workers: tuple[Worker, ...] = ()
    queues: tuple[Queue, ...] = ()
    coming: tuple[Coming, ...] = ()
    running: tuple[FlowRun, ...] = ()
    late: tuple[FlowRun, ...] = ()
    paused: tuple[FlowRun, ...] = ()
    waits: tuple[Wait, ...] = ()

    @property
    def healthy(self) -> bool:
        return not self.why

    def as_object(self) -> dict[str, Any]:
        """For other programs."""
        page = self.kept.page if self.kept else None
        return {"healthy": self.healthy, "page": page, **asdict(self)}

    def text(self) -> str:
        """For people."""
        lines = [f"server   {self._server()}", *self._table("worker", self._workers())]
        lines += [*self._table("queue", self._queues()), *self._table("schedule", self._schedules())]
        lines += [
            *self._table("running", map(_run_line, self.running)),
            *self._table("late", map(_run_line, self.late)),
        ]
        lines += self._table("waits", [*self._for_people(), *(wait.words() for wait in self.waits)])
        return "\n".join(lines)

    def _server(self) -> str:
        if self.kept is None:
            return self.why
        restarts = ", ".join(f"{name} started again {number} x" for name, number in self.kept.restarts.items())
        said = (
            f"{self.kept.page}, {self.why or 'healthy'}, process {self.kept.process.pid} since {_at(self.kept.since)}"
        )
        return f"{said}; {restarts}" if restarts else said

    def _workers(self) -> Iterator[str]:
        for each in self.workers:
            heard = f", last heard {_at(each.heard)}" if each.heard else ""
            yield f"{each.name} in pool {each.pool}: {each.status.lower()}{heard}"

    def _queues(self) -> Iterator[str]:
        for each in self.queues:
            yield f"{each.pool}/{each.name}: {each.status.lower().replace('_', ' ')}, {each.waiting} waiting"

    def _schedules(self) -> Iterator[str]:
        for each in self.coming:
            after = f", next {_at(each.next)}" if each.next else ""
            yield f"{each.deployment}: {'; '.join(each.schedules) or 'none'}{after}"

    def _for_people(self) -> Iterator[str]:
        for run in self.paused:
            yield f"{run.name} ({run.state.lower()}) for a person, since {_at(run.since)}"

    @staticmethod
    def _table(head: str, lines: Any) -> list[str]:
        return [f"{head if number == 0 else '':<8} {line}" for number, line in enumerate(lines)]


def look(workspace: Workspace) -> Status:
    """What is there; nothing is started. Never fails for a server that does not answer: that is the answer."""
    kept = read_kept(workspace)
    waiting = tuple(waits(workspace))
    if kept is None:
        last = last_kept(workspace)
        gone = f" The last one failed: {last.why}" if last is not None and last.why else ""
        return Status(
            None, f"nothing is up (`tunegate up` starts it).{gone}", coming=_declared(workspace), waits=waiting
        )
    try:
        return _asked(kept, Server(kept.url), waiting)
    except OutsideError as error:
        why = "is starting" if kept.state == "starting" else error.problem
        return Status(kept, why, coming=_declared(workspace), waits=waiting)


def _asked(kept: Kept, server: Server, waiting: tuple[Wait, ...]) -> Status:
    server.get("health")
    pools = [pool["name"] for pool in server.post("work_pools/filter", limit=MOST)]
    workers = tuple(worker for pool in pools for worker in _workers(server, pool))
    deployments = {each["id"]: each for each in server.post("deployments/filter", limit=MOST)}
    names = {key: each["name"] for key, each in deployments.items()}
    why = "is starting" if kept.state == "starting" else ""
    if not why and not any(worker.status == "ONLINE" for worker in workers):
        why = "no worker is online"
    return Status(
        kept,
        why,
        workers,
        tuple(queue for pool in pools for queue in _queues(server, pool)),
        tuple(_coming(server, each) for each in sorted(deployments.values(), key=_name) if _is_scheduled(each)),
        running=_runs(server, names, {"type": {"any_": list(IN_PROGRESS)}}),
        late=_runs(server, names, {"name": {"any_": ["Late"]}}),
        paused=_runs(server, names, {"type": {"any_": ["PAUSED"]}}),
        waits=waiting,
    )


def _name(deployment: dict[str, Any]) -> str:
    return str(deployment["name"])


def _is_scheduled(deployment: dict[str, Any]) -> bool:
    """Or could be: what other runs start (an approval) is of no interest among schedules."""
    return bool(deployment["schedules"]) or "pipeline" in (deployment["parameters"] or {})


def _workers(server: Server, pool: str) -> list[Worker]:
    found = server.post(f"work_pools/{pool}/workers/filter", limit=MOST)
    return [Worker(each["name"], pool, each["status"], each["last_heartbeat_time"]) for each in found]


def _queues(server: Server, pool: str) -> list[Queue]:
    found = server.post(f"work_pools/{pool}/queues/filter", limit=MOST)
    waiting = {
        each["name"]: server.post(
            "flow_runs/count",
            flow_runs={
                "state": {"type": {"any_": ["SCHEDULED"]}},
                "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
            },
            work_pools={"name": {"any_": [pool]}},
            work_pool_queues={"name": {"any_": [each["name"]]}},
        )
        for each in found
    }
    return [Queue(each["name"], pool, each["status"] or "UNKNOWN", waiting[each["name"]]) for each in found]


def _coming(server: Server, deployment: dict[str, Any]) -> Coming:
    found = server.post(
        "flow_runs/filter",
        flow_runs={
            "deployment_id": {"any_": [deployment["id"]]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "expected_start_time": {"after_": datetime.now(UTC).isoformat()},
        },
        sort="EXPECTED_START_TIME_ASC",
        limit=1,
    )
    words = tuple(_schedule_words(each) for each in deployment["schedules"])
    return Coming(deployment["name"], words, found[0]["expected_start_time"] if found else None)


def _schedule_words(each: dict[str, Any]) -> str:
    """As the server has it, which is what counts."""
    held = each["schedule"]
    kind = next(kind for kind in KINDS if kind in held)
    return Schedule(each["slug"] or "", kind, held[kind], held.get("timezone") or "UTC", active=each["active"]).words()


def _runs(server: Server, names: dict[str, str], state: dict[str, Any]) -> tuple[FlowRun, ...]:
    found = server.post("flow_runs/filter", flow_runs={"state": state}, sort="START_TIME_ASC", limit=MOST)
    return tuple(
        FlowRun(
            each["name"],
            each["state_name"],
            names.get(each["deployment_id"]),
            each["start_time"] or each["expected_start_time"],
        )
        for each in found
    )


def _declared(workspace: Workspace) -> tuple[Coming, ...]:
    """By prefect.yaml, where no server can say."""
    return tuple(
        Coming(name, tuple(each.words() for each in schedules), None)
        for name, schedules in schedules_of(workspace).items()
    )


def _run_line(run: FlowRun) -> str:
    where = f" of {run.deployment}" if run.deployment else " by hand"
    return f"{run.name}{where}: {run.state.lower()}, since {_at(run.since)}"


def _at(moment: str | None) -> str:
    """In the machine's own time, to the second, and the day where it is not today."""
    if moment is None:
        return "?"
    then = datetime.fromisoformat(moment).astimezone()
    today = then.date() == datetime.now().astimezone().date()
    return then.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")
