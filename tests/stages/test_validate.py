import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rows import SCHEMA, ordinary, project, records
from tunegate.errors import UserError
from tunegate.inputs import Reference
from tunegate.params import ValidateSettings
from tunegate.records import QUARANTINE, SPLITS
from tunegate.stages import run_stage
from tunegate.stages.validate import ValidateReport
from tunegate.text.normalise import near_keys
from tunegate.workspace import Workspace


def validated(root: Path, rows: list[dict[str, Any]], rejects: int = 0, **inputs: Any) -> ValidateReport:
    report = run_stage("validate", "shop", project(root, records(rows), rejects, **inputs))
    assert isinstance(report, ValidateReport)
    return report


def out(root: Path, name: str) -> Path:
    return Workspace(root).stage("shop", "validate") / name


def table(root: Path, name: str) -> pa.Table:
    return pq.read_table(out(root, f"{name}.parquet"))


def quarantined(root: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table(root, "quarantine").to_pylist()
    return rows


def document(root: Path, name: str) -> Any:
    return json.loads(out(root, name).read_text(encoding="utf-8"))


texts = st.sampled_from(["hello", "Hello!", "", "it\ufffd", "bye", "itâ€™s", "一", "x" * 30, "see [SEP]", "\x00", "ok"])
rows_of_any_kind = st.lists(
    st.fixed_dictionaries(
        {
            "text": texts,
            "split": st.sampled_from(SPLITS),
            "label": st.sampled_from(["a", "b", "", "c"]),
            "id": st.sampled_from([f"i{number}" for number in range(30)]),
        }
    ),
    max_size=40,
)


@given(rows=rows_of_any_kind, rejects=st.integers(0, 3))
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_input_row_is_in_exactly_one_place_and_no_text_on_two_sides(
    tmp_path: Path, rows: list[dict[str, Any]], rejects: int
) -> None:
    report = validated(tmp_path, rows, rejects, settings=ValidateSettings(max_characters=20))
    places = ("quarantine", *SPLITS)
    found = [
        (row["source"], row["source_line"])
        for name in places
        for row in table(tmp_path, name).select(["source", "source_line"]).to_pylist()
    ]
    expected = [("data/raw/x/train.csv", line) for line in (*range(2, len(rows) + 2), *range(9_000, 9_000 + rejects))]
    assert sorted(found) == sorted(expected)
    assert report.rows == len(rows) + rejects == report.quarantined + sum(report.kept.values())
    sides = [set(near_keys([table(tmp_path, split)["text"].combine_chunks()]).tolist()) for split in SPLITS]
    assert sum(map(len, sides)) == len(set().union(*sides))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run over mostly good rows, read by several tests."""
    root = tmp_path_factory.mktemp("judged")
    broken = [
        {"text": "", "id": "empty"},
        {"text": "ordinary message number 8", "id": "leak"},
        {"text": "<script>alert('x')</script> itâ€™s", "id": "moji"},
    ]
    validated(root, [*ordinary(200), *broken], rejects=1)
    return root


def test_a_quarantined_row_has_file_line_rule_reason_remedy_and_itself(judged: Path) -> None:
    rows = {row["id"]: row for row in quarantined(judged)}
    assert table(judged, "quarantine").schema.equals(QUARANTINE)
    assert rows["leak"]["rule"] == "LEAK_EXACT"
    assert rows["leak"]["source_line"] == 203
    assert rows["leak"]["reason"] == "the same text is an evaluation row (data/raw/x/train.csv:10)"
    assert rows["leak"]["remedy"]
    assert json.loads(rows["leak"]["raw"]) == {"text": "ordinary message number 8", "label": "a"}
    assert "it would read" in rows["moji"]["reason"]


def test_rejected_lines_are_in_the_quarantine_too(judged: Path) -> None:
    rejected = [row for row in quarantined(judged) if row["id"] is None]
    assert [(row["rule"], row["source_line"], row["raw"]) for row in rejected] == [("LINE", 9000, "a,b")]


def test_the_splits_keep_the_records_columns(judged: Path) -> None:
    assert all(table(judged, split).schema.equals(SCHEMA) for split in SPLITS)


def test_the_facts_have_a_row_per_record_with_the_rule_that_took_it_out(judged: Path) -> None:
    facts = table(judged, "facts")
    assert facts.num_rows == 203
    assert dict(zip(facts["id"].to_pylist(), facts["rule"].to_pylist(), strict=True))["leak"] == "LEAK_EXACT"
    assert {"n_chars", "text_key", "text_empty", "leak_near", "label_conflict"} <= set(facts.column_names)


def test_the_page_needs_nothing_else_and_shows_text_as_text(judged: Path) -> None:
    page = out(judged, "report.html").read_text(encoding="utf-8")
    assert page.count("<table") == page.count('<div class="wide"><table') > 1  # wide ones scroll by themselves
    assert "<script" not in page and "http:" not in page and "https:" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page


def test_the_suite_is_kept_and_great_expectations_can_read_it(judged: Path) -> None:
    import great_expectations as gx

    for suite in document(judged, "suite.json").values():
        assert gx.ExpectationSuite(**suite).expectations


def test_the_markdown_says_what_was_taken_out_and_why(judged: Path) -> None:
    text = (judged / "reports/shop/validate.md").read_text(encoding="utf-8")
    assert "The data is accepted: of 204 rows 4 are quarantined (2 %)." in text
    assert "LEAK\\_EXACT" in text and "| a | " in text


def test_accepted_data_has_no_reasons_in_its_verdict(judged: Path) -> None:
    assert document(judged, "verdict.json") == {"accepted": True, "reasons": []}


def test_the_same_rows_make_the_same_files(judged: Path, tmp_path: Path) -> None:
    table_again = pq.read_table(Workspace(judged).stage("shop", "ingest") / "records.parquet")
    run_stage("validate", "shop", project(tmp_path, table_again, rejects=1))
    for path in sorted(out(judged, "").iterdir()):
        assert path.read_bytes() == out(tmp_path, path.name).read_bytes(), path.name


def test_over_the_budget_the_stage_succeeds_and_the_verdict_names_the_worst_rules(tmp_path: Path) -> None:
    report = validated(tmp_path, [*ordinary(100), *({"text": f"broken \ufffd {n}"} for n in range(20))])
    assert not report.accepted
    reason = next(reason for reason in document(tmp_path, "verdict.json")["reasons"] if "QUARANTINE_SHARE" in reason)
    assert "20 of 120 rows (17 %)" in reason and "ENC_REPLACEMENT (20)" in reason
    assert table(tmp_path, "train").num_rows == 60


def test_known_labels_keep_their_order_and_new_ones_join_at_the_end(tmp_path: Path) -> None:
    rows = [*ordinary(100), *({"text": f"about a zebra {number}", "label": "0zebra"} for number in range(5))]
    report = validated(tmp_path, rows, labels=["b", "gone"])
    assert document(tmp_path, "labels.json") == ["b", "gone", "0zebra", "a"]
    codes = [message.split("]")[0] for message in report.messages]
    assert "[NEW_LABEL" in codes and "[LOST_LABEL" in codes


def test_an_unknown_label_is_quarantined_with_the_nearest_known_one(tmp_path: Path) -> None:
    rows = [{**row, "label": "refund" if row["label"] == "a" else "invoice"} for row in ordinary(100)]
    validated(tmp_path, [*rows, {"text": "mistyped", "label": "refnud"}], labels=["invoice", "refund"])
    (row,) = quarantined(tmp_path)
    assert row["rule"] == "LABEL_SET"
    assert "did you mean 'refund'" in row["reason"]
    assert document(tmp_path, "labels.json") == ["invoice", "refund"]


def test_a_good_row_is_not_lost_for_a_broken_twin(tmp_path: Path) -> None:
    rows = [*ordinary(100), {"text": "twin", "label": "", "id": "broken"}, {"text": "twin", "id": "good"}]
    validated(tmp_path, rows)
    assert [row["id"] for row in quarantined(tmp_path)] == ["broken"]
    assert "good" in table(tmp_path, "train")["id"].to_pylist()


def test_a_label_with_too_few_training_rows_refuses_the_data(tmp_path: Path) -> None:
    validated(tmp_path, [*ordinary(100), {"text": "the only one", "label": "rare"}])
    (reason,) = document(tmp_path, "verdict.json")["reasons"]
    assert reason.startswith("[CLASS_MIN] 1 of 3 labels have fewer than 2 training rows: 'rare'")


@pytest.mark.parametrize("elsewhere", [[], [{"text": "held out", "label": "b", "split": "test"}]])
def test_training_rows_of_a_single_label_refuse_the_data(tmp_path: Path, elsewhere: list[dict[str, Any]]) -> None:
    rows = [{**row, "label": "a"} for row in ordinary(100)]
    validated(tmp_path, [*rows, *elsewhere])
    verdict = document(tmp_path, "verdict.json")
    assert verdict["reasons"][0].startswith("[CLASS_ONE] the training rows hold only one label: 'a'")
    assert "Add rows of another label." in verdict["reasons"][0]


def test_an_empty_split_refuses_the_data(tmp_path: Path) -> None:
    validated(tmp_path, [row for row in ordinary(100) if row["split"] != "validation"])
    (reason,) = document(tmp_path, "verdict.json")["reasons"]
    assert reason.startswith("[SPLIT_EMPTY] no rows are left for validation")


def second_version(root: Path, rows: list[dict[str, Any]]) -> ValidateReport:
    """Validate 500 ordinary rows, then these, with the first facts as the previous data version."""
    validated(root / "first", ordinary(500))
    reference = Workspace(root / "second").state / "references" / "abc"
    reference.mkdir(parents=True)
    (reference / "facts.parquet").write_bytes(out(root / "first", "facts.parquet").read_bytes())
    return validated(root / "second", rows, labels=["a", "b"], previous=Reference(hash="abc"))


def test_the_same_rows_again_have_nothing_to_say_of_the_version_before(tmp_path: Path) -> None:
    assert second_version(tmp_path, ordinary(500)).messages == []


def test_changes_against_the_version_before_are_told(tmp_path: Path) -> None:
    rows = ordinary(500)
    rows[0] = {**rows[0], "label": "b"}  # a training row corrected
    rows[8] = {**rows[8], "text": "another test row"}
    messages = second_version(tmp_path, rows).messages
    assert [message.split("]")[0] for message in messages] == ["[RELABELLED", "[EVAL_CHANGED"]
    assert "1 of 500 rows" in messages[0] and "id=r1 'ordinary message number 0'" in messages[0]
    assert "1 of 100 test rows" in messages[1] and "1 came" in messages[1]


def test_other_labels_lengths_and_words_are_drift(tmp_path: Path) -> None:
    rows = [
        {**row, "text": f"wholly different words, and many more of them than there were {number}", "label": "a"}
        if number % 3
        else row
        for number, row in enumerate(ordinary(500))
    ]
    codes = [message.split("]")[0] for message in second_version(tmp_path, rows).messages]
    assert {"[LABEL_DRIFT", "[LENGTH_DRIFT", "[VOCAB_DRIFT"} <= set(codes)


def own_suite(root: Path, *expectations: dict[str, Any]) -> dict[str, Any]:
    root.mkdir(exist_ok=True)
    (root / "own.json").write_text(json.dumps({"name": "mine", "expectations": list(expectations)}))
    return {"settings": ValidateSettings(suite="own.json")}


def test_a_suite_of_the_users_own_can_refuse_and_warn(tmp_path: Path) -> None:
    no_digits = {
        "type": "expect_column_values_to_not_match_regex",
        "kwargs": {"column": "text", "regex": r"number 1\b"},
    }
    warning = {**no_digits, "meta": {"action": "warn", "code": "NO_ONES", "what": "a one is there"}}
    report = validated(tmp_path, ordinary(100), **own_suite(tmp_path, no_digits, warning))
    assert not report.accepted and len(report.reasons) == 1
    assert report.reasons[0].startswith("[SUITE] 1 of 100 rows (1 %): expect_column_values_to_not_match_regex")
    assert any(message.startswith("[NO_ONES] 1 of 100 rows (1 %): a one is there") for message in report.messages)


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "txt"}}, "txt"),
        ({"type": "expect_the_impossible", "kwargs": {}}, "expect_the_impossible"),
    ],
)
def test_a_suite_that_cannot_be_judged_is_the_users_mistake(
    tmp_path: Path, expectation: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        validated(tmp_path, ordinary(50), **own_suite(tmp_path, expectation))


@pytest.mark.parametrize("content", ["{", "[]", '{"expectations": 3}'])
def test_a_suite_that_is_no_suite_is_the_users_mistake(tmp_path: Path, content: str) -> None:
    (tmp_path / "own.json").write_text(content)
    with pytest.raises(UserError, match=r"own\.json"):
        validated(tmp_path, ordinary(50), settings=ValidateSettings(suite="own.json"))
