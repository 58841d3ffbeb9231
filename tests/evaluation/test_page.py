"""The report is one safe file, whatever the texts say."""

import re

import numpy as np

from tests.gate.evidence import evidence, labels, right
from tunegate.evaluation.page import Page, page
from tunegate.evaluation.plots import Confusion, confusion_csv, reliability_csv
from tunegate.statistics.calibration import reliability

HOSTILE = '<script>alert("x")</script>&\'"></td>'


def shown(truth: list[str], found: list[str], mistakes: list[dict[str, str]]) -> str:
    findings = evidence(truth, found, {"majority": [truth[0]] * len(truth)}).findings
    table = reliability(np.full(len(truth), 0.9), np.array([a == b for a, b in zip(truth, found, strict=True)]))
    return page(Page("demo", findings, Confusion.of(truth, found, sorted(set(truth))), table, mistakes))


def test_texts_and_labels_are_escaped() -> None:
    truth = [HOSTILE, "other"] * 20
    html = shown(truth, ["other"] * 40, [{"text": HOSTILE, "answer": HOSTILE}])
    assert HOSTILE not in html and "&lt;script&gt;" in html


def test_nothing_is_fetched_and_nothing_runs() -> None:
    html = shown(labels(40), right(labels(40), 0.8), [])
    assert not re.search(r"<(script|link|img|iframe)|https?:|url\(|@import|\son\w+=", html)
    assert "default-src 'none'" in html


def test_every_table_scrolls_by_itself_on_a_narrow_screen() -> None:
    html = shown(labels(40), right(labels(40), 0.8), [{"text": "a long one"}])
    assert html.count("<table") == html.count('<div class="wide"><table') == html.count("</table></div>") > 3


def test_a_person_finds_the_numbers() -> None:
    html = shown(labels(40), right(labels(40), 0.8), [{"text": "a long one"}])
    for words in ("accuracy", "macro_f1", "majority", "label 3", "Confusion", "a long one", "<svg"):
        assert words in html


def test_a_perfect_model_has_no_mistakes_to_show() -> None:
    assert "every test row is answered right" in shown(labels(40), labels(40), [])


def test_a_matrix_of_very_many_labels_is_left_to_the_csv() -> None:
    truth = labels(400, kinds=150)
    html = shown(truth, truth, [])
    assert "confusion.csv" in html and 'class="matrix"' not in html


def test_the_matrix_counts_rows_by_label_and_answer() -> None:
    found = Confusion.of(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    assert found is not None and found.rows == [[1, 1], [0, 1]]
    assert Confusion.of([["B-x"], ["O"]], ["B-x", "O"], ["B-x", "O"]) is None


def test_plot_data_is_what_dvc_plots_reads() -> None:
    assert confusion_csv(["a,b", "c"], ["c", "c"]) == 'actual,predicted\n"a,b",c\nc,c\n'
    table = reliability(np.array([0.9, 0.95]), np.array([True, False]))
    assert reliability_csv(table) == "confidence,accuracy,rows\n0.925000,0.500000,2\n"
