"""Bringing a base model into `data/models/<name>`: checked, complete, with a note of where it came from."""

import filecmp
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tunegate.errors import UserError
from tunegate.inputs import BaseModelIdentity
from tunegate.models.folder import CONFIG, IDENTITY, TOKENIZER, WEIGHTS, read_config, read_identity, sizes_match
from tunegate.models.google.sentencepiece import tokenizer_from_sentencepiece
from tunegate.models.sources import FILES, LICENCE_FILES, SENTENCEPIECE, Source, read_json
from tunegate.models.trial import try_out
from tunegate.models.vocabulary import tokenizer_from_vocabulary
from tunegate.workspace import Workspace, fresh_folder, write_atomically

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


@dataclass(frozen=True)
class BaseModel:
    """A base model as people see it in a list."""

    name: str
    source: str
    commit: str | None
    architecture: str
    layers: int | None
    hidden: int | None
    vocabulary: int | None
    megabytes: float


@dataclass(frozen=True)
class Added:
    """`changed`: whether anything was written; the same files again change nothing. `trial`: a forward pass, in words,
    of a model that is new here."""

    model: BaseModel
    changed: bool
    trial: str | None


def check_name(name: str) -> None:
    """Raises UserError."""
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} is no name for a base model.", "Use lower-case letters, digits, dots, dashes and underscores."
        )


def add_model(workspace: Workspace, name: str, source: Source, *, replace: bool) -> Added:
    """What was downloaded is recorded once the model is here. Raises UserError."""
    check_name(name)
    folder = workspace.model(f"models/{name}")
    _check_source(source)
    staging = folder.parent / f".{name}.incoming"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _copy(source, staging, name)
        if folder.is_dir() and _same(staging, folder):
            return _added(folder, source, source.trial, changed=False)
        if folder.is_dir() and not replace:
            raise UserError(
                f"There is a base model {name!r} already, with other files ({read_identity(folder).source}).",
                "Choose another name, or give --replace; pipelines that use it will train again.",
            )
        trial = source.trial or try_out(staging, whole=False).line()
        with fresh_folder(folder) as fresh:
            shutil.copytree(staging, fresh, dirs_exist_ok=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _added(folder, source, trial, changed=True)


def _added(folder: Path, source: Source, trial: str | None, *, changed: bool) -> Added:
    if source.brought is not None:
        source.brought.record()
    return Added(describe(folder), changed, trial)


def list_models(workspace: Workspace) -> list[BaseModel]:
    """Every base model of the project, by name."""
    folders = workspace.model("models")
    return [
        describe(path.parent) for path in sorted(folders.glob(f"*/{CONFIG}")) if not path.parent.name.startswith(".")
    ]


def describe(folder: Path) -> BaseModel:
    config, identity = read_config(folder), read_identity(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return BaseModel(
        name=folder.name,
        source=identity.source,
        commit=identity.commit,
        architecture=str(config["model_type"]),
        layers=config.get("num_hidden_layers", config.get("n_layers")),
        hidden=config.get("hidden_size", config.get("dim")),
        vocabulary=config.get("vocab_size"),
        megabytes=round(size / 1e6, 1),
    )


def _check_source(source: Source) -> None:
    config = read_config(source.folder)
    if "auto_map" in config:
        raise UserError(
            f"{source.description}: its config names code of its own (auto_map), which is never run here.",
            "Take a model whose architecture transformers itself knows.",
        )
    if (source.folder / WEIGHTS).is_file():
        _check_weights(source.folder / WEIGHTS)
        return
    if list(source.folder.glob("*.safetensors")):
        problem, how = f"holds its weights in several files, not in one {WEIGHTS}", "max_shard_size='50GB'"
    elif list(source.folder.glob("*.bin")):
        problem, how = "holds its weights only as a pickle (.bin), which can run code when it is read", ""
    else:
        problem, how = f"holds no {WEIGHTS}", ""
    raise UserError(
        f"{source.description} {problem}.",
        "Where you trust it, save it anew with transformers and add that folder: "
        f"AutoModel.from_pretrained(...).save_pretrained(FOLDER{', ' + how if how else ''}).",
    )


def _check_weights(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as weights:
            names = list(weights.keys())
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no whole safetensors file: {error}.", "Bring the file again.") from error
    if not names:
        raise UserError(f"{path} holds no weights.", "Bring the file again.")


def _copy(source: Source, folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    for file in (*FILES, *LICENCE_FILES):
        if (source.folder / file).is_file():
            shutil.copyfile(source.folder / file, folder / file)
    _make_tokenizer(source, folder)
    _check_tokenizer(source, folder)
    identity = BaseModelIdentity(name=name, source=source.description, commit=source.commit)
    write_atomically(folder / IDENTITY, json.dumps(identity.model_dump(), indent=2) + "\n")


def _make_tokenizer(source: Source, folder: Path) -> None:
    if (folder / TOKENIZER).is_file():
        return
    settings = read_json(folder / "tokenizer_config.json")
    if (folder / SENTENCEPIECE).is_file() and read_config(folder)["model_type"] == "albert":
        lower = bool(settings.get("do_lower_case", True))  # as in Google's published models, all of them uncased
        tokenizer_from_sentencepiece(folder / SENTENCEPIECE, lower=lower).save(str(folder / TOKENIZER))
        return
    if not (folder / "vocab.txt").is_file():
        raise UserError(
            f"{source.description} holds neither {TOKENIZER} nor vocab.txt (nor, of an ALBERT, {SENTENCEPIECE}).",
            "Save its tokenizer with transformers into the folder: "
            "AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER).",
        )
    tokenizer_from_vocabulary(folder / "vocab.txt", settings).save(str(folder / TOKENIZER))


def _check_tokenizer(source: Source, folder: Path) -> None:
    from tokenizers import Tokenizer

    try:
        size = Tokenizer.from_file(str(folder / TOKENIZER)).get_vocab_size(with_added_tokens=True)
    except Exception as error:  # tokenizers raises bare Exception
        raise UserError(
            f"{source.description}: {TOKENIZER} cannot be read: {error}.", "Bring the file again."
        ) from error
    rows = read_config(folder).get("vocab_size")
    if isinstance(rows, int) and not sizes_match(size, rows):
        raise UserError(
            f"{source.description}: the tokenizer knows {size:,} tokens, the model {rows:,}: they do not match.",
            "Bring the tokenizer that the model was trained with.",
        )


def _same(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        return False
    return not any(filecmp.cmpfiles(one, other, names, shallow=False)[1:])
