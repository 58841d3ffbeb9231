"""Which files of a folder are the checkpoint, its config and its vocabulary."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tunegate.errors import UserError

CONFIGS = {"bert": "bert_config*.json", "albert": "albert_config*.json"}


@dataclass(frozen=True)
class GoogleFiles:
    """`prefix` is the checkpoint's name without `.index`; `vocabulary` a WordPiece .txt or a SentencePiece .model."""

    family: str  # "bert" or "albert"
    config: Path
    prefix: Path
    vocabulary: Path


def is_google_folder(folder: Path) -> bool:
    """Whether it holds a config with Google's name, and none with Hugging Face's."""
    return not (folder / "config.json").is_file() and any(any(folder.glob(pattern)) for pattern in CONFIGS.values())


def find_files(folder: Path) -> GoogleFiles:
    """Raises UserError when one is missing or there are several."""
    families = {path: family for family, pattern in CONFIGS.items() for path in folder.glob(pattern)}
    config = _only(folder, families, "bert_config.json or albert_config.json")
    index = _only(folder, folder.glob("*.index"), "NAME.index of a checkpoint")
    vocabulary = _only(
        folder, [*folder.glob("*.model"), *folder.glob("vocab*.txt")], "vocab.txt or SentencePiece .model"
    )
    return GoogleFiles(families[config], config, index.with_suffix(""), vocabulary)


def _only(folder: Path, paths: Iterable[Path], what: str) -> Path:
    found = sorted(paths)
    if len(found) != 1:
        raise UserError(
            f"{folder} should hold one {what}; found: {', '.join(path.name for path in found) or 'none'}.",
            "Give the folder of one checkpoint as Google published it: config, .index, .data files, vocabulary.",
        )
    return found[0]
