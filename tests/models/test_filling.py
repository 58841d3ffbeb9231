"""Models that fill in words: asked at some positions they say what the family's own model says there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunegate.errors import UserError
from tunegate.models.filling import filling_class
from tunegate.task import IGNORED
from tunegate.text.sentence_pairs import IN_ORDER, OUT_OF_ORDER

VOCABULARY = 40
SMALL = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
ORDERED = ("bert", "albert")
FAMILIES = ("bert", "albert", "roberta", "distilbert", "electra", "deberta-v2")


def config_of(family: str) -> Any:
    from transformers import AutoConfig

    return AutoConfig.for_model(family, **SMALL, intermediate_size=32, hidden_dim=32, top_words=3)


def made(family: str, head: str = "masked_words") -> Any:
    import torch

    torch.manual_seed(0)
    config = config_of(family)
    return filling_class(type(config), head)(config).eval()


def batch() -> dict[str, Any]:
    import torch

    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, VOCABULARY, (2, 8), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_asked_is_answered_as_by_the_familys_own_model(family: str) -> None:
    import torch

    model, read = made(family), batch()
    asked = torch.zeros_like(read["input_ids"])
    asked[0, 3], asked[1, 2] = 8, 1
    words = torch.full_like(asked, IGNORED)
    words[0, 3], words[1, 5] = 7, 9
    with torch.no_grad():
        found, learnt = model(**read, asked=asked), model(**read, words=words)
        plain = super(type(model), model).forward(**read)["logits"].log_softmax(-1)
    for place, token in (((0, 3), 7), ((1, 2), 0)):
        assert found["asked_scores"][place] == pytest.approx(float(plain[place][token]), abs=1e-5)
        assert found["top_words"][place].tolist() == plain[place].topk(3).indices.tolist()
        assert np.allclose(found["top_scores"][place], plain[place].topk(3).values, atol=1e-5)
    expected = torch.stack([plain[0, 3], plain[1, 5]])
    assert np.allclose(learnt["prediction_logits"].log_softmax(-1), expected, atol=1e-5)


@pytest.mark.parametrize("family", ORDERED)
def test_a_pair_is_in_order_where_the_head_favours_the_first_class(family: str) -> None:
    """Google and Hugging Face: class 0 says that the second text follows the first."""
    import torch

    model, read = made(family, "masked_words_and_order"), batch()
    layer = model.cls.seq_relationship if family == "bert" else model.sop_classifier.classifier
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([2.0, -1.0]))
        found = model(**read, asked=torch.zeros_like(read["input_ids"]))
    assert found["order_scores"].exp()[:, 0].tolist() == pytest.approx([1 / (1 + np.exp(-3.0))] * 2)


@pytest.mark.parametrize(("family", "label"), [("bert", "next_sentence_label"), ("albert", "sentence_order_label")])
def test_what_the_familys_own_loss_calls_a_pair_in_order_is_the_first_class_here(family: str, label: str) -> None:
    """Their 0 is a continuation: the loss that they take of it is minus the log probability that we call `follows`."""
    import torch

    model, read = made(family, "masked_words_and_order"), batch()
    hidden = torch.full_like(read["input_ids"], IGNORED)
    hidden[:, 2] = read["input_ids"][:, 2]
    layer = model.cls.seq_relationship if family == "bert" else model.sop_classifier.classifier
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([0.7, -0.2]))
        ours = model(**read, asked=torch.zeros_like(hidden))["order_scores"]
        plain = super(type(model), model).forward
        losses = [float(plain(**read, labels=hidden, **{label: torch.full((2,), order)}).loss) for order in (0, 1)]
    assert losses[1] - losses[0] == pytest.approx(float((ours[:, IN_ORDER] - ours[:, OUT_OF_ORDER]).mean()), abs=1e-5)
    assert losses[1] - losses[0] > 0.5


def test_a_family_without_a_head_for_the_order_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="RobertaForMaskedLM has no head for the order"):
        made("roberta", "masked_words_and_order")


def test_its_weights_are_those_of_the_familys_own_model(tmp_path: Path) -> None:
    import torch
    from transformers import BertForMaskedLM

    model, read = made("bert"), batch()
    model.save_pretrained(tmp_path)
    again = BertForMaskedLM.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        own = super(type(model), model).forward(**read)["logits"]
        assert torch.equal(again(**read)["logits"], own)
    assert again.config.architectures == ["BertForMaskedLM"]
