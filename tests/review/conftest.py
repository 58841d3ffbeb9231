"""One project with a history for all tests of the page, a real server for it, and a headless Chromium."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.picture import chromium
from tests.review.made import Made, make
from tunegate.review.app import make_app
from tunegate.review.serving import address_of, listen
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.trained import Trained


@dataclass(frozen=True)
class Server:
    """A running page; `url` ends without a slash."""

    url: str
    made: Made

    @property
    def workspace(self) -> Workspace:
        return self.made.workspace


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, judged: "Trained") -> Made:
    """Not to be changed."""
    root = tmp_path_factory.mktemp("reviewed")
    return make(root, judged)


@pytest.fixture(scope="session")
def looked_at(made: Made) -> Iterator[Server]:
    """A server of the shared project, for tests that only look."""
    with_server = serving(made)
    yield next(with_server)
    with_server.close()


@pytest.fixture
def server(made: Made, tmp_path: Path) -> Iterator[Server]:
    """A server of a copy, for tests that decide."""
    yield from serving(made.copy(tmp_path / "project"))


def serving(made: Made, host: str = "127.0.0.1") -> Iterator[Server]:
    """uvicorn in a thread, on a free port."""
    import uvicorn

    socket = listen(made.workspace, host, 0)
    config = uvicorn.Config(make_app(made.workspace, host), log_level="error", access_log=False)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    yield Server(address_of(socket).rstrip("/"), made)
    running.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")  # Playwright's event loop is in the way of every other one in this process
def browser() -> Iterator["Browser"]:
    path = chromium()
    if path is None:
        pytest.skip("NO BROWSER: install Chromium (apt-get install chromium) to run the tests of the review page in it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])  # root in containers
        yield started
        started.close()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A tab that fails the test for anything that the page's console complains of."""
    context: Any = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(HERE) else None)
    yield tab
    context.close()
    assert [one for one in complaints if "status of 4" not in one] == []


HERE = ("http://127.0.0.1:", "file://", "data:")
