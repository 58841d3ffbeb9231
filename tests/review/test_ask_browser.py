"""Questions that are not one text, put to a model on the page in a real browser."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from tests.projects import git
from tests.review.conftest import Server, serving
from tests.review.made import Made
from tests.review.test_browser import faults
from tests.tasks.path import BEFORE_GATE, PIPELINE, go

if TYPE_CHECKING:
    from playwright.sync_api import Page

PARAMS = "pipelines:\n  tiny:\n    task: {task}\n    data: tiny\n    model: models/tiny\n"

ASKED: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "token_classification": ({"text": "Anna lives in Paris"}, ("B-person", "Paris", "B-place")),
    "dependency_parsing": ({"text": "Ben reads books"}, ("nsubj", "root", "obj")),
    "multiple_choice": ({"question": "the _ sleeps", "options": "dog\nstone"}, ("dog", "Best scores")),
    "question_answering": (
        {"question": "who lives in rome", "passage": "anna lives in rome"},
        ("anna", "Words that mattered most"),
    ),
    "open_cloze": ({"text": "left right _ right left right left"}, ("left", "candidates")),
    "text_classification": ({"text": "rain is coming tonight"}, ("weather", "Words that mattered most")),
}
"""What is typed into the boxes, and what is seen of the answers."""


@pytest.fixture(scope="module", params=ASKED)
def reviewed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    """The page of a project whose model of the task was just evaluated."""
    workspace = go((request.param, {}), tmp_path_factory.mktemp("asked"), BEFORE_GATE)
    workspace.params.write_text(PARAMS.format(task=request.param), encoding="utf-8")
    git(workspace.root, "init", "-q")
    git(workspace.root, "add", "params.yaml")
    git(workspace.root, "commit", "-qm", "Start")
    server = serving(Made(workspace, None))  # type: ignore[arg-type]  # no run is on record
    yield request.param, next(server)
    server.close()


@pytest.mark.slow
def test_a_question_of_any_shape_is_asked_and_answered(page: "Page", reviewed: tuple[str, Server]) -> None:
    task, server = reviewed
    typed, seen = ASKED[task]
    page.goto(f"{server.url}/p/{PIPELINE}/compare/now/now")
    assert faults(page) == []
    boxes = page.locator("form[hx-post] textarea")
    assert [boxes.nth(number).get_attribute("name") for number in range(boxes.count())] == list(typed)
    for name, text in typed.items():
        page.fill(f"#ask-{name}", text)
    page.click("form[hx-post] button")
    page.wait_for_selector("#answers section")
    told = page.inner_text("#answers")
    assert "Both answer alike" in told and not [word for word in seen if word not in told], told
    assert faults(page) == []


@pytest.mark.slow
def test_a_question_of_any_shape_without_scripts_is_a_page_of_its_own(
    browser: object, reviewed: tuple[str, Server]
) -> None:
    task, server = reviewed
    typed, seen = ASKED[task]
    context = browser.new_context(java_script_enabled=False, locale="en-GB")  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(f"{server.url}/p/{PIPELINE}/compare/now/now")
    for name, text in typed.items():
        page.fill(f"#ask-{name}", text)
    page.click("form[hx-post] button")
    assert seen[0] in page.inner_text("main") and next(iter(typed.values())) in page.inner_text("blockquote >> nth=0")
    context.close()
