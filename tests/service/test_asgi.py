import logging

import pytest

from tests.service.client import JSON, Client
from tunegate.bento import Packaged
from tunegate.params import ServiceSettings
from tunegate.predictor import Predictor
from tunegate.service.room import Room


def limited(predictor: Predictor, packaged: Packaged, **limits: float) -> Client:
    settings = ServiceSettings.model_validate({**packaged.limits.model_dump(), **limits})
    return Client(Room(predictor, packaged.model_copy(update={"limits": settings}), "demo@v1.0.0"))


def test_answers_come_in_order_with_the_version_and_the_request_id(client: Client, predictor: Predictor) -> None:
    texts = ["the soup needs salt", "a storm", "bread " * 20, "rain"]
    got = client.ask(
        b'{"records": [' + b", ".join(b'{"text": "%s"}' % text.encode() for text in texts) + b"]}",
        headers=(*JSON, ("x-request-id", "mine-1")),
    )
    assert got.status == 200 and got.headers["x-request-id"] == "mine-1"
    assert got.json["version"] == "demo@v1.0.0" and got.json["request_id"] == "mine-1"
    expected = predictor.responses([{"text": text} for text in texts])
    assert [answer["label"] for answer in got.json["answers"]] == [answer["label"] for answer in expected]
    assert [answer["confidence"] for answer in got.json["answers"]] == pytest.approx(
        [answer["confidence"] for answer in expected], abs=3e-6
    )


def test_scores_come_on_request_and_only_then(client: Client) -> None:
    assert client.records({"text": "rain"}).json["answers"][0].keys() == {"label", "confidence"}
    scores = client.records({"text": "rain"}, scores=True).json["answers"][0]["scores"]
    assert scores.keys() == {"food", "weather"} and sum(scores.values()) == pytest.approx(1)


def test_the_card_says_what_answers(client: Client) -> None:
    card = client.ask(path="/v1/model", method="GET").json
    assert card["version"] == "demo@v1.0.0" and card["labels"] == ["food", "weather"] and card["precision"] == "fp32"
    assert card["limits"]["max_records"] == 8


def test_a_large_body_is_refused_before_it_is_read(client: Client) -> None:
    got = client.ask([], headers=(*JSON, ("content-length", "20001")))
    assert got.status == 413 and got.error["code"] == "body_too_large" and got.headers["connection"] == "close"


def test_a_chunked_body_is_refused_as_soon_as_it_passes_the_limit(client: Client) -> None:
    assert client.ask([b" " * 9_000] * 3).status == 413


def test_a_chunked_body_within_the_limit_is_answered(client: Client) -> None:
    assert client.ask([b'{"records": [{"te', b'xt": "ra', b'in"}]}', b""]).status == 200


def test_a_body_that_does_not_arrive_is_answered_408(predictor: Predictor, packaged: Packaged) -> None:
    slow = limited(predictor, packaged, read_seconds=0.01)
    got = slow.ask([], headers=(*JSON, ("content-length", "100")))
    assert got.status == 408 and got.error["code"] == "body_too_slow"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", "text/plain"),),
        (("content-type", "application/vnd.bentoml+pickle"),),
        (("content-type", "multipart/form-data; boundary=x"),),
        (("content-type", "application/json; charset=utf-16"),),
        (*JSON, ("content-encoding", "gzip")),
    ],
)
def test_another_content_type_is_answered_415(client: Client, headers: tuple[tuple[str, str], ...]) -> None:
    assert client.ask(b'{"records": [{"text": "rain"}]}', headers=headers).status == 415


def test_json_with_its_charset_named_is_fine(client: Client) -> None:
    headers = (("content-type", 'Application/JSON; charset="UTF-8"'),)
    assert client.ask(b'{"records": [{"text": "rain"}]}', headers=headers).status == 200


