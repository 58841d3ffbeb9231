"""Clients over plain sockets, in a process of their own: `python -m benchmarks.load`, a `Load` as JSON on stdin.

Each client keeps one connection and sends its next request when it has read the last answer.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Load:
    """`bodies` are sent in turn. `seconds` and `most` bound the run, whichever comes first."""

    port: int
    path: str
    bodies: list[str]
    clients: int
    seconds: float
    most: int = 5_000


@dataclass
class Counted:
    """Seconds per answered request in order of arrival, other statuses than 200, and the run's own seconds."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0


async def send(load: Load) -> Counted:
    counted = Counted()
    started = time.perf_counter()
    turns = iter(range(load.most))
    await asyncio.gather(*(_client(load, turns, started + load.seconds, counted) for _ in range(load.clients)))
    counted.seconds = time.perf_counter() - started
    return counted


async def _client(load: Load, turns: Iterator[int], end: float, counted: Counted) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    for turn in turns:
        if time.perf_counter() >= end:
            break
        began = time.perf_counter()
        writer.write(request(load.path, load.bodies[turn % len(load.bodies)].encode()))
        status, _ = await read_answer(reader)
        if status == 200:
            counted.latencies.append(time.perf_counter() - began)
        else:
            counted.failed += 1
    writer.close()


def request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer that says its length, as all of these servers do."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0])
    return int(head.split(" ", 2)[1]), await reader.readexactly(length)


def main() -> None:
    load = Load(**json.load(sys.stdin))
    print(json.dumps(vars(asyncio.run(send(load)))))


if __name__ == "__main__":
    main()
