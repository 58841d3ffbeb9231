"""export: the trained weights as the files that serve, proved equal to torch on validation rows."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from tunegate.engines import TOLERANCE, EngineName, open_engine, why_not
from tunegate.engines.conversion import convert
from tunegate.errors import UserError
from tunegate.evaluation.abstention import fit_sureness, sureness_in_words
from tunegate.evaluation.parity import PARITY_ROWS, Asked, Parity, ask_torch, golden, golden_rows, measure
from tunegate.exported import FITTED, GOLDEN, Filled, Manifest, files_in, write_json, write_manifest
from tunegate.models.loading import input_names, load_finished
from tunegate.params import ExportSettings, Precision, TokenizeSettings
from tunegate.predictor import Predictor
from tunegate.records import as_text, question_columns, read_table
from tunegate.stages import Context, Report
from tunegate.task import AnswerPart, TextTokenizer
from tunegate.tasks import answering_of, encoding_of, examples_of, record_of
from tunegate.text.tokens import load_tokenizer
from tunegate.windows import Windows

FIT_ROWS = 5_000  # validation rows that a temperature is fitted on: one number is known to a percent from these
GOLDEN_ROWS = 16
LONGEST_GOLDEN = 2_000  # characters: golden rows travel in every Bento


class PrecisionReport(BaseModel):
    """What one precision was measured to do. `fitted` is the task's own (a temperature, thresholds)."""

    parity: Parity
    tolerance: float
    fitted: dict[str, float | list[float]]


class ExportReport(Report):
    """`left_out` gives the reason for each precision that was asked for and is not shipped."""

    engine: EngineName
    why_this_engine: str
    precisions: dict[Precision, PrecisionReport]
    left_out: dict[Precision, str]
    measured_on: str
    golden_rows: int
    megabytes: float
    digest: str

    def markdown(self) -> str:
        lines = [
            f"The serving files: {self.megabytes:.1f} MB for the **{self.engine}** engine ({self.why_this_engine}), "
            f"`{self.digest[:12]}`.\n",
            f"Measured on {self.measured_on}:\n",
            "| precision | rows | largest difference from torch | alone from batch | decided otherwise |",
            "|---|---|---|---|---|",
        ]
        for name, found in self.precisions.items():
            parity = found.parity
            lines.append(
                f"| {name} | {parity.rows} | {parity.from_torch:.1e} | {parity.alone_from_batch:.1e} "
                f"| {len(parity.flipped)} |"
            )
        lines += [line for name, found in self.precisions.items() for line in sureness_in_words(name, found.fitted)]
        lines += [f"\n{name} is not shipped: {reason}." for name, reason in self.left_out.items()]
        return "\n".join(lines) + "\n"


def run(context: Context) -> ExportReport:
    """Raises UserError when nothing could be proved or the model's labels are not the label file's."""
    settings = context.settings(ExportSettings)
    wanted, left_out = _precisions(settings)
    maker = _Maker.of(context, wanted)
    engine, why = _choose_engine(maker, settings)
    predictors, reports = maker.measured(engine)
    left_out |= {name: _turned_over(found.parity) for name, found in reports.items() if _turned(found.parity)}
    kept = [name for name in wanted if name not in left_out]
    if not kept:
        raise UserError(
            "No precision answers as torch does: "
            + "; ".join(f"{name}: {why}" for name, why in left_out.items())
            + ".",
            "Set export.engine to torch, or export.precisions to [fp32].",
        )
    manifest = maker.write(engine, {name: predictors[name] for name in kept}, reports)
    return ExportReport(
        engine=engine,
        why_this_engine=why,
        precisions={name: reports[name] for name in kept},
        left_out=left_out,
        measured_on=maker.measured_on,
        golden_rows=min(GOLDEN_ROWS, len(maker.records)),
        megabytes=round(sum((context.out / name).stat().st_size for name in files_in(context.out)) / 1e6, 3),
        digest=manifest.digest,
    )


def _precisions(settings: ExportSettings) -> tuple[list[Precision], dict[Precision, str]]:
    """Those that this machine computes, and the reasons for the others. Raises UserError when none is left."""
    reasons = {name: why_not(name) for name in dict.fromkeys(settings.precisions)}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    if len(left_out) == len(reasons):
        raise UserError(
            f"export.precisions: this machine computes none of them ({'; '.join(left_out.values())}).",
            "Add fp32 to export.precisions.",
        )
    return [name for name in reasons if name not in left_out], left_out


