"""From texts to a base model's folder: the vocabulary, what it makes of held-out rows beside others, the files."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tunegate.errors import UserError
from tunegate.models.folder import VOCABULARY
from tunegate.models.fresh import Family, write_fresh_model
from tunegate.models.scratch import Size
from tunegate.models.sources import Source
from tunegate.new_vocabulary.texts import OwnTexts
from tunegate.task import TextTokenizer
from tunegate.text.tokens import load_tokenizer
from tunegate.text.vocabularies import vocabulary_of
from tunegate.text.vocabularies.measuring import Measures, measured
from tunegate.vocabulary_settings import VocabularySettings
from tunegate.workspace import Workspace, write_atomically

MEASURED = 20_000  # texts: more move no figure that is shown


@dataclass(frozen=True)
class Vocabulary:
    """`measures`: of held-out texts, by tokenizer, the new one first; empty where no text is held out."""

    tokenizer: Any
    settings: VocabularySettings
    source: str
    rows: int
    measures: dict[str, Measures]

    @property
    def size(self) -> int:
        return int(self.tokenizer.get_vocab_size(with_added_tokens=True))

    @property
    def description(self) -> str:
        """Where the base model comes from, for lists."""
        return f"texts of {self.source} ({self.settings.kind} vocabulary made here, random weights)"

    def facts(self) -> dict[str, Any]:
        return {
            "settings": self.settings.model_dump(mode="json"),
            "source": self.source,
            "rows": self.rows,
            "held_out": {name: asdict(measures) for name, measures in self.measures.items()},
        }


def make_vocabulary(
    name: str, texts: OwnTexts, settings: VocabularySettings, beside: Mapping[str, TextTokenizer]
) -> Vocabulary:
    """`name` is the new one's in `measures`. Raises UserError."""
    tokenizer = vocabulary_of(texts.train.texts, settings)
    held_out = list(islice(texts.held_out.texts(), MEASURED))
    measures: dict[str, Measures] = {}
    if held_out:
        others = {name: as_read(tokenizer), **beside}
        measures = {other: measured(one, held_out) for other, one in others.items()}
    return Vocabulary(tokenizer, settings, texts.source, len(texts.train), measures)


def as_read(tokenizer: Any) -> TextTokenizer:
    """As every stage reads it from its file."""
    with TemporaryDirectory() as folder:
        tokenizer.save(str(Path(folder) / "tokenizer.json"))
        return load_tokenizer(Path(folder))


@contextmanager
def as_source(vocabulary: Vocabulary, family: Family, size: Size) -> Iterator[Source]:
    """A base model's folder, to be added like others."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_fresh_model(folder, vocabulary.tokenizer, family, size)
        write_atomically(folder / VOCABULARY, json.dumps(vocabulary.facts(), indent=2, ensure_ascii=False) + "\n")
        yield Source(folder, vocabulary.description, None)


def tokenizers_beside(workspace: Workspace, names: list[str]) -> dict[str, TextTokenizer]:
    """Of base models by their names in params.yaml. Raises UserError for one that is not there."""
    for name in names:
        if not (workspace.model(name) / "tokenizer.json").is_file():
            raise UserError(
                f"--beside {name}: there is no tokenizer in data/{name}.",
                "Name a base model as params.yaml does (models/minilm); `tunegate models list` shows them.",
            )
    return {name: load_tokenizer(workspace.model(name)) for name in names}
