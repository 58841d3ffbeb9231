"""The suites against rows that break every check: Great Expectations must count what our facts count."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from tests.rows import ordinary, records
from tunegate.params import CheckSettings, ValidateSettings
from tunegate.tasks import record_of
from tunegate.text.normalise import near_keys
from tunegate.validation.checks import Rules, row_checks
from tunegate.validation.collect import collect
from tunegate.validation.examine import Examination, examine
from tunegate.validation.expectations import CrashedExpectationError, judge, suite_of
from tunegate.validation.known import Known, Previous
from tunegate.validation.suites import row_expectations

BROKEN = [
    {"text": "   "},
    {"text": "no label here", "label": " "},
    {"text": "lost \ufffd character"},
    {"text": "itâ€™s broken"},
    {"text": "bell \x07"},
    {"text": "long " * 100},
    {"text": "x"},
    {"text": "labelled carelessly", "label": "c"},
    {"text": "write to ann@example.org"},
    {"text": "another row has my id", "id": "r1"},
    {"text": "both the same", "text_b": "both the same"},
    {"text": "one text, two labels", "label": "a"},
    {"text": "one text, two labels", "label": "b"},
    {"text": "Ordinary message number 9", "label": "b"},
    {"text": "ordinary message number 8"},
    {"text": "ordinary message number 10"},
    {"text": "twice in training"},
    {"text": "twice in training"},
    {"text": "Twice in training!"},
    {"text": "a [SEP] typed by a user"},
    {"text": "привет"},
    {"text": "labelled otherwise before", "label": "a"},
]
SETTINGS = ValidateSettings(
    labels=["a", "b"], min_characters=2, max_characters=200, personal_data=True, budget=1.0, min_rows=1
)


def before() -> Previous:
    key = near_keys([pa.array(["labelled otherwise before"]), pa.nulls(1, pa.string())])
    rows = pa.table({"split": ["train"], "label": ["b"], "n_chars": [25], "text_key": key, "rule": pa.nulls(1)})
    return Previous(rows, {"otherwise": 1}, 1)


def rules(settings: ValidateSettings = SETTINGS) -> Rules:
    return Rules(record_of("text_classification"), settings, Known(("a", "b"), before()))


def rows() -> ds.Dataset:
    return ds.dataset(records([*ordinary(300), *BROKEN]))


def test_great_expectations_counts_what_our_facts_count_for_every_check() -> None:
    checks = row_checks(rules())
    facts = collect(rows(), rules(), checks, lambda done, total: None)
    suite = suite_of("rows", row_expectations(checks, SETTINGS, facts.labels))
    outcomes = judge(suite, facts.table)
    ours = {check.code: int(facts.boolean(check.fact).sum()) for check in checks}
    theirs = {check.code: outcome.unexpected for check, outcome in zip(checks, outcomes, strict=True)}
    assert ours == theirs
    assert all(ours.values()), f"a row must break every check, none breaks {[c for c, n in ours.items() if not n]}"


def test_every_broken_row_is_taken_out_by_the_rule_that_it_breaks() -> None:
    examination = examine(rows(), 0, rules())
    assert examination.quarantined_by_rule() == {
        "LABEL_CONFLICT": 2,
        "LEAK_EXACT": 1,
        "LEAK_NEAR": 1,
        "DUP_EXACT": 2,
        "DUP_NEAR": 1,
        **dict.fromkeys(
            (
                "TEXT_EMPTY",
                "LABEL_NULL",
                "ENC_REPLACEMENT",
                "ENC_MOJIBAKE",
                "CTRL_CHARS",
                "TEXT_LONG",
                "TEXT_SHORT",
                "LABEL_SET",
                "PII",
                "ID_UNIQUE",
            ),
            1,
        ),
    }


def test_results_are_matched_to_their_expectations_although_a_crash_or_order_moves_them() -> None:
    frame = pa.table({"one": [1, 2, 3], "other": [False, True, True]})
    between = {"type": "expect_column_values_to_be_between", "meta": {}}
    in_set = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "other", "value_set": [False]}}
    suite = suite_of(
        "order",
        [
            in_set,
            {**between, "kwargs": {"column": "one", "max_value": 2}},
            {**between, "kwargs": {"column": "one", "max_value": 9}},
        ],
    )
    assert [outcome.unexpected for outcome in judge(suite, frame)] == [2, 1, 0]


def test_a_crashed_expectation_is_an_error_and_never_bad_data() -> None:
    suite = suite_of("crash", [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "absent"}}])
    with pytest.raises(CrashedExpectationError, match="absent"):
        judge(suite, pa.table({"there": [1]}))


def test_no_rows_at_all_fail_the_smallest_number_of_rows() -> None:
    examination = examine(ds.dataset(records([])), 0, Rules(record_of("text_classification"), ValidateSettings()))
    assert any(reason.startswith("[ROWS_MIN]") for reason in examination.reasons)


def test_the_suite_is_the_same_each_time_so_that_its_file_is_too() -> None:
    assert examine(rows(), 0, rules()).suites == examine(rows(), 0, rules()).suites


def changed(**changes: CheckSettings) -> ValidateSettings:
    return SETTINGS.model_copy(update={"checks": changes, "min_rows_per_label": 1})


def examined(settings: ValidateSettings) -> Examination:
    return examine(rows(), 0, rules(settings))


def finding(examination: Examination, code: str) -> Mapping[str, object]:
    return next(vars(found) for found in examination.findings if found.code == code)


def test_a_check_set_to_fail_refuses_the_data_over_its_tolerated_share_and_takes_nothing_out() -> None:
    strict = examined(changed(DUP_EXACT=CheckSettings(action="fail")))
    lenient = examined(changed(DUP_EXACT=CheckSettings(action="fail", tolerated=0.5)))
    assert finding(strict, "DUP_EXACT")["refuses"] and not finding(lenient, "DUP_EXACT")["refuses"]
    assert "DUP_EXACT" not in strict.quarantined_by_rule()


def test_rows_within_a_tolerated_share_of_their_own_do_not_count_against_the_budget() -> None:
    usual = examined(changed())
    tolerated = examined(changed(DUP_EXACT=CheckSettings(tolerated=0.5)))
    assert tolerated.quarantined_by_rule() == usual.quarantined_by_rule()
    assert tolerated.sizes.against_budget == usual.sizes.against_budget - 2
    assert not finding(tolerated, "DUP_EXACT")["refuses"]


def test_over_its_own_tolerated_share_a_quarantining_check_refuses_the_data() -> None:
    examination = examined(changed(DUP_EXACT=CheckSettings(tolerated=0.001)))
    assert any(reason.startswith("[DUP_EXACT] 2 of 322 rows") for reason in examination.reasons)


def sets(*labels: list[str]) -> Examination:
    """Of rows with these sets of labels, after enough ordinary ones; only `eggs` and `bread` may occur."""
    part = record_of("multi_label_classification")
    given = [["eggs"], ["bread", "eggs"], []]
    listed = [*(given[number % 3] for number in range(300)), *labels]
    table = records([{**row, "label": None} for row in [*ordinary(300), *({"text": f"odd row {n}"} for n in range(len(labels)))]])
    table = table.drop_columns(["label"]).append_column("labels", pa.array(listed, pa.list_(pa.string())))
    settings = ValidateSettings(labels=["bread", "eggs"], budget=1.0)
    return examine(ds.dataset(table), 0, Rules(part, settings))


def test_sets_of_labels_are_judged_by_their_members() -> None:
    found = sets(["eggs", "egs"], ["bread", "bread"], ["bread", " "])
    taken = {found.checks[number].code for number in found.rule if number >= 0}
    assert taken == {"LABEL_SET", "LABEL_TWICE"}  # a blank is no known label either
    message = next(finding.sentence() for finding in found.findings if finding.code == "LABEL_SET")
    assert "'egs'; did you mean 'eggs'?" in message
    assert {label: sum(counts.values()) for label, counts in found.labels.items()} == {"eggs": 200, "bread": 100}
    assert found.reasons == []
