"""Which words an answer leaned on, asked of a real exported model."""

import pytest

from tests.service.tiny_export import tiny_export
from tunegate.predictor import Predictor
from tunegate.review.occlusion import MOST_PIECES, leaning

TEXTS = ["rain is coming tonight", "don't salt-free  soup!\n\tnow", "天气很好 and rain", "...", "rain"]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return Predictor.open(tiny_export(tmp_path_factory.mktemp("occluded") / "export"))


@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_are_the_text(predictor: Predictor, text: str) -> None:
    assert "".join(piece.text for piece in leaning(predictor, {"text": text}).pieces) == text


def test_a_weight_is_the_fall_of_the_score_without_the_word(predictor: Predictor) -> None:
    found = leaning(predictor, {"text": "rain and soup"})
    whole, without = predictor.responses([{"text": "rain and soup"}, {"text": " and soup"}], with_scores=True)
    label = found.decided
    assert found.pieces[0].weight == pytest.approx(whole["scores"][label] - without["scores"][label], abs=1e-6)
    assert found.answer["label"] == label == whole["label"]
    assert found.strongest[0].weight == pytest.approx(found.most) or found.strongest[0].weight == -found.most


def test_words_of_scripts_without_spaces_are_single_characters(predictor: Predictor) -> None:
    words = [piece.text for piece in leaning(predictor, {"text": "天气 don't 好"}).pieces if piece.weight is not None]
    assert words == ["天", "气", "don't", "好"]


def test_a_text_without_words_leans_on_nothing(predictor: Predictor) -> None:
    assert leaning(predictor, {"text": "?!"}).most == 0.0


def test_a_long_text_is_taken_apart_in_larger_pieces(predictor: Predictor) -> None:
    found = leaning(predictor, {"text": "rain soup " * 500})
    assert sum(piece.weight is not None for piece in found.pieces) <= MOST_PIECES
