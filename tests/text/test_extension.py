"""Words of a person's own as tokens: one each, in their place, and nothing else read otherwise."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.text.extension import extended, pieces_of
from tunegate.text.tokens import load_tokenizer

TEXTS = ("the parcel came late", "退 货 运 费")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), TEXTS)


def test_a_new_word_is_one_token_wherever_it_stands_as_a_word(folder: Path) -> None:
    after, made_of = extended(folder, ["gadget", "运费"])
    size = load_tokenizer(folder).vocabulary_size
    tokens = {text: after.tokenizer.encode(text, add_special_tokens=False) for text in ("The GADGET, late", "退运费了")}
    assert tokens["The GADGET, late"].ids.count(size) == 1
    assert tokens["The GADGET, late"].offsets[1] == (4, 10)
    assert size + 1 in tokens["退运费了"].ids
    assert made_of == [pieces_of(load_tokenizer(folder), word) for word in ("gadget", "运费")]
    assert size not in after.tokenizer.encode("gadgets").ids


def test_a_special_token_that_somebody_typed_still_stays_text(folder: Path) -> None:
    after, _ = extended(folder, ["gadget"])
    assert after.tokenizer.encode("gadget [SEP]").ids.count(after.tokenizer.token_to_id("[SEP]")) == 1


def test_texts_without_the_words_are_read_as_before(folder: Path) -> None:
    after, _ = extended(folder, ["gadget", "运费"])
    for text in ("the parcel came late [SEP] x", "退货", "gad get"):
        assert after.tokenizer.encode(text).ids == load_tokenizer(folder).tokenizer.encode(text).ids


def test_a_word_that_is_a_token_already_adds_none(folder: Path) -> None:
    after, made_of = extended(folder, ["parcel", "Parcel", "退"])
    assert made_of == [] and after.vocabulary_size == load_tokenizer(folder).vocabulary_size


def test_the_same_word_in_two_forms_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="reads 'Gadget' as another word of the list"):
        extended(folder, ["gadget", "Gadget"])


def test_a_word_in_the_middle_of_a_text_of_unspaced_pieces_leaves_no_empty_mark(tmp_path: Path) -> None:
    """SentencePiece marks a word's start with a letter of its own, which belongs to the new token then."""
    vocabulary = [("<unk>", 0.0), ("▁", -3.0), ("▁a", -2.0), ("▁late", -2.0), *((c, -4.0) for c in "gadetl")]
    tokenizer = Tokenizer(models.Unigram(vocabulary, 0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    after, made_of = extended(tmp_path, ["gadget"])
    assert after.tokenizer.encode("a gadget late").tokens == ["▁a", " gadget", "▁late"]
    assert [after.tokenizer.id_to_token(piece) for piece in made_of[0]] == ["▁", *"gadget"]
