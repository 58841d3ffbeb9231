from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models.encoders import FAMILIES, tiny_encoder, vocabulary_size
from tests.models.test_loading import TWO, load
from tunegate.models.compaction import compacted
from tunegate.models.loading import load_base
from tunegate.task import Head

IDS = torch.tensor([[2, 31, 17, 31, 3], [2, 40, 3, 0, 0]])
MASK = (IDS > 0).long()


def occurring() -> np.ndarray:
    return np.bincount(IDS.flatten().numpy()) > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cut_table_answers_as_the_whole_one(family: str, tmp_path: Path) -> None:
    model = load(tiny_encoder(family, tmp_path)).model.eval()
    with torch.no_grad():
        whole = model(input_ids=IDS, attention_mask=MASK).logits
        with compacted(model, occurring()) as table:
            assert model.get_input_embeddings().num_embeddings == 6
            cut = model(input_ids=torch.from_numpy(table[IDS.numpy()]), attention_mask=MASK).logits
        again = model(input_ids=IDS, attention_mask=MASK).logits
    assert torch.equal(whole, cut) and torch.equal(whole, again)


def test_what_is_learned_comes_back_and_what_does_not_occur_stays(tmp_path: Path) -> None:
    model = load(tiny_encoder("bert", tmp_path)).model
    before = model.get_input_embeddings().weight.detach().clone()
    with compacted(model, occurring()):
        model.get_input_embeddings().weight.data += 1
    moved = (model.get_input_embeddings().weight - before).detach()
    rows = np.flatnonzero(occurring())
    assert torch.allclose(moved[rows], torch.ones(len(rows), moved.shape[1]))
    assert float(np.delete(moved.numpy(), rows, axis=0).max()) == 0.0


def test_a_table_that_also_answers_is_not_cut(tmp_path: Path) -> None:
    base = tiny_encoder("bert", tmp_path)
    head = Head("AutoModelForMaskedLM", ("logits",), "cross_entropy")
    model = load_base(base, head, TWO, vocabulary_size(base)).model
    with compacted(model, occurring()) as table:
        assert model.get_input_embeddings().num_embeddings == vocabulary_size(base)
        assert np.array_equal(table, np.arange(vocabulary_size(base)))
