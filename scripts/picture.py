"""The README's picture: a page of a project's review, looked at in headless Chromium. `make picture`."""

import argparse
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "review.png"
WIDTH, HEIGHT = 1280, 900
BROWSERS = ("chromium", "chromium-browser", "google-chrome")  # Debian's, or under another usual name


def chromium() -> str | None:
    """Where it is."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def take(browser: "Browser", address: str, target: Path) -> None:
    """The top of the page as a PNG, in English and by day, at one pixel per point wherever it is made."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB", color_scheme="light", device_scale_factor=1
    )
    page = context.new_page()
    answer = page.goto(address)
    if answer is None or not answer.ok:
        raise SystemExit(f"{address} is answered with {answer.status if answer else 'nothing'}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target)
    context.close()


def main() -> None:
    """From a project's folder and a page's path."""
    from playwright.sync_api import sync_playwright

    asked = argparse.ArgumentParser(prog="python -m scripts.picture", description=__doc__)
    asked.add_argument("project", type=Path, help="a project's folder, with a run to show")
    asked.add_argument("page", help="the page's path: /p/support/model/now")
    asked.add_argument("--target", type=Path, default=TARGET)
    given = asked.parse_args()
    path = chromium()
    if path is None:
        raise SystemExit("There is no Chromium here: install it (Debian and Ubuntu: apt install chromium).")
    with _serving(given.project) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])  # root in containers
        take(browser, url + given.page, given.target)
        browser.close()
    sys.stdout.write(f"{given.target}: {given.target.stat().st_size:,} bytes\n")


@contextmanager
def _serving(project: Path) -> Iterator[str]:
    """The page's address, without a slash at its end."""
    import uvicorn

    from tunegate.review.app import make_app
    from tunegate.review.serving import address_of, listen
    from tunegate.workspace import Workspace

    workspace, host = Workspace(project.resolve()), "127.0.0.1"
    listening = listen(workspace, host, 0)
    server = uvicorn.Server(uvicorn.Config(make_app(workspace, host), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield address_of(listening).rstrip("/")
    server.should_exit = True
    thread.join(timeout=10)


if __name__ == "__main__":
    main()
