"""Progress: plain lines in a log, marked lines for the driver, a bar in a terminal."""

import io
import json

import pytest

from tunegate.progress import MARK, Progress, format_seconds


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNEGATE_PROGRESS", raising=False)


def test_a_log_gets_plain_lines_and_the_last_one_always() -> None:
    stream = io.StringIO()
    for _ in Progress("train", stream).track(range(1000), "rows"):
        pass
    lines = stream.getvalue().splitlines()
    assert lines[-1] == "train: 1,000 of 1,000 rows"
    assert len(lines) < 10
    assert "\r" not in stream.getvalue()


def test_a_terminal_gets_one_line_that_is_written_over() -> None:
    stream = Terminal()
    progress = Progress("train", stream)
    progress.advance("steps", 10, 10, "loss 0.3")
    assert stream.getvalue() == "\r\x1b[2Ktrain: 10 of 10 steps, loss 0.3\n"


def test_the_driver_gets_one_marked_object_per_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEGATE_PROGRESS", "json")
    stream = io.StringIO()
    Progress("train", stream).advance("steps", 5, 5)
    line = stream.getvalue()
    assert line.startswith(MARK)
    assert json.loads(line.removeprefix(MARK)) == {
        "stage": "train",
        "what": "steps",
        "done": 5,
        "total": 5,
        "left": None,  # nothing to measure by yet
        "note": "",
    }


def test_items_pass_through_unchanged_and_in_order() -> None:
    assert list(Progress("x", io.StringIO()).track(iter("abc"), "letters")) == ["a", "b", "c"]


def test_nothing_done_yet_tells_no_time_left() -> None:
    stream = io.StringIO()
    Progress("train", stream).advance("steps", 0, 0)
    assert stream.getvalue() == "train: 0 of 0 steps\n"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.44, "0.4 s"), (12.3, "12 s"), (59.4, "59 s"), (185, "3 min 05 s"), (3600, "60 min 00 s")]
)
def test_seconds_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert format_seconds(seconds) == said
