"""Google's checkpoint to a Hugging Face folder: same outputs, all tensors accounted for, everything strange refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from tests.models.google.forward import forward
from tests.models.google.published import ALBERT, BERT, WORDPIECES, publish, random_variables, sentencepiece_model
from tunegate.errors import UserError
from tunegate.models.google.conversion import Conversion, convert
from tunegate.models.trial import try_out

CONFIGS = {"bert": BERT, "albert": ALBERT, "albert-v1": {**ALBERT, "num_hidden_groups": 1, "inner_group_num": 1}}


def converted(tmp_path: Path, name: str = "published") -> tuple[Conversion, Path]:
    made = tmp_path / "made"
    made.mkdir()
    return convert(tmp_path / "published", made, name=name), made


@pytest.mark.parametrize("name", list(CONFIGS))
def test_the_converted_model_answers_as_googles_code_does(tmp_path: Path, name: str) -> None:
    config = CONFIGS[name]
    variables = publish(tmp_path / "published", config)
    conversion, made = converted(tmp_path)
    assert conversion.architecture == ("BertForPreTraining" if name == "bert" else "AlbertForPreTraining")
    assert not conversion.plan.missing
    rng = np.random.default_rng(1)
    ids, types = rng.integers(0, int(config["vocab_size"]), (3, 9)), rng.integers(0, 2, (3, 9))
    mask = (np.arange(9) < [[9], [5], [7]]).astype(np.int64)
    expected = forward(config, variables, ids, types, mask)
    model: Any = transformers.AutoModelForPreTraining.from_pretrained(made).eval()
    given = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    with torch.inference_mode():
        outputs = model(**{key: torch.tensor(value) for key, value in given.items()}, output_hidden_states=True)
    order = outputs.seq_relationship_logits if name == "bert" else outputs.sop_logits
    own = mask.astype(bool)
    np.testing.assert_allclose(outputs.hidden_states[-1].numpy()[own], expected["hidden"][own], atol=1e-5)
    np.testing.assert_allclose(outputs.prediction_logits.numpy()[own], expected["words"][own], atol=1e-5)
    np.testing.assert_allclose(order.numpy(), expected["order"], atol=1e-5)


def test_every_tensor_stands_in_the_report(tmp_path: Path) -> None:
    variables = publish(tmp_path / "published", BERT)
    conversion, made = converted(tmp_path)
    lines = conversion.lines()
    assert len(conversion.plan.rows) == 3 * len(variables) + 1
    dense = "bert/encoder/layer_1/intermediate/dense/kernel [12x20 float32]"
    assert f"{dense} -> bert.encoder.layer.1.intermediate.dense.weight (transposed)" in lines
    assert "global_step [scalar int64] unused: the number of training steps" in lines
    assert "bert/pooler/dense/bias/adam_v [12 float32] unused: an optimiser's memory" in lines
    unused = 2 * len(variables) + 1
    assert lines[-1].startswith(f"{len(variables)} tensors mapped, {unused} unused, texts are lower-cased")
    kept = json.loads((made / "conversion.json").read_text())
    assert [row["google"] for row in kept["plan"]["rows"]] == [row.google for row in conversion.plan.rows]


@pytest.mark.parametrize(
    ("dropped", "architecture", "missing"),
    [
        (("cls/",), "BertModel", ("masked words", "sentence order")),
        (("cls/seq_relationship",), "BertForMaskedLM", ("sentence order",)),
        (("bert/pooler", "cls/seq_relationship"), "BertForMaskedLM", ("pooler", "sentence order")),
        (("cls/predictions",), "BertModel", ("masked words",)),
        (("cls/predictions", "bert/pooler"), "BertModel", ("pooler", "masked words")),
    ],
)
def test_a_part_that_is_missing_as_a_whole_is_reported(
    tmp_path: Path, dropped: tuple[str, ...], architecture: str, missing: tuple[str, ...]
) -> None:
    left = {name: value for name, value in random_variables(BERT).items() if not name.startswith(dropped)}
    publish(tmp_path / "published", BERT, left)
    conversion, made = converted(tmp_path)
    assert (conversion.architecture, conversion.plan.missing) == (architecture, missing)
    assert f"missing: {missing[-1]} ({architecture} does without)" in conversion.lines()
    assert try_out(made, whole=True).outputs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"bert/encoder/layer_2/output/dense/bias": (12,)},
            "nobody knows the tensor bert/encoder/layer_2/output/dense",
        ),
        ({"output_weights": (2, 12)}, "nobody knows the tensor output_weights"),
        ({"bert/embeddings/word_embeddings": (9, 12)}, r"has the shape \[9, 12\], and by the config it is \[15, 12\]"),
        ({"bert/pooler/dense/bias": None}, "the tensor bert/pooler/dense/bias is missing"),
        ({"bert/embeddings/LayerNorm/beta": None}, "the tensor bert/embeddings/LayerNorm/beta is missing"),
        ({"layer/.ATTRIBUTES/VARIABLE_VALUE": (1,)}, "object checkpoints of TensorFlow 2"),
    ],
)
def test_anything_unexpected_is_refused_by_name(
    tmp_path: Path, change: dict[str, tuple[int, ...] | None], said: str
) -> None:
    variables = random_variables(BERT)
    for name, shape in change.items():
        variables.pop(name, None)
        if shape is not None:
            variables[name] = np.zeros(shape, np.float32)
    publish(tmp_path / "published", BERT, variables)
    with pytest.raises(UserError, match=said):
        converted(tmp_path)


def test_whole_numbers_and_numbers_that_are_none_are_no_weights(tmp_path: Path) -> None:
    name = "bert/pooler/dense/bias"
    for values, said in ((np.zeros(12, np.int32), "holds int32"), (np.full(12, np.nan, np.float32), "NaN or infinite")):
        publish(tmp_path / said[:5] / "published", BERT, random_variables(BERT) | {name: values})
        with pytest.raises(UserError, match=f"{name}.*{said}"):
            converted(tmp_path / said[:5])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_size": 13}, "13 is no multiple of 3 heads"),
        ({"hidden_act": "swish"}, r'hidden_act is "swish"; known are gelu, relu, tanh'),
        ({"hiden_size": 12}, r'says \'hiden_size\', which nothing here knows. Did you mean "hidden_size"'),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers should be a whole number from 1 to 1,000, not 1000000000"),
        ({"vocab_size": "15"}, "vocab_size should be a whole number"),
        ({"hidden_dropout_prob": 1.5}, "hidden_dropout_prob should be a number from 0 to 1, not 1.5"),
    ],
)
def test_a_config_that_makes_no_model_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    publish(tmp_path / "published", BERT)
    (tmp_path / "published" / "bert_config.json").write_text(json.dumps({**BERT, **change}))
    with pytest.raises(UserError, match=said):
        converted(tmp_path)


@pytest.mark.parametrize(
    ("pieces", "name", "lower"),
    [
        (WORDPIECES, "published", True),
        ((*WORDPIECES[:-1], "Paris"), "published", False),
        ((*WORDPIECES[:-1], "Ⅰ"), "chinese_L-12", True),
        (WORDPIECES, "multi_cased_L-12_H-768_A-12", False),
        ((*WORDPIECES[:-1], "Paris"), "uncased_L-12.zip", True),
        ((*WORDPIECES[:-1], "\u2028"), "published", True),
    ],
)
def test_case_is_as_the_name_says_or_the_vocabulary_shows(
    tmp_path: Path, pieces: tuple[str, ...], name: str, lower: bool
) -> None:
    publish(tmp_path / "published", BERT)
    (tmp_path / "published" / "vocab.txt").write_text("\n".join(pieces) + "\n")
    conversion, made = converted(tmp_path, name)
    assert conversion.casing.startswith("lower-cased" if lower else "left in their case")
    assert json.loads((made / "tokenizer_config.json").read_text()) == {"do_lower_case": lower}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (
            "albert_config.json",
            "should hold one bert_config.json or albert_config.json; found: albert_config.json, bert_",
        ),
        ("other.index", "should hold one NAME.index of a checkpoint"),
        ("30k.model", "should hold one vocab.txt or SentencePiece .model"),
    ],
)
def test_two_of_a_kind_are_refused(tmp_path: Path, extra: str, said: str) -> None:
    publish(tmp_path / "published", BERT)
    (tmp_path / "published" / extra).write_text("{}")
    with pytest.raises(UserError, match=said):
        converted(tmp_path)


def test_alberts_pieces_are_cut_as_its_own_code_cuts_them(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    publish(tmp_path / "published", ALBERT)
    _, made = converted(tmp_path)
    tokenizer = Tokenizer.from_file(str(made / "tokenizer.json"))
    assert tokenizer.encode("The  Wéather is").tokens == ["[CLS]", "▁the", "▁weather", "▁is", "[SEP]"]
    assert tokenizer.encode("1,", "the").tokens == ["[CLS]", "▁", "1", ",", "[SEP]", "▁the", "[SEP]"]
    assert tokenizer.encode("1,", "the").type_ids == [0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (sentencepiece_model(kind=2), r"is of kind 2, not unigram"),
        (sentencepiece_model()[:-3], "message ends early"),
        (b"", "holds no pieces"),
        (sentencepiece_model(("a", "b")), r"lacks <pad>, <unk>"),
    ],
)
def test_a_sentencepiece_model_that_is_none_is_refused(tmp_path: Path, model: bytes, said: str) -> None:
    publish(tmp_path / "published", ALBERT)
    (tmp_path / "published" / "30k-clean.model").write_bytes(model)
    with pytest.raises(UserError, match=said):
        converted(tmp_path)


def test_a_special_token_that_somebody_typed_is_text_to_alberts_pieces(tmp_path: Path) -> None:
    from tunegate.text.tokens import load_tokenizer

    publish(tmp_path / "published", ALBERT)
    _, made = converted(tmp_path, "cased")
    tokenizer = load_tokenizer(made).tokenizer
    assert not set(tokenizer.encode("the [SEP] [MASK]", add_special_tokens=False).tokens) & {"[SEP]", "[MASK]"}
