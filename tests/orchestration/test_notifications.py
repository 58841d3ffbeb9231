"""notifications.yaml: what it may say; and messages that arrive, by a webhook and by mail, from a real server."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.notifications import FILE, read_notifications
from flows.notifying import send_test
from tests.flows.project import make_project
from tests.orchestration.kept import make_up
from tests.versions.history import commit
from tunegate.errors import OutsideError, UserError

ENTRY = '  - name: team\n    to: {webhook: "http://127.0.0.1:9/hook"}\n'


def write(workspace, text):
    (workspace.root / FILE).write_text(f"notifications:\n{text}")
    return workspace


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a receiver, and what it has received."""
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """The port of a mail server, and the mails that it took."""
    mails: list[str] = []

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append("".join(part.decode() for part in iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], mails
    server.shutdown()


def test_without_a_file_nobody_is_told_and_the_one_that_is_shipped_says_so(project):
    assert read_notifications(project) == []
    (project.root / FILE).write_text("notifications: []\n")
    assert read_notifications(project) == []


def test_an_entry_needs_a_name_and_one_way(project):
    (entry,) = read_notifications(write(project, ENTRY))
    assert (entry.kind, entry.when) == ("webhook", ["failed", "refused", "undecided", "late"])
    assert {"Failed", "Crashed", "Rejected", "Suspended", "Late"} <= set(entry.states)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  - name: Team\n    to: {slack: x}\n", "entry 1, name"),
        ("  - name: team\n    to: {slack: x, email: y}\n", "exactly one of webhook, slack and email"),
        ("  - name: team\n    to: {fax: x}\n", "entry 1, to.fax"),
        ("  - name: team\n    to: {slack: x}\n    when: [broken]\n", "entry 1, when.0"),
        ("  - name: team\n    to: {slack: x}\n    wen: [failed]\n", "entry 1, wen"),
        (ENTRY + "    pipelines: [on]\n", '"on", which params.yaml does not have. Did you mean "one"?'),
        (ENTRY + ENTRY, '"team" stands there twice'),
        ("  - [\n", "is not valid YAML"),
    ],
)
def test_mistakes_are_said_with_their_place(project, text, said):
    with pytest.raises(UserError) as error:
        read_notifications(write(project, text))
    assert said in error.value.problem


def test_a_variable_that_is_not_set_is_named(project, monkeypatch):
    (entry,) = read_notifications(write(project, '  - name: team\n    to: {slack: "${NO_SUCH_HOOK}"}\n'))
    with pytest.raises(UserError, match="NO_SUCH_HOOK"):
        entry.address()
    monkeypatch.setenv("NO_SUCH_HOOK", "https://hooks.slack.com/services/T/B/C")
    assert entry.address().endswith("/T/B/C")


@pytest.mark.slow
def test_a_test_message_arrives_or_says_why_not(project, hook, mailbox):
    address, received = hook
    port, mails = mailbox
    web, mail, nobody = read_notifications(
        write(
            project,
            f'  - name: web\n    to: {{webhook: "{address}"}}\n'
            f'  - name: mail\n    to: {{email: "mailto://127.0.0.1:{port}?from=us@example.org&to=anna@example.org"}}\n'
            f"{ENTRY}",
        )
    )
    send_test(web)
    send_test(mail)
    assert received[0]["subject"] == "tunegate: a test" and '"web" reaches you' in received[0]["body"]
    assert "anna@example.org" in mails[0]
    with pytest.raises(OutsideError, match="did not go through"):
        send_test(nobody)


@pytest.mark.slow
def test_a_refused_and_a_failed_run_reach_a_webhook_in_ones_own_words(tmp_path, hook):
    address, received = hook
    up = make_up(tmp_path / "project", ("one", "two"))
    write(
        up.workspace,
        f'  - name: team\n    to: {{webhook: "{address}"}}\n    pipelines: [one]\n'
        '    subject: "look at {{ flow_run.name }}"\n',
    )
    (up.root / "fixed/gate.json").write_text(json.dumps({"verdict": "FAIL", "checks": []}))
    commit(up.root, "Refuse")
    up.tunegate("up")
    try:
        two, one = up.ended(up.begin("two")), up.ended(up.begin("one"))
        assert (one["state_name"], two["state_name"]) == ("Rejected", "Rejected"), up.logs()
        up.until(lambda: received, "a message")
        assert received[0]["subject"] == f"look at {one['name']}"
        assert received[0]["body"].startswith(f"{one['name']} (Rejected): one was refused")
        assert f"/runs/flow-run/{one['id']}" in received[0]["body"]
        (up.root / "train.sh").write_text("exit 1\n")
        commit(up.root, "Break")
        broken = up.ended(up.begin("one", force=["train"]))
        up.until(lambda: len(received) > 1, "a second message")
        assert broken["name"] in received[1]["body"] and "(Failed)" in received[1]["body"]
        assert len(received) == 2  # nobody was told of `two`
        assert "team" in up.tunegate("notify", "list") and "sent to team" in up.tunegate("notify", "test", "team")
    finally:
        up.tunegate("down")
    up.nothing_lives()
