"""Every choice a person can make: the typed settings behind `params.yaml`, with their defaults, limits and meaning.

A default stands here and nowhere else (training's in `train_settings.py`, augmentation's in
`augment_settings.py`, a task's own in its `record.py`). Reading the
file is `params_file`'s.
"""

import codecs
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from tunegate.augment_settings import AugmentSettings
from tunegate.errors import did_you_mean
from tunegate.settings import Precision, Settings, Share
from tunegate.train_settings import TrainSettings
from tunegate.vocabulary_settings import VocabularySettings

__all__ = ["AugmentSettings", "PipelineSettings", "Precision", "Settings", "Share", "TrainSettings"]


Format = Literal[
    "auto",
    "csv",
    "tsv",
    "jsonl",
    "parquet",
    "xlsx",
    "huggingface",
    "conll",
    "conllu",
    "spans",
    "squad",
    "documents",
    "lines",
]


class IngestSettings(Settings):
    files: dict[str, Literal["train", "validation", "test", "auto"]] = Field(
        default={"*": "auto"},
        description="file patterns under data/raw/<data> and the split their rows belong to (auto: by hash)",
    )
    columns: dict[str, str] = Field(
        default={},
        description="the record's field (text, label, id, group, ...) to the column's name in the file",
    )
    lists: dict[str, list[str]] = Field(
        default={},
        description="a field that is a list to the columns that hold its members, in their order "
        "({options: [OptionA, OptionB]})",
    )
    answers: dict[str, str] = Field(
        default={},
        description="file pattern to the file with its answers: lines `id,answer` without a header, joined by the id",
    )
    first_option: Literal[0, 1] = Field(
        default=0, description="the first option's number, where answers are numbers of options"
    )
    format: Format = Field(
        default="auto",
        description="how to read the files; auto goes by the file name's ending; spans: JSON lines of texts with "
        "marked spans (doccano, Label Studio); squad: questions in the JSON of SQuAD or CMRC 2018; "
        "documents: plain text with blank lines between them; lines: plain text, each line a row",
    )
    encoding: str = Field(default="utf-8", description="the files' encoding (a UTF-8 BOM is always allowed)")
    delimiter: str | None = Field(
        default=None, description="one character between columns (default: comma for .csv, tab for .tsv)"
    )
    label_columns: list[str] = Field(
        default=[], description="for sets of labels: the columns that hold 1 and 0, one for each label"
    )
    label_delimiter: str | None = Field(
        default=None, min_length=1, description="for sets of labels: what stands between the labels of one cell"
    )
    quoting: bool = Field(default=True, description="whether double quotes enclose fields in CSV and TSV files")
    sheet: str | None = Field(default=None, description="the sheet of an XLSX file (default: its only one)")

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError("must be an encoding that Python knows (utf-8, gb18030, big5, cp1252, ...)") from None
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _delimiter_is_one_character(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and len(delimiter) != 1:
            raise ValueError("must be one character")
        return delimiter


class SplitSettings(Settings):
    test: Share = Field(default=0.2, ge=0, lt=1, description="share of rows for the test split (auto rows)")
    validation: Share = Field(default=0.1, ge=0, lt=1, description="share of rows for validation (auto rows)")
    seed: int = Field(default=0, ge=0, description="salt of the hash that splits; another seed, another split")

    @model_validator(mode="after")
    def _rows_are_left_to_train_on(self) -> "SplitSettings":
        if self.test + self.validation >= 1:
            raise ValueError("must leave rows to train on: test and validation together stay below 1")
        return self


class CheckSettings(Settings):
    tolerated: Share | None = Field(
        default=None,
        ge=0,
        le=1,
        description="share of rows that may fail the check; quarantined rows up to it do not count in the budget",
    )
    action: Literal["quarantine", "warn", "fail", "off"] | None = Field(
        default=None, description="what happens to failing rows (fail: data over its limits)"
    )


class ValidateSettings(Settings):
    budget: Share = Field(
        default=0.05, ge=0, le=1, description="share of rows that may be quarantined before the data is refused"
    )
    min_rows: int = Field(default=20, ge=1, description="fewest rows a data set may have")
    min_rows_per_label: int = Field(default=2, ge=1, description="fewest training rows a label may have")
    max_label_ratio: float = Field(default=100.0, ge=1, description="most rows of a label per row of the rarest")
    min_characters: int = Field(default=1, ge=0, description="shorter texts are quarantined (TEXT_SHORT)")
    max_characters: int = Field(default=20_000, ge=1, description="longer texts are quarantined (TEXT_LONG)")
    labels: list[str] | None = Field(
        default=None, description="the labels that may occur (default: those that occur in the data)"
    )
    personal_data: bool = Field(default=False, description="look for e-mail addresses and phone numbers (PII)")
    checks: dict[str, CheckSettings] = Field(default={}, description="changes to single checks, by their code")
    suite: str | None = Field(
        default=None, description="a suite of Great Expectations of your own, a JSON file relative to the root"
    )

    @model_validator(mode="after")
    def _some_length_is_allowed(self) -> "ValidateSettings":
        if self.min_characters > self.max_characters:
            raise ValueError("must allow some length: min_characters is above max_characters")
        return self


class TokenizeSettings(Settings):
    max_length: int = Field(default=128, ge=8, le=8192, description="tokens per window, special tokens included")
    longer_positions: Literal["none", "tile", "interpolate"] = Field(
        default="none",
        description="where max_length is above what the base model reads: its positions copied again and again "
        "(Beltagy et al. 2020) or stretched (Dosovitskiy et al. 2021)",
    )
    extra_words: list[str] = Field(
        default=[],
        description="words that become tokens of their own, each starting as the mean of its pieces (Yao et al. 2021)",
    )
    vocabulary: VocabularySettings | None = Field(
        default=None,
        description="in place of the base model's tokens those of a vocabulary of the training rows; a token that the "
        "base has too keeps its numbers, others start as the mean of their pieces",
    )
    max_unknown_rate: Share = Field(
        default=0.05, ge=0, le=1, description="share of unknown tokens over which train refuses the data"
    )
    max_truncated_rate: Share = Field(
        default=0.1, ge=0, le=1, description="share of rows cut at max_length over which train refuses the data"
    )

    @field_validator("extra_words")
    @classmethod
    def _words_are_words(cls, words: list[str]) -> list[str]:
        if wrong := [word for word in words if not word or word != word.strip()]:
            raise ValueError(f"must hold words without white space around them, not {wrong[0]!r}")
        if len(set(words)) < len(words):
            raise ValueError("must name each word once")
        return words

    @model_validator(mode="after")
    def _tokens_are_the_bases_or_own(self) -> "TokenizeSettings":
        if self.vocabulary is not None and self.extra_words:
            raise ValueError("must not set both vocabulary and extra_words, which adds to the base model's tokens")
        return self


class ExportSettings(Settings):
    precisions: list[Precision] = Field(
        default=["fp32", "bf16"], min_length=1, description="the precisions that may serve; each is evaluated"
    )
    engine: Literal["auto", "openvino", "torch"] = Field(
        default="auto", description="auto: OpenVINO where its conversion is proved equal, else torch"
    )
    sure_precision: Share | None = Field(
        default=None, gt=0, lt=1, description="wanted share of right answers among those that are called sure"
    )


class EvaluateSettings(Settings):
    resamples: int = Field(default=10_000, ge=100, le=1_000_000, description="bootstrap resamples of an interval")
    latency_lengths: list[int] = Field(default=[16, 64, 128], description="token lengths at which latency is measured")
    latency_repeats: int = Field(default=50, ge=5, description="measurements per length")
    seed: int = Field(default=0, ge=0, description="seed of the resamples")
    behaviour: str | None = Field(
        default=None, description="a file of behaviour tests of your own, YAML, relative to the root"
    )


class GateSettings(Settings):
    floor: float | None = Field(default=None, description="the primary metric must reach this value")
    baseline_margin: float = Field(
        default=0.0, ge=0, description="by how much the primary metric must beat the best cheap baseline"
    )
    baselines: list[str] | None = Field(
        default=None, description="the task's cheap baselines that must be beaten (default: all of them)"
    )
    worthwhile_gain: Share = Field(
        default=0.2, ge=0, le=1, description="not shown better and surely removing less of a baseline's errors: FAIL"
    )
    margin: Share = Field(
        default=0.01,
        gt=0,
        lt=1,
        description="how much of the primary metric may be lost to champion and best version; of an error in a unit: "
        "a share of the right numbers' standard deviation; of a loss: so much of it",
    )
    slices: list[str] = Field(
        default=["label", "length", "source"],
        description="parts of the test rows that must not be harmed: columns, or filters `name: column == value`",
    )
    critical_slices: list[str] = Field(
        default=[],
        description="slices (`label=refunds`) that hold the verdict while they are too small to decide",
    )
    slice_margin: Share = Field(
        default=0.05, gt=0, lt=1, description="how much a critical slice may lose, and what too small means"
    )
    max_new_rows_gap: Share | None = Field(
        default=0.15, description="how much worse a batch of new rows may be answered than known ones (null: any)"
    )
    max_calibration_error: Share | None = Field(
        default=0.15, description="largest expected calibration error (null: not checked)"
    )
    max_latency_ms: float | None = Field(
        default=None, gt=0, description="largest p99 of one record at the longest measured length, milliseconds"
    )
    max_size_mb: float | None = Field(default=None, gt=0, description="largest size of the exported files, megabytes")


class PackageSettings(Settings):
    smoke_rows: int = Field(default=32, ge=1, le=10_000, description="held-out rows asked over HTTP before it counts")


class ServiceSettings(Settings):
    max_records: int = Field(default=128, ge=1, description="records per request")
    max_characters: int = Field(default=20_000, ge=1, description="characters per text")
    max_body_bytes: int = Field(default=4_000_000, ge=1_000, description="bytes per request body")
    queue: int = Field(default=1024, ge=1, description="records that may wait; more are answered 503")
    read_seconds: float = Field(default=10.0, gt=0, description="a body that takes longer to arrive is answered 408")
    deadline_seconds: float = Field(default=30.0, gt=0, description="a request that waits longer is answered 503")
    batch_tokens: int = Field(default=256, ge=64, description="tokens (padding included) that one engine call takes")


STAGES = ("ingest", "validate", "augment", "tokenize", "train", "export", "evaluate", "gate", "package")


class ResourceSettings(Settings):
    """Of one stage. What is not set is as `meta:` in dvc.yaml says."""

    pool: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="the work pool whose workers run it (`tunegate worker POOL`); local: where the run itself is",
    )
    retries: int | None = Field(
        default=None, ge=0, le=10, description="how often it is tried again after a lost worker, remote or server"
    )
    timeout: float | None = Field(default=None, gt=0, description="seconds after which it is stopped")
    wait: float | None = Field(
        default=None, gt=0, description="seconds that a run waits until a worker has taken it (default: an hour)"
    )
    lost_after: float | None = Field(
        default=None, gt=0, description="a worker that is silent for so many seconds is given up (default: 90)"
    )


