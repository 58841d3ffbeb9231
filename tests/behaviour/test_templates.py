"""Templates: every combination where there are few, a sample without repetition where there are many."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.behaviour.templates import check_template, fill, slots_of

LISTS = {"thing": ["lamp", "mug", "kettle"], "fault": ["broken", "late"]}


def texts(templates, most=100, seed=0, lists=LISTS):
    return [filled[""] for _, filled in fill(templates, lists, most, Random(seed))]


def test_every_combination_is_made_once():
    made = texts(["My {thing} is {fault}.", "Hello."])
    assert len(made) == len(set(made)) == 7
    assert {"My lamp is broken.", "My kettle is late.", "Hello."} <= set(made)


def test_the_same_slot_holds_the_same_word_twice():
    assert texts(["{thing} and {thing}"]) == ["lamp and lamp", "mug and mug", "kettle and kettle"]


def test_double_braces_are_braces():
    assert texts(["{{id}} {fault}"]) == ["{id} broken", "{id} late"]


def test_fields_of_a_pair_share_their_slots():
    [first, *_] = fill([{"text": "a {thing}", "text_b": "the {thing}"}], LISTS, 9, Random(0))
    assert first == (0, {"text": "a lamp", "text_b": "the lamp"})


@given(most=st.integers(1, 40), seed=st.integers(0, 99), words=st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_a_sample_has_no_repetition_and_as_many_as_there_are(most, seed, words):
    lists = {f"s{n}": [f"{n}.{m}" for m in range(size)] for n, size in enumerate(words)}
    template = " ".join(f"{{{name}}}" for name in lists)
    made = texts([template, "alone"], most, seed, lists)
    total = 1
    for size in words:
        total *= size
    assert len(made) == len(set(made)) == min(most, total + 1)


@pytest.mark.parametrize(
    "template", ["", "  ", "an {open brace", "close} it", "{not a slot}", {}, {"text": 3}, 5, ["a"]]
)
def test_what_is_no_template_is_refused(template):
    with pytest.raises(ValueError, match="must"):
        check_template(template)


def test_slots_are_named_once_in_reading_order():
    assert slots_of({"text": "{b} {a} {b}", "text_b": "{c}"}) == ["b", "a", "c"]
