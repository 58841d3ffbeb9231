"""Two languages: every sentence in both, none missing, none left over."""

import re
import string
from pathlib import Path

import pytest

import tunegate.review
from tunegate.review.language import CODES, catalogue, choose

ROOM = Path(tunegate.review.__file__).parent
KEY = re.compile(r"""(?:\bt|\bsay)\(\s*f?["']([a-z][a-zA-Z_.]*)["']""")


def sources() -> str:
    files = [*ROOM.rglob("*.py"), *ROOM.rglob("*.html")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_every_sentence_stands_in_both_languages_with_the_same_values(key: str) -> None:
    sentences = catalogue()[key]
    assert set(sentences) == set(CODES)
    values = [{name for _, name, _, _ in string.Formatter().parse(sentences[code]) if name} for code in CODES]
    assert values[0] == values[1]
    assert all(sentences[code].strip() for code in CODES)


def test_every_sentence_that_is_asked_for_exists() -> None:
    asked = {key for key in KEY.findall(sources()) if not key.endswith(".")}
    assert len(asked) > 150
    assert asked - set(catalogue()) == set()


def test_no_sentence_is_left_over() -> None:
    text = sources()
    used = set(re.findall(r"""["']([a-z]+(?:\.[a-zA-Z_0-9]+)+)["']""", text))
    made = {start for start in re.findall(r"""["']([a-z]+\.(?:[a-z_]+\.)*)(?:["']|\{)""", text) if start in text}
    assert {key for key in catalogue() if key not in used and not key.startswith(tuple(made))} == set()


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "code"),
    [
        ("zh", "en", "en", "zh"), (None, "zh", "en", "zh"), ("xx", None, "zh-TW,en;q=0.5", "zh"),
        (None, None, "en;q=0.3, zh-CN;q=0.9", "zh"), (None, None, "fr, de;q=0.9", "en"),
        (None, None, "zh;q=x, en;q=0.1", "en"), (None, None, None, "en"), (None, None, "\x00" * 9000, "en"),
    ],
)  # fmt: skip
def test_the_language_is_asked_for_else_remembered_else_accepted(
    asked: str | None, remembered: str | None, accepted: str | None, code: str
) -> None:
    assert choose(asked, remembered, accepted).code == code
