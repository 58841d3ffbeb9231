"""What is done to a whole row keeps its answer true."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.augmenters.row_operations import shuffled


@given(
    options=st.lists(st.text(max_size=4), min_size=2, max_size=6, unique=True), data=st.data(), seed=st.integers(0, 99)
)
def test_the_answer_goes_where_its_option_goes_and_the_order_is_another(
    options: list[str], data: st.DataObject, seed: int
) -> None:
    right = data.draw(st.integers(0, len(options) - 1))
    made = shuffled({"options": options, "answer": right}, Random(seed))
    assert made["options"][made["answer"]] == options[right]
    assert sorted(made["options"]) == sorted(options)
    assert made["options"] != options
