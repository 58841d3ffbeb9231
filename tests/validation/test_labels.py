import pytest

from tunegate.validation.labels import label_rules


def test_a_closed_list_lets_no_other_label_in_and_suggests_the_nearest() -> None:
    rules = label_rules({"refund": 40, "refnud": 30, "zebra": 1}, ["refund", "invoice"], [])
    assert [label for label in ("refund", "refnud", "zebra") if rules.is_wrong(label)] == ["refnud", "zebra"]
    assert rules.nearest == {"refnud": "refund"}


@pytest.mark.parametrize("slip", ["refnud", "Refund", "re fund", "refunds", "refund."])
def test_a_rare_label_close_to_a_known_one_is_a_slip(slip: str) -> None:
    rules = label_rules({"refund": 5, slip: 2}, None, ["refund"])
    assert rules.nearest == {slip: "refund"}
    assert rules.is_wrong(slip)


def test_a_label_that_occurs_three_times_is_new_and_no_slip() -> None:
    assert not label_rules({"refund": 5, "refunds": 3}, None, ["refund"]).is_wrong("refunds")


def test_a_rare_label_unlike_any_other_is_new_and_no_slip() -> None:
    assert not label_rules({"refund": 500, "warranty": 1}, None, ["refund"]).is_wrong("warranty")


def test_where_nothing_is_known_only_a_far_more_frequent_label_makes_a_slip() -> None:
    assert label_rules({"refund": 40, "refnud": 1}, None, []).is_wrong("refnud")
    assert not label_rules({"refund": 10, "refnud": 1}, None, []).is_wrong("refnud")


def test_a_text_column_taken_for_labels_is_looked_at_without_end_of_time() -> None:
    counts = {f"this is the text of message number {number}": 1 for number in range(20_000)}
    assert len(label_rules(counts, ["refund"], []).nearest) == 0
