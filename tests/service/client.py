"""Asks the layer in process, byte for byte as a server would hand requests on."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tunegate.service.asgi import Layer, Message, Receive, Scope, Send
from tunegate.service.openapi import openapi, pages
from tunegate.service.questions import QuestionReader
from tunegate.service.room import Room
from tunegate.tasks import record_of

JSON = (("content-type", "application/json"),)
LOOPBACK = ("127.0.0.1", 50_000)


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The one error shape, checked."""
        content = self.json
        assert content.keys() == {"error", "request_id"}
        assert content["error"].keys() == {"code", "message", "where"}
        error: dict[str, Any] = content["error"]
        return error


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where BentoML does."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inner"})


@dataclass
class Client:
    room: Room
    token: str | None = None
    inner_paths: list[str] = field(default_factory=list)

    def layer(self) -> Layer:
        packaged = self.room.packaged
        record = record_of(packaged.task)
        reader = QuestionReader(record.Record, packaged.limits, packaged.filled)
        return Layer(
            inner, lambda: self.room, reader, pages(packaged, openapi(packaged, record, self.room.version)), self.token
        )

    def ask(
        self,
        body: bytes | Iterable[bytes] = b"",
        *,
        path: str = "/v1/predict",
        method: str = "POST",
        headers: Iterable[tuple[str, str]] = JSON,
        client: tuple[str, int] | None = LOOPBACK,
    ) -> Got:
        """`body` in pieces is a chunked one. No content-length is sent unless `headers` has one."""
        pieces = [body] if isinstance(body, bytes) else list(body)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
            "client": client,
            "server": ("127.0.0.1", 3000),
        }
        return asyncio.run(talk(self.layer(), scope, pieces))

    def records(self, *records: Any, **more: Any) -> Got:
        return self.ask(json.dumps({"records": records, **more}).encode())


async def talk(layer: Layer, scope: Scope, pieces: list[bytes]) -> Got:
    sent: list[Message] = []
    waiting = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, start=1)
    ]

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()  # a client that sends no more
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await layer(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], headers, sent[1]["body"])