def _choose_engine(maker: "_Maker", settings: ExportSettings) -> tuple[EngineName, str]:
    """OpenVINO where its answers are torch's, else torch and why. Raises UserError when OpenVINO was demanded."""
    if settings.engine == "torch":
        maker.copy_model()
        return "torch", "export.engine says so"
    try:
        convert(maker.model, maker.inputs, maker.out / "openvino")
        difference = maker.difference("openvino")
    except UserError as error:
        problem = error.problem.rstrip(".")
    else:
        if difference <= TOLERANCE["fp32"]:
            return "openvino", f"equal to torch within {TOLERANCE['fp32']:.0e} in fp32, alone and in batches"
        problem = f"OpenVINO's fp32 scores differ from torch's, or with the batch, by {difference:.1e}"
    if settings.engine == "openvino":
        raise UserError(f"export.engine is openvino, but {problem}.", "Set export.engine to auto or torch.")
    shutil.rmtree(maker.out / "openvino", ignore_errors=True)
    maker.copy_model()
    return "torch", problem


@dataclass(frozen=True)
class _Maker:
    """What one export is made from: the model, its rows, and torch's own outputs for some of them."""

    context: Context
    out: Path
    model: Any
    inputs: tuple[str, ...]
    manifest: Manifest
    tokenizer: TextTokenizer
    wanted: list[Precision]
    records: pa.Table  # validation rows; the task's examples where there are none
    fit_rows: int  # 0 where records are examples: nothing may be fitted on them
    windows: Windows
    asked: Asked
    _opened: dict[tuple[EngineName, Precision], Predictor] = field(default_factory=dict)
    _measured: dict[tuple[EngineName, Precision], Parity] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context, wanted: list[Precision]) -> "_Maker":
        trained, head = context.path("train", "model"), encoding_of(context.task).head(context.options)
        model = load_finished(trained, head)
        labels = json.loads(context.path("validate", "labels.json").read_text(encoding="utf-8"))
        _check_labels(model, encoding_of(context.task).head_options(labels, context.options), labels, trained)
        tokenizer = load_tokenizer(trained)
        manifest = Manifest(
            task=context.task,
            labels=labels,
            options=context.inputs.params.get("options") or {},
            max_length=context.settings(TokenizeSettings).max_length,
            engine="openvino",
            precisions=wanted,
            inputs=list(input_names(model)),
            outputs=list(head.outputs),
            base_model=context.inputs.base_model,
            filled=_filled(context),
            files={},
        )
        validation = _spread(read_table(context.path("validate", "validation.parquet")), FIT_ROWS)
        records = validation if len(validation) else examples_of(record_of(context.task))
        windows = encoding_of(context.task).encode(records, tokenizer, manifest.max_length, context.options)
        context.progress.say(f"asking torch for {min(PARITY_ROWS, len(records))} answers to compare with")
        asked = ask_torch(model, records, windows, manifest, tokenizer)
        shutil.copy(trained / "tokenizer.json", context.out)
        return cls(
            context, context.out, model, tuple(manifest.inputs), manifest, tokenizer, wanted,
            records, len(validation), windows, asked,
        )  # fmt: skip

    @property
    def answering(self) -> AnswerPart:
        return answering_of(self.context.task)

    @property
    def measured_on(self) -> str:
        kind = "validation rows" if self.fit_rows else "rows of the task's own examples"
        return f"{len(self.asked.ids)} {kind}"

    def copy_model(self) -> None:
        """The Hugging Face folder itself, for the torch engine."""
        folder = self.out / "torch"
        folder.mkdir()
        for name in ("config.json", "model.safetensors"):
            shutil.copy(self.context.path("train", "model") / name, folder)

    def difference(self, engine: EngineName) -> float:
        """The larger of fp32's differences from torch and between alone and in a batch."""
        parity = self._parity(engine, "fp32")
        return max(parity.from_torch, parity.alone_from_batch)

    def _parity(self, engine: EngineName, precision: Precision) -> Parity:
        """Measured once."""
        if (engine, precision) not in self._measured:
            predictor = self._predictor(engine, precision)
            self._measured[engine, precision] = measure(predictor, self.answering, self.asked)
        return self._measured[engine, precision]

    def measured(self, engine: EngineName) -> tuple[dict[Precision, Predictor], dict[Precision, PrecisionReport]]:
        """Each precision with its fitted state, and what it was measured to do."""
        predictors = {name: self._predictor(engine, name) for name in self.wanted}
        reports = {}
        for name, predictor in predictors.items():
            self.context.progress.say(f"comparing {name} with torch")
            parity = self._parity(engine, name)
            reports[name] = PrecisionReport(parity=parity, tolerance=TOLERANCE[name], fitted=predictor.fitted)
        return predictors, reports

    def _predictor(self, engine: EngineName, precision: Precision) -> Predictor:
        """Fitted on the validation rows' outputs in just this precision; made once."""
        if (engine, precision) not in self._opened:
            self._opened[engine, precision] = self._fitted(engine, precision)
        return self._opened[engine, precision]

    def _fitted(self, engine: EngineName, precision: Precision) -> Predictor:
        head = encoding_of(self.context.task).head(self.context.options)
        opened = open_engine(engine, self.out / engine, head, precision, os.cpu_count() or 1)
        manifest = self.manifest.model_copy(update={"engine": engine})
        unfitted = Predictor(manifest, precision, opened, {}, self.tokenizer)
        rows = self.records.slice(0, self.fit_rows)
        outputs = unfitted.outputs(self.windows)
        few = np.flatnonzero(self.windows.record < self.fit_rows)
        known = {name: array[few] for name, array in outputs.items()}
        windows, reading = self.windows.take(few), unfitted.reading
        fitted = self.answering.fit(known, windows, rows, reading)
        wanted = self.context.settings(ExportSettings).sure_precision
        if wanted is not None:
            answers = self.answering.decode(known, windows, rows, replace(reading, fitted=fitted))
            fitted = fitted | fit_sureness(self.answering, answers, rows, manifest.labels, wanted)
        return Predictor(manifest, precision, opened, fitted, self.tokenizer)

    def write(
        self, engine: EngineName, predictors: dict[Precision, Predictor], reports: dict[Precision, PrecisionReport]
    ) -> Manifest:
        """fitted.json, golden.json and, last, the manifest."""
        write_json(self.out / FITTED, {name: reports[name].fitted for name in predictors})
        short = _short(self.records, next(iter(predictors.values())).questions)
        answers = next(iter(predictors.values())).answers(short)
        chosen = golden_rows(answers, self.answering, GOLDEN_ROWS)
        kept = golden(predictors, self.answering, short.take(chosen))
        write_json(self.out / GOLDEN, kept.model_dump(mode="json"))
        return write_manifest(
            self.out, self.manifest.model_copy(update={"engine": engine, "precisions": list(predictors)})
        )


