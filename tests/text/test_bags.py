"""What the cheap baselines know of a question."""

import pyarrow as pa

from tunegate.text.bags import bags


def test_a_pairs_sides_are_features_of_their_own_and_so_is_their_likeness() -> None:
    rows = pa.table({"text": ["rain again", "sun shines"], "text_b": ["rain again", "snow falls"]})
    known, asked = bags(rows, rows)
    assert (known - asked).nnz == 0
    assert known[:, [-1]].toarray().ravel().round(6).tolist() == [1.0, 0.0]
    swapped, _ = bags(rows.select(["text"]).append_column("text_b", rows["text_b"]), rows)
    assert swapped.shape == known.shape


def test_single_texts_are_bags_of_words_and_of_neighbours() -> None:
    rows = pa.table({"text": ["rain again", "天气"], "text_b": pa.nulls(2, pa.string())})
    known, _ = bags(rows, rows)
    assert known.shape == (2, 6)  # rain, again, "rain again", 天, 气, "天 气"
