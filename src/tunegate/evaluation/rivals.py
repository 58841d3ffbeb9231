"""The champion and the best version, asked the candidate's own test rows through the same Predictor.

Numbers that were measured on other rows are never compared. A version that can no longer be asked is not passed over
in silence: it stands in the findings with the reason and what to do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from tunegate.errors import UserError
from tunegate.evaluation.findings import title
from tunegate.evaluation.leave_outs import LeaveOuts, Mask, leave_outs
from tunegate.exported import MANIFEST, Manifest, read_manifest
from tunegate.inputs import Reference
from tunegate.params import Precision
from tunegate.predictor import Advance, Predictor
from tunegate.records import Payload, question_columns, read_table

Name = Literal["champion", "best"]
TEST = "test.parquet"  # of validate's folder: rows that a version was judged by
LEARNT = ("train.parquet", "validation.parquet")  # of validate's folder: weights, and what was fitted beside them


@dataclass(frozen=True)
class Rival:
    """A version to compare with: its answers, or why there are none."""

    name: Name
    reference: Reference
    same_as: Name | None = None  # the best version is the champion itself
    answers: pa.Table | None = None
    labels: tuple[str, ...] = ()
    precision: Precision | None = None
    digest: str = ""
    left_out: LeaveOuts | None = None
    new: Mask | None = None  # rows [n] that its data version did not hold, on any side; None where it is not known
    problem: str = ""
    remedy: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        """In words, for sentences: `the champion v1.2.0`."""
        return title(self.name, self.reference.version)


@dataclass(frozen=True)
class Asking:
    """What every rival is asked: the rows, and how."""

    task: str
    payload: Sequence[Payload]
    records: pa.Table
    folder: Callable[[str], Path]  # a reference's hash to where its files were fetched
    threads: int
    advance: Callable[[str], Advance]  # what is being asked, in words, to who is told how far it is


def rivals(references: Mapping[Name, Reference | None], asking: Asking) -> list[Rival]:
    """The champion first; a best version that is the same export is not asked again."""
    found: list[Rival] = []
    for name, reference in references.items():
        if reference is None:
            continue
        twin = next((rival for rival in found if rival.reference.hash == reference.hash), None)
        found.append(Rival(name, reference, same_as=twin.name) if twin else _asked(name, reference, asking))
    return found


def _asked(name: Name, reference: Reference, asking: Asking) -> Rival:
    missing = Rival(name, reference)
    folder = asking.folder(reference.hash)
    if not (folder / MANIFEST).is_file():
        return Rival(
            name,
            reference,
            problem=f"the files of {missing.title} are gone (export {reference.hash[:12]})",
            remedy="Bring them back with `tunegate pull`, then run the pipeline again with --force evaluate; "
            "or let a person decide.",
        )
    try:
        return _answered(missing, folder, asking)
    except UserError as error:
        return Rival(
            name, reference, problem=f"{missing.title} cannot be asked: {error.problem.rstrip('.')}",
            remedy=f"{error.remedy} Or let a person decide.",
        )  # fmt: skip


def _answered(rival: Rival, folder: Path, asking: Asking) -> Rival:
    """In the precision that serves. Raises UserError for files that do not open here, or of another task."""
    _same_task(read_manifest(folder), asking.task)
    predictor = Predictor.open(folder, threads=asking.threads)
    manifest = predictor.manifest
    answers = predictor.answers(asking.records, asking.advance(f"test rows asked of {rival.title}"))
    learnt, note = _learnt(rival.reference, asking)
    left_out = leave_outs(asking.records, learnt, asking.payload, manifest.labels)
    return Rival(
        rival.name,
        rival.reference,
        answers=answers,
        labels=tuple(manifest.labels),
        precision=predictor.precision,
        digest=manifest.digest,
        left_out=left_out,
        new=_new(rival.reference, learnt, left_out, asking),
        note=note,
    )


def _same_task(manifest: Manifest, task: str) -> None:
    if manifest.task != task:
        raise UserError(
            f"it solves another task ({manifest.task}; this pipeline is now {task}), and scores of different tasks "
            "are not compared",
            "Give the new task a pipeline of its own, where there is nothing to compare with.",
        )


def _learnt(reference: Reference, asking: Asking) -> tuple[list[pa.Table], str]:
    """The rows that a version learnt from, and a remark where they are not known."""
    if reference.validated is None:
        return [], "what it learnt from is not known, so no row could be left out for that"
    folder = asking.folder(reference.validated)
    names = _questions(asking)
    if missing := [name for name in LEARNT if not (folder / name).is_file()]:
        return [], f"the rows it learnt from are gone ({', '.join(missing)}), so none could be left out for that"
    return [read_table(folder / name, names) for name in LEARNT], ""


def _new(reference: Reference, learnt: Sequence[pa.Table], left_out: LeaveOuts, asking: Asking) -> Mask | None:
    """What it learnt from was looked for already; here the rows that it was judged by are."""
    if reference.validated is None or not learnt:
        return None
    test = asking.folder(reference.validated) / TEST
    if not test.is_file():
        return None
    known = leave_outs(asking.records, [read_table(test, _questions(asking))], asking.payload, None)
    return ~(left_out.trained_on | known.trained_on)


def _questions(asking: Asking) -> list[str]:
    return ["id", *question_columns(asking.payload)]