@pytest.mark.parametrize("path", ["/static_content/x.js", "/predict", "/v1/predict/", "/docs", "/assets/a", "/../etc"])
def test_only_known_paths_exist(client: Client, path: str) -> None:
    got = client.ask(path=path, method="GET")
    assert got.status == 404 and got.error["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/predict", "POST"), ("POST", "/v1/model", "GET, HEAD"), ("TRACE", "/livez", "GET, HEAD")],
)
def test_a_wrong_method_is_answered_with_the_right_ones(client: Client, method: str, path: str, allowed: str) -> None:
    got = client.ask(path=path, method=method)
    assert got.status == 405 and got.headers["allow"] == allowed


def test_without_a_token_only_this_machine_is_answered(client: Client) -> None:
    for address in (("10.0.0.7", 1), None, ("not an address", 1)):
        got = client.ask(b'{"records": [{"text": "rain"}]}', client=address)
        assert got.status == 401 and "TUNEGATE_TOKEN" in got.error["message"]
    assert client.ask(path="/readyz", method="GET", client=("10.0.0.7", 1)).body == b"inner"


def test_with_a_token_everybody_needs_it(client: Client) -> None:
    guarded = Client(client.room, token="s3cret")
    body = b'{"records": [{"text": "rain"}]}'
    assert guarded.ask(body).status == 401
    assert guarded.ask(body, headers=(*JSON, ("authorization", "Bearer s3cre"))).status == 401
    far = guarded.ask(body, headers=(*JSON, ("authorization", "Bearer s3cret")), client=("10.0.0.7", 1))
    assert far.status == 200
    assert guarded.ask(path="/metrics", method="GET").status == 401


def test_pages_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.ask(path="/", method="GET")
    assert page.status == 200 and b"<script" not in page.body and b"src=" not in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_head_answers_without_a_body(client: Client) -> None:
    got = client.ask(path="/", method="HEAD")
    assert got.status == 200 and got.body == b"" and int(got.headers["content-length"]) > 0


def test_a_users_text_never_reaches_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client.records({"text": "private words"})
        client.records({"text": 5, "private words": 1})
        client.ask(path="/private words", method="GET")
        client.ask(b'{"records": [{"text": "private words')
    assert len(caplog.records) >= 4 and "private" not in caplog.text


def test_an_error_of_ours_tells_the_client_nothing_and_the_log_no_text(
    predictor: Predictor, packaged: Packaged, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Room):
        def _answer(self, questions: object) -> list[dict[str, object]]:
            raise ValueError(f"cannot answer {questions}")

    got = Client(Broken(predictor, packaged, "demo")).records({"text": "private words"})
    assert got.status == 500 and got.error["code"] == "internal" and got.error["where"] == "records[0]"
    assert b"private" not in got.body and "private" not in caplog.text and "ValueError at" in caplog.text


def test_a_full_queue_is_answered_503_with_retry_after(predictor: Predictor, packaged: Packaged) -> None:
    import asyncio

    from tests.service.client import talk

    small = limited(predictor, packaged, queue=1)
    scope = {
        **{"type": "http", "method": "POST", "path": "/v1/predict"},
        **{"headers": [(b"content-type", b"application/json")], "client": ("::1", 1), "server": ("::1", 2)},
    }

    async def many() -> list[tuple[int, str | None]]:
        body = b'{"records": [{"text": "rain"}]}'
        got = await asyncio.gather(*(talk(small.layer(), dict(scope), [body]) for _ in range(8)))
        return [(one.status, one.headers.get("retry-after")) for one in got]

    answers = asyncio.run(many())
    assert (503, "1") in answers and (200, None) in answers
    assert set(answers) == {(503, "1"), (200, None)}


def test_a_websocket_is_closed(client: Client) -> None:
    import asyncio

    sent: list[object] = []

    async def connect() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "websocket.connect"}

        async def send(message: object) -> None:
            sent.append(message)

        await client.layer()({"type": "websocket", "path": "/v1/predict"}, receive, send)

    asyncio.run(connect())
    assert sent == [{"type": "websocket.close", "code": 1003}]


def test_unknown_paths_share_one_metric_label(client: Client) -> None:
    from prometheus_client import generate_latest

    for number in range(5):
        client.ask(path=f"/scan/{number}", method="GET")
    text = generate_latest().decode()
    assert 'route="other"' in text and "/scan/" not in text
