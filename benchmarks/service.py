"""Requests per second and latency beside other services of the same model: `python -m benchmarks.service [--quick]`.

The pipeline must have been run (its model and Bento are used). Every server has one and the same core to itself, the
clients another; servers are asked in turn, in short slices, so that a busy machine troubles all of them alike.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks import report
from benchmarks.load import Counted, Load
from tunegate.bento import EXPORT, SERVING, environment, packaged_bento
from tunegate.bento.running import Address, Server, free_port, serve_command, wait_until_ready
from tunegate.records import read_table
from tunegate.workspace import Workspace

ROOT = Path(__file__).parents[1]
CLIENTS = (1, 8, 32)
TEXTS = 256
OURS = "tunegate fp32"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")} | {"TOKENIZERS_PARALLELISM": "false"}
PINNED = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.argv[2], sys.argv[2:])"


@dataclass(frozen=True)
class Contender:
    """A server, how it is asked, and where its answer stands."""

    name: str
    command: list[str]
    address: Address
    path: str
    body: str  # JSON with TEXT in place of the text's JSON
    env: dict[str, str]

    def bodies(self, texts: Sequence[str]) -> list[str]:
        return [self.body.replace("TEXT", json.dumps(text)) for text in texts]


@dataclass(frozen=True)
class Score:
    """Median over the slices; a failed request counts neither as answered nor in the times."""

    per_second: float
    p50: float  # milliseconds
    p99: float
    cpu: float  # the server's CPU milliseconds per answer, its whole family's: a busy machine hardly changes it
    failed: int


@dataclass(frozen=True)
class Running:
    contender: Contender
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Of the server and all its workers so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in family)


@dataclass(frozen=True)
class Slice:
    counted: Counted
    cpu: float  # seconds


def main() -> None:
    arguments = _arguments()
    workspace = Workspace.find(ROOT)
    texts = _texts(workspace, arguments.pipeline)
    seconds, rounds = (1.0, 1) if arguments.quick else (arguments.seconds, arguments.rounds)
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        contenders = _contenders(workspace, arguments.pipeline, Path(home))
        running = [Running(one, stack.enter_context(_serving(one, Path(home)))) for one in contenders]
        _check_agreement(contenders, texts[:16])
        slices = _measure(running, texts, seconds, rounds)
    scores = {key: _score(found) for key, found in slices.items()}
    table = _table(contenders, scores)
    print(report.markdown(table))
    if not arguments.quick:
        libraries = ("tunegate", "bentoml", "fastapi", "transformers", "torch", "openvino")
        how = (
            f"One core and one thread per server, clients on another core; {arguments.pipeline}'s model, "
            f"{len(texts)} held-out texts, one per request; median of {rounds} slices of {seconds:g} s each."
        )
        report.append("The service", how, table, libraries)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", default="support", help="a pipeline that has been run")
    parser.add_argument("--seconds", type=float, default=4.0, help="of one slice")
    parser.add_argument("--rounds", type=int, default=3, help="slices per server and number of clients")
    parser.add_argument("--quick", action="store_true", help="one slice of a second each, results not kept")
    return parser.parse_args()


def _texts(workspace: Workspace, pipeline: str) -> list[str]:
    rows = read_table(workspace.stage(pipeline, "validate") / "test.parquet", columns=["text"])
    return [str(text) for text in rows["text"].to_pylist()][:TEXTS]


def _contenders(workspace: Workspace, pipeline: str, home: Path) -> list[Contender]:
    bento = packaged_bento(workspace, pipeline)
    export = bento / "src" / SERVING / EXPORT
    precisions = json.loads((export / "manifest.json").read_text(encoding="utf-8"))["precisions"]
    peer = {"PEER_MODEL": str(workspace.stage(pipeline, "train") / "model"), "PEER_EXPORT": str(export)}
    listed = [_fastapi(peer)]
    listed += [_bentoml(name, module, body, peer) for name, module, body in BENTOML_PEERS]
    for precision in sorted(precisions, reverse=True):
        address = Address("127.0.0.1", free_port())
        env = {"TUNEGATE_PRECISION": precision}
        body = '{"records": [{"text": TEXT}]}'
        listed.append(
            Contender(f"tunegate {precision}", serve_command(bento, address), address, "/v1/predict", body, env)
        )
    return listed


BENTOML_PEERS = (
    ("BentoML + transformers.pipeline", "bentoml_pipeline", '{"text": TEXT}'),
    ("BentoML adaptive batching + transformers.pipeline", "bentoml_batching", '{"texts": [TEXT]}'),
    ("BentoML adaptive batching + our engine, fp32", "bentoml_openvino", '{"texts": [TEXT]}'),
)


def _fastapi(env: dict[str, str]) -> Contender:
    address = Address("127.0.0.1", free_port())
    command = [sys.executable, "-m", "uvicorn", "benchmarks.peers.plain_fastapi:app", "--port", str(address.port)]
    return Contender("FastAPI + transformers.pipeline", command, address, "/classify", '{"text": TEXT}', env)


def _bentoml(name: str, module: str, body: str, env: dict[str, str]) -> Contender:
    address = Address("127.0.0.1", free_port())
    command = [sys.executable, "-m", "bentoml", "serve", f"benchmarks.peers.{module}:Classifier"]
    command += ["--host", address.host, "--port", str(address.port)]
    return Contender(name, command, address, "/classify", body, env)


@contextmanager
def _serving(contender: Contender, home: Path) -> Iterator[psutil.Process]:
    """On the last core; ended whatever happens, workers too."""
    log = home / f"{contender.address.port}.log"
    core = max(os.sched_getaffinity(0))
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", PINNED, str(core), *contender.command],
            cwd=ROOT,
            env={**environment(home), **ONE_THREAD, **contender.env, "HF_HUB_OFFLINE": "1"},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        ready = "/openapi.json" if "uvicorn" in contender.command else "/readyz"
        wait_until_ready(Server(contender.address), process, log, ready)
        print(f"ready: {contender.name}", flush=True)
        yield psutil.Process(process.pid)
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        _, alive = psutil.wait_procs([*family, process], timeout=20)
        for member in alive:
            member.kill()


def _check_agreement(contenders: Sequence[Contender], texts: Sequence[str]) -> None:
    """The same model everywhere: the same labels, or the comparison is void (bf16 may turn a near tie over)."""
    labels = {}
    for contender in contenders:
        server = Server(contender.address)
        labels[contender.name] = [_label(server.post(contender.path, json.loads(b))) for b in contender.bodies(texts)]
    expected = labels[contenders[0].name]
    for name, found in labels.items():
        same = sum(own == other for own, other in zip(found, expected, strict=True))
        if same < len(texts) - ("bf16" in name):
            raise SystemExit(f"{name} answers {len(texts) - same} of {len(texts)} texts otherwise: another model?")


def _label(answer: Any) -> str:
    while not (isinstance(answer, dict) and "label" in answer):
        answer = answer["answers"] if isinstance(answer, dict) else answer[0]
    return str(answer["label"])


Slices = dict[tuple[str, int], list[Slice]]


def _measure(running: Sequence[Running], texts: Sequence[str], seconds: float, rounds: int) -> Slices:
    slices: Slices = {}
    for number in range(rounds + 1):  # the first round warms everything and is not counted
        for clients in CLIENTS:
            for one in running:
                contender, before = one.contender, one.cpu_seconds()
                bodies = contender.bodies(texts)
                load = Load(contender.address.port, contender.path, bodies, clients, seconds if number else 1.0)
                found = Slice(_send(load), one.cpu_seconds() - before)
                if number:
                    slices.setdefault((contender.name, clients), []).append(found)
        print(f"round {number} of {rounds}", flush=True)
    return slices


def _send(load: Load) -> Counted:
    core = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, "-c", PINNED, str(core), sys.executable, "-m", "benchmarks.load"],
        cwd=ROOT,
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=load.seconds + 120,
        check=True,
    )
    return Counted(**json.loads(done.stdout))


def _score(slices: Sequence[Slice]) -> Score:
    counts = [one.counted for one in slices]
    milliseconds = [1000 * np.array(one.latencies or [np.nan]) for one in counts]
    return Score(
        per_second=median(len(one.latencies) / one.seconds for one in counts),
        p50=median(float(np.percentile(times, 50)) for times in milliseconds),
        p99=median(float(np.percentile(times, 99)) for times in milliseconds),
        cpu=median(1000 * one.cpu / max(len(one.counted.latencies), 1) for one in slices),
        failed=sum(one.failed for one in counts),
    )


def _table(contenders: Sequence[Contender], scores: dict[tuple[str, int], Score]) -> list[list[str]]:
    """Answers per second, latencies, the server's CPU; how many times as many answers ours in fp32 gives; failures."""
    head = ["service", *(f"{clients} clients: answers/s, p50, p99 (ms), CPU ms each" for clients in CLIENTS)]
    table = [[*head, "tunegate fp32 answers more by", "failed"]]
    for contender in contenders:
        found = [scores[contender.name, clients] for clients in CLIENTS]
        ours = [scores[OURS, clients] for clients in CLIENTS]
        ratios = " / ".join(f"{own.per_second / one.per_second:.1f} x" for own, one in zip(ours, found, strict=True))
        cells = [f"{one.per_second:.0f}, {one.p50:.0f}, {one.p99:.0f}, {one.cpu:.1f}" for one in found]
        table.append([contender.name, *cells, ratios, str(sum(one.failed for one in found))])
    return table


if __name__ == "__main__":
    main()
