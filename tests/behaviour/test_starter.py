"""The first file of a new pipeline is one, also with the examples in it filled in, in the form of the texts."""

import re
from pathlib import Path

import pytest

from tests.trained import Trained
from tunegate.behaviour.reading import read_behaviour
from tunegate.behaviour.running import run_behaviour
from tunegate.behaviour.starter import starter
from tunegate.gate.behaviour import judged as judge
from tunegate.predictor import Predictor
from tunegate.records import read_table

ENGLISH = ['Where is {my} parcel: "it" isn\'t here', "thanks"]


@pytest.mark.parametrize("texts", [ENGLISH, ["我的包裹还没有到"], ["我的包裹還沒有到"], []])
def test_a_starter_is_a_valid_file(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(starter("mine", texts, ["a: b", "c"]), encoding="utf-8")
    kinds = {test.kind for test in read_behaviour(path, ("text",)).tests.values()}
    assert kinds == {"invariance"}


def test_the_examples_are_valid_once_they_are_taken_in(tmp_path: Path) -> None:
    text = starter("mine", ENGLISH, ["a: b"])
    body, examples = text.split("tests:\n", 1)[0], text.split("tests:\n", 1)[1]
    examples = re.sub(r"^  # (?!Invariance|Minimum|Direction|lists|  thing|$)", "  ", examples, flags=re.M).replace(
        "  #\n", ""
    )
    examples = "\n".join(line for line in examples.splitlines() if not line.startswith("  #"))
    path = tmp_path / "new.yaml"
    path.write_text(f"{body}lists: {{thing: [lamp, mug]}}\ntests:\n{examples}\n", encoding="utf-8")
    tests = read_behaviour(path, ("text",)).tests
    assert [test.kind for test in tests.values()][-2:] == ["minimum_functionality", "direction"]
    assert ENGLISH[0].replace("{", "{{").replace("}", "}}") in tests["plain cases"].templates


def test_only_the_fields_that_may_be_changed_are(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(starter("mine", ENGLISH, [], ["question"]), encoding="utf-8")
    tests = read_behaviour(path, ("question", "passage")).tests.values()
    assert {tuple(test.fields or ()) for test in tests if test.kind != "minimum_functionality"} == {("question",)}


def test_chinese_gets_its_other_form_and_no_letter_case() -> None:
    assert "perturb: traditional" in starter("mine", ["我的包裹还没有到"], [])
    assert "perturb: simplified" in starter("mine", ["我的包裹還沒有到"], [])
    assert "perturb: case" not in starter("mine", ["我的包裹还没有到"], [])


def test_a_good_model_is_not_refused_by_it(judged: Trained, tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(starter("demo", ENGLISH, ["weather"]), encoding="utf-8")
    rows = read_table(judged.stage("validate") / "test.parquet")
    found = run_behaviour(path, "demo.yaml", rows, {"fp32": Predictor.open(judged.export, "fp32")}, 0)
    assert all(judge(result).verdict != "FAIL" for result in found.precisions["fp32"])
