from pathlib import Path

import pytest

from tests.models.encoders import FAMILIES, tiny_encoder
from tests.models.test_loading import load
from tunegate.models.boundary import Above, hidden_states
from tunegate.models.loading import input_names


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_alone_answers_as_the_whole_model(family: str, tmp_path: Path) -> None:
    import torch

    model = load(tiny_encoder(family, tmp_path)).model.eval()
    names = input_names(model)
    ids = torch.randint(5, 50, (4, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    inputs = {name: arrays[name] for name in names}
    above = Above(model, int(ids[0, 0]), names, ("logits",))
    with torch.no_grad():
        whole = model(**inputs).logits
        first = hidden_states(model, inputs)[:, 0]
        with above.standing():
            assert torch.allclose(above.answer({"hidden": first})["logits"], whole, atol=1e-6)
        assert torch.equal(model(**inputs).logits, whole)  # and the model is whole again
    assert above.is_exact(inputs)


def test_a_head_that_reads_every_position_is_not_taken_for_one_that_reads_the_first(tmp_path: Path) -> None:
    import torch

    from tests.models.encoders import vocabulary_size
    from tests.models.test_loading import TWO
    from tunegate.models.loading import load_base
    from tunegate.task import Head

    base = tiny_encoder("bert", tmp_path)
    model = load_base(
        base, Head("AutoModelForTokenClassification", ("logits",), "cross_entropy"), TWO, vocabulary_size(base)
    ).model
    ids = torch.tensor([[2, 7, 8, 9, 3]])
    assert not Above(model, 2, ("input_ids",), ("logits",)).is_exact({"input_ids": ids})
