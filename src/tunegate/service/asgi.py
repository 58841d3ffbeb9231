"""The layer between a stranger and BentoML: routes, limits, token, one error shape.

It answers the hot route itself (BentoML's HTTP layer costs 40 times as much) and passes on only the routes that it
names, so that nothing else of BentoML's is reachable: no pages with foreign scripts, no metric per scanned path.
Every error is `{"error": {"code", "message", "where"}, "request_id"}`; neither texts nor unknown paths are logged.
"""

import asyncio
import hmac
import ipaddress
import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tunegate.service.batcher import DeadlineError, QuestionFailedError, QueueFullError
from tunegate.service.meters import meters
from tunegate.service.questions import QuestionReader, RequestError
from tunegate.service.room import Room

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("bentoml.tunegate")  # below BentoML's logger, so that its settings hold for ours

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
OPEN_ROUTES = frozenset({"/livez", "/readyz", "/healthz"})  # probes carry no token
PASSED_ON = frozenset({*OPEN_ROUTES, "/metrics", "/schema.json"})
PREDICT = "/v1/predict"
MODEL = "/v1/model"
RETRY_AFTER = {"retry-after": "1"}
CLOSE = {"connection": "close"}  # the rest of the body is not read
SAFE = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


@dataclass(frozen=True)
class Page:
    """A fixed answer to GET."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes out."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class ClientGoneError(Exception):
    """Nobody is there to be answered."""


class Layer:
    """The ASGI application that is served. `inner` is BentoML's; `room` is there once `inner` has started."""

    def __init__(
        self,
        inner: App,
        room: Callable[[], Room],
        reader: QuestionReader,
        pages: Mapping[str, Page],
        token: str | None,
    ) -> None:
        self.inner = inner
        self._room = room
        self._reader = reader
        self._pages = pages
        self._token = token
        self._methods = {
            PREDICT: ("POST",),
            **dict.fromkeys((MODEL, *pages, *PASSED_ON), ("GET", "HEAD")),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})
        elif scope["type"] != "http":
            await self.inner(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        route = scope["path"] if scope["path"] in self._methods else "other"
        request_id = _request_id(scope)
        try:
            self._admit(scope, route)
            if route in PASSED_ON:
                await self.inner(scope, receive, send)
                return
            reply = await self._reply(scope, receive, route, request_id)
        except ClientGoneError:
            return
        except RequestError as error:
            reply = _error_reply(error, request_id)
        except Exception as error:
            log.error("request %s failed: %s", request_id, _without_text(error))
            fault = RequestError(500, "internal", "The service failed on this request; its log knows more.")
            reply = _error_reply(fault, request_id)
        seconds = time.perf_counter() - started
        meters().request(route, reply.status, seconds)
        log.info("%s %s status=%d %.1f ms", request_id, route, reply.status, seconds * 1000)
        await _send(send, reply, request_id, head=scope["method"] == "HEAD")

    def _admit(self, scope: Scope, route: str) -> None:
        if route not in OPEN_ROUTES:
            _check_token(scope, self._token)
        if route == "other":
            raise RequestError(404, "not_found", "There is no such path; GET / lists them.")
        methods = self._methods[route]
        if scope["method"] not in methods:
            allowed = ", ".join(methods)
            raise RequestError(
                405, "method_not_allowed", f"This path answers {allowed}.", headers={"allow": allowed, **CLOSE}
            )

    async def _reply(self, scope: Scope, receive: Receive, route: str, request_id: str) -> Reply:
        if route == PREDICT:
            return await self._predict(scope, receive, request_id)
        if route == MODEL:
            return _json_reply(200, self._room().card())
        page = self._pages[route]
        return Reply(200, page.body, page.content_type)

    async def _predict(self, scope: Scope, receive: Receive, request_id: str) -> Reply:
        room = self._room()
        limits = self._reader.limits
        _check_content_type(scope)
        body = await _body(scope, receive, limits.max_body_bytes, limits.read_seconds)
        questions = self._reader.read(body)
        try:
            answers = await room.ask(questions)
        except QueueFullError:
            raise RequestError(
                503, "overloaded", "Too many records are waiting; try again in a moment.", headers=RETRY_AFTER
            ) from None
        except DeadlineError:
            raise RequestError(
                503, "deadline", "The request waited too long; try again in a moment.", headers=RETRY_AFTER
            ) from None
        except QuestionFailedError as error:
            log.error("request %s failed: %s", request_id, _without_text(error.__cause__ or error))
            raise RequestError(
                500, "internal", "The model failed on this record.", f"records[{error.number}]"
            ) from None
        meters().records(len(answers))
        return _json_reply(200, {"answers": answers, "version": room.version, "request_id": request_id})


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _request_id(scope: Scope) -> str:
    given = _header(scope, b"x-request-id")
    return given if given and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _check_token(scope: Scope, token: str | None) -> None:
    """With a token set everybody needs it; without one only this machine is answered."""
    if token is not None:
        given = (_header(scope, b"authorization") or "").encode("latin-1")
        if not hmac.compare_digest(given, b"Bearer " + token.encode()):
            raise RequestError(
                401,
                "unauthorized",
                "Send the service's token as `Authorization: Bearer ...`.",
                headers={"www-authenticate": "Bearer", **CLOSE},
            )
    elif not (_is_loopback(scope.get("client")) and _is_loopback(scope.get("server"))):
        raise RequestError(
            401,
            "unauthorized",
            "Without a token this service answers only its own machine: start it with TUNEGATE_TOKEN set.",
            headers=CLOSE,
        )


def _is_loopback(address: tuple[str, int | None] | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False


def _check_content_type(scope: Scope) -> None:
    media_type, _, parameters = (_header(scope, b"content-type") or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise RequestError(
            415, "unsupported_media_type", "Send `Content-Type: application/json`, in UTF-8.", headers=CLOSE
        )
    if (_header(scope, b"content-encoding") or "identity").lower() != "identity":
        raise RequestError(415, "unsupported_media_type", "Send the body without Content-Encoding.", headers=CLOSE)


async def _body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes:
    """The whole body, never more than `limit` bytes of it in memory, and not waited for longer than `seconds`."""
    length = _header(scope, b"content-length") or "0"
    if not length.isascii() or not length.isdigit():
        raise RequestError(400, "bad_length", "Content-Length is a whole number.", headers=CLOSE)
    if len(length) > 15 or int(length) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit)
    except TimeoutError:
        raise RequestError(
            408, "body_too_slow", f"The body did not arrive within {seconds:g} seconds.", headers=CLOSE
        ) from None


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> RequestError:
    return RequestError(
        413, "body_too_large", f"A body holds at most {limit:,} bytes; send fewer records.", headers=CLOSE
    )


def _json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return Reply(status, body, headers=headers or {})


def _error_reply(error: RequestError, request_id: str) -> Reply:
    value = {"code": error.code, "message": error.message, "where": error.where}
    # ASCII only: `where` may hold a key that no encoding can write
    body = json.dumps({"error": value, "request_id": request_id}).encode("ascii")
    return Reply(error.status, body, headers=error.headers)


def _without_text(error: BaseException) -> str:
    """The kind of error and where it arose: its message could quote a user."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at " + " < ".join(f"{frame.filename}:{frame.lineno}" for frame in frames[::-1][:5])


async def _send(send: Send, reply: Reply, request_id: str, *, head: bool) -> None:
    headers = {
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
        "x-request-id": request_id,
        **SAFE,
        **reply.headers,
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})
