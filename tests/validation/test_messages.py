from tunegate.validation.messages import Finding, percent, snippet, some


def test_a_message_has_the_one_shape() -> None:
    finding = Finding(
        "TEXT_EMPTY",
        "quarantine",
        False,
        "the text is empty",
        "Fill it in.",
        count=859,
        total=1_000_000,
        first="data/raw/x/train.csv:17 id=r17 ''",
    )
    assert finding.sentence() == (
        "[TEXT_EMPTY] 859 of 1000000 rows (0.086 %): the text is empty. "
        "First: data/raw/x/train.csv:17 id=r17 ''. Fill it in."
    )


def test_shares_show_two_digits() -> None:
    assert [percent(share) for share in (0.00086, 0.049, 0.1234, 1.0, 0.0)] == [
        "0.086 %",
        "4.9 %",
        "12 %",
        "100 %",
        "0 %",
    ]


def test_a_snippet_is_one_line_with_everything_invisible_spelled_out() -> None:
    assert snippet("a\nb\x00\u202e") == r"'a\nb\x00\u202e'"
    assert len(snippet("x" * 10_000)) < 70
    assert snippet(None) == "''"


def test_long_lists_are_cut_and_counted() -> None:
    assert some(["a", "b", "c"], shown=2) == "'a', 'b' and 1 more"
