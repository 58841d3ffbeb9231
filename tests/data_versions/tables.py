"""Data versions from a few rows, without a project: written as CSV and read as any other."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tunegate.data_versions.diff import DataDiff, data_diff
from tunegate.data_versions.naming import DataVersion, version_of
from tunegate.params import PipelineSettings
from tunegate.progress import Progress
from tunegate.workspace import Workspace

Row = Mapping[str, str]
SETTINGS = PipelineSettings(task="text_classification", data="demo", model="models/tiny")


def version(folder: Path, name: str, rows: Sequence[Row]) -> DataVersion:
    """The rows as a version; their keys are the columns."""
    path = folder / f"{name}.csv"
    names = list(dict.fromkeys(key for row in rows for key in row)) or ["text", "label"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return version_of(name, "demo", SETTINGS, path, lambda file: file.name)


def differ(folder: Path, before: Sequence[Row], after: Sequence[Row]) -> DataDiff:
    """The difference; state lies under the folder."""
    workspace = Workspace(folder)
    with (folder / "log").open("w", encoding="utf-8") as log:
        return data_diff(workspace, version(folder, "a", before), version(folder, "b", after), Progress("diff", log))


def row(number: object, text: str, label: str = "x", **more: str) -> dict[str, str]:
    return {"id": str(number), "text": text, "label": label, **more}
