"""What validation would say of rows that are not a data version yet: the same rules, nothing written."""

import json

import pyarrow.dataset as ds

from tunegate.data_versions.reading import VersionRows
from tunegate.params import ValidateSettings
from tunegate.records import read_table
from tunegate.tasks import record_of
from tunegate.validation.checks import Rules
from tunegate.validation.dataset import label_table
from tunegate.validation.examine import examine
from tunegate.validation.known import Known, read_previous
from tunegate.validation.suites import own_suite
from tunegate.validation.summary import Summary, summary_of
from tunegate.workspace import Workspace


def judged(workspace: Workspace, pipeline: str, task: str, settings: ValidateSettings, rows: VersionRows) -> Summary:
    """Compared with the data version that the pipeline validated last, where it was accepted."""
    rejects = read_table(rows.folder / "rejects.parquet")
    rules = Rules(record_of(task), settings, _known(workspace, pipeline), own_suite(workspace.root, settings.suite))
    examination = examine(ds.dataset(rows.folder / "records.arrow", format="ipc"), len(rejects), rules)
    return summary_of(examination, rejects, label_table(examination.facts.table))


def _known(workspace: Workspace, pipeline: str) -> Known:
    folder = workspace.stage(pipeline, "validate")
    if not (folder / "verdict.json").is_file():
        return Known()
    if not json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["accepted"]:
        return Known()
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return Known(tuple(labels), read_previous(folder / "facts.parquet"))
