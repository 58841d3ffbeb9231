"""A tiny BERT in a Hugging Face folder, made on the spot: real architecture, real tokenizer, seconds to train."""

from collections.abc import Iterable
from pathlib import Path

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tiny_bert(folder: Path, texts: Iterable[str], *, hidden: int = 32, layers: int = 2) -> Path:
    """Config, random weights (seed 0) and a WordPiece tokenizer that knows the texts' words and single letters."""
    import torch
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary(texts)
    _write_tokenizer(folder, vocabulary)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def tiny_tokenizer(folder: Path, texts: Iterable[str]) -> Path:
    """The tokenizer alone: no model, no torch."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder, _vocabulary(texts))
    return folder


def _vocabulary(texts: Iterable[str]) -> dict[str, int]:
    words = {word for text in texts for word in text.lower().split()}
    letters = {letter for word in words for letter in word} | set("abcdefghijklmnopqrstuvwxyz0123456789.,!?'")
    pieces = [*SPECIAL, *sorted(letters), *(f"##{letter}" for letter in sorted(letters)), *sorted(words - letters)]
    return {piece: number for number, piece in enumerate(pieces)}


def _write_tokenizer(folder: Path, vocabulary: dict[str, int]) -> None:
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "model_max_length": 64}')