class PipelineSettings(Settings):
    """One entry of `pipelines` in params.yaml."""

    task: str = Field(description="the kind of problem, a name from the table of tasks")
    data: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="the folder under data/raw with the raw files")
    model: str = Field(
        pattern=r"^[a-z0-9][A-Za-z0-9._/-]*$",
        description="the base model's folder under data/: models/<name>, or <pipeline>/train, what another pipeline "
        "trained",
    )
    description: str = Field(default="", description="one line for people")
    options: dict[str, Any] = Field(default={}, description="the task's own settings")
    ingest: IngestSettings = Field(default=IngestSettings(), description="how raw files become records")
    split: SplitSettings = Field(default=SplitSettings(), description="shares of test and validation rows")
    validation: ValidateSettings = Field(default=ValidateSettings(), alias="validate", description="limits on the data")
    augment: AugmentSettings = Field(default=AugmentSettings(), description="new training rows from old ones")
    tokenize: TokenizeSettings = Field(default=TokenizeSettings(), description="texts to tokens")
    train: TrainSettings = Field(default=TrainSettings(), description="fine-tuning")
    export: ExportSettings = Field(default=ExportSettings(), description="the files that serve")
    evaluate: EvaluateSettings = Field(default=EvaluateSettings(), description="scores on held-out rows")
    gate: GateSettings = Field(default=GateSettings(), description="what a candidate must show")
    package: PackageSettings = Field(default=PackageSettings(), description="the Bento")
    service: ServiceSettings = Field(default=ServiceSettings(), description="limits of the running service")
    resources: dict[str, ResourceSettings] = Field(
        default={}, description="stage to where and how it runs: {train: {pool: gpu}}; wins over `meta:` in dvc.yaml"
    )
    promote: Literal["manual", "staging", "production"] = Field(
        default="manual", description="where a model that passed goes by itself (manual: a person assigns it)"
    )
    review: Literal["none", "required"] = Field(
        default="none", description="required: a run of new data waits after validate for a named person"
    )
    approve_own: bool = Field(default=True, description="whether the author of a run may approve it")

    @field_validator("resources")
    @classmethod
    def _resources_are_of_stages(cls, resources: dict[str, ResourceSettings]) -> dict[str, ResourceSettings]:
        if wrong := sorted(resources.keys() - set(STAGES)):
            raise ValueError(f'must name stages, and "{wrong[0]}" is none.{did_you_mean(wrong[0], STAGES)}')
        return resources

    @field_validator("model")
    @classmethod
    def _model_stays_under_data(cls, model: str) -> str:
        if ".." in model.split("/"):
            raise ValueError("must lie under data/, without `..`")
        return model
