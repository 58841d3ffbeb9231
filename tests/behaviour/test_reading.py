"""The file: every mistake at once, each with its line."""

import pytest

from tunegate.behaviour.reading import read_behaviour
from tunegate.errors import UserError

GOOD = """\
lists:
  thing: [lamp, mug]
tests:
  a lamp is a product:
    kind: minimum_functionality
    templates: ["Do you sell a {thing}?"]
    expected: products
  typos:
    kind: invariance
    perturb: typos
    rows: 50
  more snow is more weather:
    kind: direction
    templates: [it rains]
    add: and it snows
    label: weather
    score: must_not_fall
"""


def read(tmp_path, text, fields=("text", "text_b")):
    path = tmp_path / "support.yaml"
    path.write_text(text, encoding="utf-8")
    return read_behaviour(path, fields)


def test_the_three_kinds_are_read(tmp_path):
    file = read(tmp_path, GOOD)
    assert [test.kind for test in file.tests.values()] == ["minimum_functionality", "invariance", "direction"]
    assert file.tests["a lamp is a product"].expected == ["products"]
    assert file.tests["typos"].perturb.chosen[0] == "typos"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("kind: invariance", "kind: invarance", 9, 'Did you mean "invariance"?'),
        ("perturb: typos", "perturb: typo", 10, 'Did you mean "typos"?'),
        ("perturb: typos", "perturb: {swap: {words: nme}}", 10, 'names the list "nme", which is not there'),
        ("rows: 50", "rows: many", 11, "must be a whole number"),
        ("rows: 50", "copies: 2", 8, "must say where its cases come from"),
        ("rows: 50", "rows: 50\n    tolerated: 2", 12, "must be below 1"),
        ("{thing}?", "{thng}?", 6, 'Did you mean "thing"?'),
        ('["Do you sell a {thing}?"]', "\n      - fine\n      - {txt: a}", 8, 'Did you mean "text"?'),
        ("expected: products", "expect: products", 7, 'Did you mean "expected"?'),
        ("score: must_not_fall", "score: must_rise", 17, "must be one of must_not_fall, must_not_rise"),
        ("[lamp, mug]", "[]", 2, "must hold words"),
        ("[lamp, mug]", "lamp", 2, "must be a list"),
        ("tests:\n", "other: 1\ntests:\n", 3, "only `lists` and `tests`"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_line(tmp_path, old, new, line, said):
    with pytest.raises(UserError) as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert f"support.yaml:{line}: " in error.value.problem
    assert said in error.value.problem


def test_all_mistakes_are_said_at_once(tmp_path):
    with pytest.raises(UserError, match="3 mistakes"):
        read(tmp_path, GOOD.replace("rows: 50", "rows: x").replace("add:", "ad:"))  # `add` is missing, `ad` unknown


@pytest.mark.parametrize("text", ["", "tests: []", "tests:\n", "lists: {}\n", "tests: {}\n"])
def test_a_file_without_tests_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="tests"):
        read(tmp_path, text)


def test_a_name_that_stands_twice_is_refused(tmp_path):
    twice = GOOD.replace("  typos:\n", "  a lamp is a product:\n")
    with pytest.raises(UserError, match=r"support.yaml:\d+ is not valid YAML: found duplicate key"):
        read(tmp_path, twice)