def _check_labels(model: Any, options: Mapping[str, Any], labels: list[str], folder: Path) -> None:
    """Where the head speaks of labels at all."""
    if "id2label" not in options:
        return
    labels = [name for _, name in sorted(options["id2label"].items())]
    named = [name for _, name in sorted((int(number), name) for number, name in model.config.id2label.items())]
    if named != labels:
        raise UserError(
            f"{folder} was trained for other labels ({len(named)}), or in another order, than the label file holds "
            f"({len(labels)}).",
            "Run the pipeline again with --force train.",
        )


def _filled(context: Context) -> dict[str, Filled]:
    """In how many of the training rows each part of the question stands; white space is nothing."""
    free = {column.name for column in record_of(context.task).PAYLOAD if column.may_be_left_out}
    parts = question_columns(record_of(context.task).PAYLOAD)
    rows = read_table(context.path("validate", "train.parquet"), parts)
    found = {name: _how_often(pc.utf8_trim_whitespace(as_text(rows[name]))) for name in parts}
    return {name: "sometimes" if name in free and often == "always" else often for name, often in found.items()}


def _how_often(texts: pa.Array) -> Filled:
    there = pc.sum(pc.fill_null(pc.not_equal(texts, ""), False)).as_py() or 0
    return "never" if not there else "always" if there == len(texts) else "sometimes"


def _spread(records: pa.Table, most: int) -> pa.Table:
    """At most so many of the rows, evenly over all."""
    if len(records) <= most:
        return records
    return records.take(pa.array(np.linspace(0, len(records) - 1, most).astype(np.int64)))


def _short(records: pa.Table, questions: tuple[str, ...]) -> pa.Table:
    """Rows to choose golden ones from: those short enough to travel, or all where there is none."""
    names = [name for name in questions if name in records.column_names]
    lengths = np.sum([[len(text or "") for text in as_text(records[name]).to_pylist()] for name in names], axis=0)
    short = np.flatnonzero(lengths <= LONGEST_GOLDEN)
    return _spread(records.take(pa.array(short)) if len(short) else records, PARITY_ROWS)


def _turned(parity: Parity) -> bool:
    return bool(parity.flipped_clear) or not np.isfinite(parity.from_torch)


def _turned_over(parity: Parity) -> str:
    some = ", ".join(parity.flipped_clear[:3])
    return f"it decides {len(parity.flipped_clear)} of {parity.rows} rows otherwise that are no near ties ({some})"
