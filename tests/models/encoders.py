"""Tiny encoders of several families with one vocabulary, as Hugging Face folders."""

from pathlib import Path

from tests.tiny import tiny_bert

TEXTS = ("the cat sat on the mat", "a dog ran far away", "rain fell all night long")
FAMILIES = ("bert", "distilbert", "roberta", "albert", "electra")


def tiny_encoder(family: str, folder: Path, *, layers: int = 3) -> Path:
    """A folder with random weights (seed 0) and the tokenizer of `tiny_bert`."""
    import torch
    import transformers

    tiny_bert(folder, TEXTS, layers=layers)
    if family == "bert":
        return folder
    config = transformers.AutoConfig.from_pretrained(folder)
    shape = {
        "vocab_size": config.vocab_size,
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
    }
    if family == "distilbert":
        shape = {"vocab_size": config.vocab_size, "dim": 32, "n_layers": layers, "n_heads": 2, "hidden_dim": 64}
    if family in ("albert", "electra"):
        shape["embedding_size"] = 16  # other than hidden_size: a projection stands between
    if family == "roberta":
        shape["type_vocab_size"] = 1
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(family, **shape))
    model.save_pretrained(folder)
    return folder


def vocabulary_size(folder: Path) -> int:
    from tunegate.text.tokens import load_tokenizer

    return load_tokenizer(folder).vocabulary_size
