"""Another tokenizer in the place of a base model's, and of which old tokens each new one is made.

A token that the base model has too keeps its numbers; any other starts as the mean of the pieces that the base's
tokenizer reads it as (as `text.extension` does for single words).
"""

from tunegate.errors import UserError
from tunegate.task import TextTokenizer

ROLES = (("[PAD]", "<pad>"), ("[UNK]", "<unk>"), ("[CLS]", "<s>"), ("[SEP]", "</s>"), ("[MASK]", "<mask>"))
MARKS = ("##", "▁", "Ġ")  # what says whether a piece begins a word


def made_of(new: TextTokenizer, base: TextTokenizer) -> list[list[int]]:
    """Of each token of `new`, by number, the base's. Raises UserError where the padding token's number would move."""
    if new.pad["input_ids"] != base.pad["input_ids"]:
        raise UserError(
            f"tokenize.vocabulary: the base model pads with token {base.pad['input_ids']}, from which its family "
            "counts positions.",
            "Take a base model of BERT's or ALBERT's family, or keep its tokenizer (tokenize.extra_words adds words).",
        )
    vocabulary = sorted(new.tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    return [_made_of(piece, base) for piece, _ in vocabulary]


def _made_of(piece: str, base: TextTokenizer) -> list[int]:
    for names in ROLES:
        if piece in names:
            found = (base.tokenizer.token_to_id(name) for name in names)
            return [number for number in found if number is not None][:1]
    known = base.tokenizer.token_to_id(piece)
    if known is not None:
        return [known]
    text = piece
    for mark in MARKS:
        text = text.removeprefix(mark) or text
    ids = base.tokenizer.encode(text, add_special_tokens=False).ids
    return [number for number in ids if number != base.unknown_id]
