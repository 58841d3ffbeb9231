"""The page in a real browser: every page, every action, hostile rows, without a mouse, on a phone, in the dark."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.picture import HEIGHT, WIDTH, take
from tests.projects import git
from tests.review.conftest import Server
from tests.review.drawn import DRAWN, lines
from tests.review.made import SCRIPT
from tunegate.review.static import write_site
from tunegate.versions.decisions import read_decisions
from tunegate.versions.registry import read_registry

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).with_name("assets") / "axe.min.js"
FEW = [  # one of each kind
    "/",
    "/p/demo",
    "/p/demo/model/now",
    "/p/demo/data/now",
    "/p/demo/compare/v1.0.0/now",
    "/p/demo/rows",
    "/p/none",
]
QUESTION = "rain and cold wind this morning"


def pages(server: Server) -> list[str]:
    ref = server.made.ref
    return [
        "/", "/p/demo", "/p/demo/model/now", "/p/demo/model/v1.0.0", f"/p/demo/model/{ref}", "/p/demo/data/now",
        "/p/demo/data/v1.0.0",
        f"/p/demo/compare/v1.0.0/{ref}", f"/p/demo/compare/v1.0.0/{ref}/attribution",
        "/p/demo/data/now/diff/v1.0.0", "/p/demo/rows", "/p/demo/suspects",
        f"/p/demo/model/{ref}/approve", f"/p/demo/model/{ref}/reject", "/p/demo/model/v1.0.0/promote", "/p/none",
    ]  # fmt: skip


def faults(page: "Page") -> list[str]:
    """What axe holds to be serious or critical."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_axe_finds_no_serious_fault_on_pages_of_each_kind(browser: "Browser", looked_at: Server) -> None:
    sound(browser, looked_at, FEW, "light")


@pytest.mark.slow
def test_axe_finds_no_serious_fault_in_the_dark(browser: "Browser", looked_at: Server) -> None:
    sound(browser, looked_at, FEW, "dark")


@pytest.mark.slow
def test_axe_finds_no_serious_fault_on_any_other_page(browser: "Browser", looked_at: Server) -> None:
    sound(browser, looked_at, [path for path in pages(looked_at) if path not in FEW], "light")


def sound(browser: "Browser", server: Server, paths: list[str], scheme: Any) -> None:
    page = browser.new_context(color_scheme=scheme).new_page()
    for path in paths:
        page.goto(server.url + path)
        assert (path, faults(page)) == (path, [])


def test_no_page_of_any_kind_is_wider_than_a_phone(browser: "Browser", looked_at: Server) -> None:
    narrow(browser, looked_at, FEW, "en")


@pytest.mark.slow
def test_no_other_page_is_wider_than_a_phone_nor_any_in_chinese(browser: "Browser", looked_at: Server) -> None:
    narrow(browser, looked_at, [path for path in pages(looked_at) if path not in FEW], "en")
    narrow(browser, looked_at, pages(looked_at), "zh")


def narrow(browser: "Browser", server: Server, paths: list[str], language: str) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    for path in paths:
        page.goto(f"{server.url}{path}?lang={language}")
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, 390)


def test_hostile_rows_and_names_stay_text(page: "Page", looked_at: Server) -> None:
    for path in pages(looked_at):
        page.goto(looked_at.url + path)
        assert (path, page.evaluate("window.broken")) == (path, None)
        assert (path, page.locator("main img, main script").count()) == (path, 0)
    page.goto(looked_at.url + "/p/demo/data/now")
    assert SCRIPT in page.inner_text("main")
    assert "\u202e" not in page.content()


def test_a_sentence_is_put_to_both_versions_without_loading_the_page_anew(page: "Page", looked_at: Server) -> None:
    page.goto(f"{looked_at.url}/p/demo/compare/v1.0.0/{looked_at.made.ref}")
    page.evaluate("window.same = true")
    page.fill("#ask-text", QUESTION)
    page.click("form[hx-post] button")
    page.wait_for_selector("#answers section")
    assert page.locator("#answers section").count() == 2
    assert "wind" in page.inner_text("#answers table >> nth=0")
    assert page.evaluate("window.same")
    assert faults(page) == []


def test_a_mistaken_question_is_answered_with_a_sentence(page: "Page", looked_at: Server) -> None:
    page.goto(f"{looked_at.url}/p/demo/compare/v1.0.0/{looked_at.made.ref}")
    page.fill("#ask-text", "   ")
    page.click("form[hx-post] button")
    page.wait_for_selector("#answers [role=alert]")
    assert "no question" in page.inner_text("#answers")


def test_the_data_or_the_model_is_answered_on_demand(page: "Page", looked_at: Server) -> None:
    page.goto(f"{looked_at.url}/p/demo/compare/v1.0.0/{looked_at.made.ref}")
    assert page.locator("#attributed table").count() == 0
    page.evaluate("window.same = true")
    page.click("text=Put both models")
    page.wait_for_selector("#attributed table")
    assert "neither model" in page.inner_text("#attributed") or "surely" in page.inner_text("#attributed")
    assert page.evaluate("window.same")


