"""What a verification finds, in words: which file of which part of a version is not what was registered."""

from dataclasses import asdict, dataclass

PARTS = {
    "ingest": "the rows that were read",
    "validate": "the checked rows",
    "augment": "the training rows",
    "tokenize": "the tokens",
    "train": "the weights",
    "export": "the serving files",
    "evaluate": "the answers",
    "gate": "the verdict",
    "package": "the Bento",
}
"""What people call a stage's files."""


@dataclass(frozen=True)
class Difference:
    """`part` is what people call it, `path` the file, tag or setting. `missing`: it could not be looked at at all."""

    part: str
    path: str
    problem: str
    remedy: str
    missing: bool = False

    def as_object(self) -> dict[str, object]:
        return asdict(self)


def part_of(path: str) -> str:
    """Of a path in the project."""
    parts = path.split("/")
    if parts[:2] == ["data", "raw"]:
        return "the raw data"
    if parts[:2] == ["data", "models"]:
        return "the base model"
    if parts[0] == "reports":
        return "the report"
    if parts[0] == "data" and len(parts) > 2:
        return PARTS.get(parts[2], parts[2])
    return "the code" if parts[0] == "src" else "a file that it was made from"


def short(value: str) -> str:
    """A hash as people compare it."""
    return value.removesuffix(".dir")[:10]
