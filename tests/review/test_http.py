"""Requests that no button sends: mistakes in addresses, foreign and forged forms, strangers."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.projects import git
from tests.review.conftest import Server, serving
from tests.review.made import Made
from tunegate.review.people import People
from tunegate.review.security import COOKIE

BAD_PATHS = [
    ("/nothing", 404), ("/p/none", 404), ("/p/none/model/now", 404), ("/p/demo/model/v9.9.9", 404),
    ("/p/demo/model/..%2f..%2fetc", 404), ("/p/demo/model/--all", 404), ("/p/demo/model/deadbeef", 404),
    ("/p/demo/model/HEAD", 404), ("/p/demo/data/now?page=0", 422), ("/p/demo/data/now?page=x", 422),
    ("/p/demo/data/now?page=999999", 200), ("/p/demo/data/now?rule=%00%ff", 200), ("/p/demo/compare?a=now", 422),
    ("/p/demo/compare/now/v9.9.9", 404), ("/p/demo/model/now/erase", 422), ("/p/demo/rollback/nowhere", 422),
    ("/p/demo/rollback/production", 404), ("/assets/..%2fapp.py", 404), ("/assets/none.css", 404),
    ("/p/demo/data/now/diff/v9.9.9", 404), ("/p/demo/model/now/promote", 404), ("/p/%3Cscript%3E", 404),
    ("/p/demo/compare/now/now?search=" + "x" * 300, 422),
    ("/?lang=xx", 200), ("/p/demo/compare/now/now?search=%ED%A0%80", 200),
]  # fmt: skip


@pytest.fixture
def client(looked_at: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=looked_at.url) as client:
        yield client


@pytest.mark.parametrize(("path", "status"), BAD_PATHS)
def test_a_mistake_in_an_address_is_answered_with_a_sentence(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert "<h1>" in answer.text
    assert "<script>window" not in answer.text


def test_both_models_are_put_to_both_versions_rows_and_files_that_cannot_be_had_are_said(
    client: httpx.Client, looked_at: Server
) -> None:
    address = f"/p/demo/compare/v1.0.0/{looked_at.made.ref}/attribution"
    page, part = client.get(address), client.get(f"{address}/part")
    assert page.status_code == part.status_code == 200
    assert "<h1>Was it the data or the model?" in page.text and "<h1>" not in part.text
    for said in ("Old model", "New test rows", "the same", "Fixed", "95 % interval from"):
        assert said in page.text and said in part.text
    assert "是数据还是模型" in client.get(address, params={"lang": "zh"}).text
    start = git(looked_at.workspace.root, "rev-list", "--max-parents=0", "HEAD").strip()[:12]
    missing = client.get(f"/p/demo/compare/{start}/now/attribution/part")
    assert missing.status_code == 422 and "names no trained model" in missing.text


def test_every_answer_forbids_scripts_from_anywhere_else(client: httpx.Client) -> None:
    for path in ("/", "/nothing", "/assets/style.css"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy


def test_a_page_that_points_its_own_name_here_is_refused(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


def csrf(client: httpx.Client) -> str:
    page = client.get("/p/demo/model/v1.0.0/promote").text
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def promote(client: httpx.Client, origin: str | None, token: str, **fields: str) -> httpx.Response:
    headers = {"Origin": origin} if origin else {}
    form = {"csrf": token, "environment": "shadow", "why": "a test", **fields}
    return client.post("/p/demo/model/v1.0.0/promote", data=form, headers=headers)


def test_forged_forms_are_refused(client: httpx.Client) -> None:
    own, token = str(client.base_url).rstrip("/"), csrf(client)
    assert promote(client, own, "").status_code == 403
    assert promote(client, own, "0" * 64).status_code == 403
    assert promote(client, "http://evil.example", token).status_code == 403
    assert promote(client, "null", token).status_code == 403
    assert promote(client, None, token).status_code == 403
    with httpx.Client(base_url=client.base_url) as other:  # another session's token
        csrf(other)
        assert promote(other, own, token).status_code == 403


def test_a_decision_without_a_reason_or_with_a_wrong_environment_is_refused(client: httpx.Client) -> None:
    own, token = str(client.base_url).rstrip("/"), csrf(client)
    assert promote(client, own, token, why="  ").status_code == 422
    answer = promote(client, own, token, environment="moon")
    assert answer.status_code == 422 and "moon" in answer.text


def test_a_verdict_that_changed_since_it_was_looked_at_is_not_decided(client: httpx.Client, looked_at: Server) -> None:
    own, token = str(client.base_url).rstrip("/"), csrf(client)
    form = {"csrf": token, "why": "fine", "verdict": "f" * 64}
    answer = client.post(f"/p/demo/model/{looked_at.made.ref}/approve", data=form, headers={"Origin": own})
    assert answer.status_code == 422


def test_a_form_of_another_kind_or_too_large_is_refused(client: httpx.Client) -> None:
    own = {"Origin": str(client.base_url).rstrip("/")}
    assert client.post("/p/demo/rows", json={"csrf": "x"}, headers=own).status_code == 415
    assert client.post("/p/demo/rows", data={"csrf": "x" * 5_000_000}, headers=own).status_code == 413


def test_rows_that_the_page_never_offered_are_not_written(client: httpx.Client) -> None:
    own, token = str(client.base_url).rstrip("/"), csrf(client)
    for source, line in (("data/raw/demo/train.csv", "9999"), ("../../params.yaml", "2"), ("/etc/passwd", "1")):
        form = {"csrf": token, "0.source": source, "0.line": line, "0.new.label": "food"}
        assert client.post("/p/demo/rows", data=form, headers={"Origin": own}).status_code == 422


def test_where_people_have_tokens_everybody_logs_in_and_decides_by_name(made: Made, tmp_path: Path) -> None:
    copy = made.copy(tmp_path / "project")
    people = People.of(copy.workspace)
    token = people.add("Ben <ben@example.org>")
    with_server = serving(copy)
    server = next(with_server)
    own = {"Origin": server.url}
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/").headers["location"] == "/login"
        assert client.post("/p/demo/rows", data={}, headers=own).status_code == 403
        page = client.get("/login").text
        form = {"csrf": page.partition('name="csrf" value="')[2].partition('"')[0], "token": "wrong"}
        assert client.post("/login", data=form, headers=own).status_code == 403
        before = client.cookies[COOKIE]
        entered = client.post("/login", data={**form, "token": token}, headers=own)
        assert entered.status_code == 303 and client.cookies[COOKIE] != before
        assert "httponly" in entered.headers["set-cookie"].lower()
        assert "samesite=strict" in entered.headers["set-cookie"].lower()
        assert "Ben" in client.get("/").text
        assert promote(client, server.url, csrf(client)).status_code == 303
        assert "Ben &lt;ben@example.org&gt;" in client.get("/p/demo").text
        people.remove("Ben <ben@example.org>")
        people.add("Cleo <cleo@example.org>")
        assert client.get("/").headers["location"] == "/login"
    with_server.close()