def test_flipped_rows_are_filtered_and_searched(page: "Page", looked_at: Server) -> None:
    page.goto(f"{looked_at.url}/p/demo/compare/v1.0.0/{looked_at.made.ref}")
    with page.expect_response("**/flips?*"):
        page.select_option("#kind", "broken")
    page.wait_for_selector(".htmx-request, .htmx-swapping, .htmx-settling", state="detached")
    kinds = page.locator("#flipped tbody td:last-child").all_inner_texts()
    assert set(kinds) <= {"broken"}
    page.fill("#search", "no such words anywhere")
    page.wait_for_selector("#flipped [role=status]")


def test_the_page_works_without_a_mouse(page: "Page", looked_at: Server) -> None:
    page.goto(looked_at.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_rejection_asks_for_a_reason_and_is_on_record(page: "Page", server: Server) -> None:
    page.goto(f"{server.url}/p/demo/model/{server.made.ref}")
    page.click("text=Reject")
    assert "goes nowhere" in page.inner_text("main")
    page.fill("#why", f"misses the weather {SCRIPT}")
    page.click("main button")
    assert "Rejected, and on record." in page.inner_text("[role=status]")
    [decision] = read_decisions(server.workspace, "demo")
    assert (decision.what, decision.who) == ("reject", "Anna <anna@example.org>")
    assert page.evaluate("window.broken") is None
    page.goto(f"{server.url}/p/demo/model/{server.made.ref}/approve")
    assert "Anna" in page.inner_text("[role=alert]")
    assert page.locator("#why").count() == 0


def test_approve_promote_and_roll_back(page: "Page", server: Server) -> None:
    page.goto(f"{server.url}/p/demo/model/{server.made.ref}/approve")
    page.fill("#why", "good enough for the pilot")
    page.click("main button")
    assert "Approved" in page.inner_text("[role=status]")
    versions = [version.short for version in read_registry(server.workspace).of("demo")]
    assert len(versions) == 2
    for short in versions:
        page.goto(f"{server.url}/p/demo/model/{short}")
        page.click("main >> text=Promote")
        page.select_option("#environment", "production")
        page.fill("#why", f"{short} goes live")
        page.click("main button")
        assert "Promoted" in page.inner_text("[role=status]")
    page.goto(f"{server.url}/p/demo")
    page.click(f"text=roll back to {versions[0]}")
    page.fill("#why", "complaints")
    page.click("main button")
    assert "Rolled back" in page.inner_text("[role=status]")
    champion = read_registry(server.workspace).champion("demo")
    assert champion is not None and champion.short == versions[0]


def test_rows_are_repaired_relabelled_and_taken_out_as_a_new_data_version(page: "Page", server: Server) -> None:
    head = git(server.workspace.root, "rev-parse", "HEAD")
    page.goto(f"{server.url}/p/demo/rows?rule=LABEL_SET")
    page.select_option("#f0-label", "food")
    page.check("#f1-out")
    page.click("main form button")
    assert page.locator("tbody tr", has_text="relabelled").count() == 1
    assert git(server.workspace.root, "rev-parse", "HEAD") == head
    page.fill("#why", "the label was mistyped")
    page.click("main form button")
    assert "new data version" in page.inner_text("[role=status]")
    rows = (server.workspace.raw("demo") / "train.csv").read_text(encoding="utf-8")
    assert "label-1,a label that breaks out,food" in rows
    assert "label-2" not in rows
    assert "Anna" in git(server.workspace.root, "log", "-1", "--format=%B")


def test_data_that_waits_is_accepted_with_a_reason(page: "Page", server: Server) -> None:
    params = server.workspace.params
    params.write_text(params.read_text(encoding="utf-8") + "    review: required\n", encoding="utf-8")
    page.goto(server.url)
    page.click("text=Look and decide >> nth=0")
    page.click("text=Accept this data")
    page.fill("#why", "looked at the quarantine")
    page.click("main button")
    assert "The data is accepted" in page.inner_text("[role=status]")
    assert page.locator("text=Accept this data").count() == 0


def test_the_language_is_chosen_and_remembered(browser: "Browser", looked_at: Server) -> None:
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(looked_at.url)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.click("text=English")
    page.goto(looked_at.url + "/p/demo")
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.slow
def test_the_files_load_nothing_from_outside(page: "Page", looked_at: Server, tmp_path: Path) -> None:
    write_site(looked_at.workspace, tmp_path / "out")
    for file in sorted((tmp_path / "out").rglob("*.html")):
        page.goto(file.as_uri())
        assert (file.name, page.evaluate("window.broken")) == (file.name, None)
    assert page.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_a_model_page_makes_a_picture_with_its_verdict_drawn(
    browser: "Browser", looked_at: Server, tmp_path: Path
) -> None:
    take(browser, f"{looked_at.url}/p/demo/model/{looked_at.made.ref}", tmp_path / "review.png")
    width, height, different = lines(tmp_path / "review.png")
    assert (width, height) == (WIDTH, HEIGHT)
    assert different > DRAWN
    (tmp_path / "blank.html").touch()
    take(browser, (tmp_path / "blank.html").as_uri(), tmp_path / "blank.png")
    assert lines(tmp_path / "blank.png")[2] < DRAWN
