"""What `benchmarks.pretraining` reads: texts to learn a language from, sets to learn a task from, and small nets."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.vocabulary_settings import VocabularySettings

if TYPE_CHECKING:
    from tunegate.models.fresh import Family

SPLITS = ("train", "validation", "test")

LAYERS, WIDTH, HEADS = 2, 64, 2
NETS: "dict[Family, dict[str, Any]]" = {"bert": {}, "albert": {"embedding_size": 32}}
"""What differs from the family's usual config."""
NARROW = {"initializer_range": 0.1}  # about 64 ** -0.5; the usual 0.02 is for a width of 768
ORDER: "dict[Family, str]" = {"bert": "nsp", "albert": "sop"}
"""What is learnt beside words: as the nets' own papers have it."""

MEAN = {"pooling": "mean"}  # the first token's state has little to say after so short a training


@dataclass(frozen=True)
class Target:
    """A set that is learnt after the language, by its three files; `metric` is judged on test rows."""

    name: str
    task: str
    metric: str
    files: Mapping[str, str]  # split to its place in the folder of sets
    settings: Mapping[str, Any] = field(default_factory=dict)


def _sib200(language: str) -> Target:
    files = {
        split: f"sib200/{language}/{name}.tsv" for split, name in zip(SPLITS, ("train", "dev", "test"), strict=True)
    }
    ingest = {"columns": {"id": "index_id", "label": "category"}}
    return Target("sib200", "text_classification", "accuracy", files, {"ingest": ingest, "train": MEAN})


BANKING = Target(
    "banking77",
    "text_classification",
    "accuracy",
    {"train": "banking77/train.csv", "test": "banking77/test.csv"},
    {"ingest": {"columns": {"label": "category"}}, "split": {"test": 0.0, "validation": 0.1}, "train": MEAN},
)
WEIBO = Target(
    "weibo-ner",
    "token_classification",
    "span_f1",
    {
        split: f"weibo_ner/v2/weiboNER_2nd_conll.{name}"
        for split, name in zip(SPLITS, ("train", "dev", "test"), strict=True)
    },
    {},
)
TARGETS = {"en": (_sib200("eng_Latn"), BANKING), "zh": (_sib200("zho_Hans"), WEIBO)}

VOCABULARY = {
    "en": VocabularySettings(kind="wordpiece", size=4000),
    "zh": VocabularySettings(kind="characters", size=8000, coverage=0.999),
}

FEW = 10  # training rows of each of banking77's labels
FEW_SENTENCES = 500  # of Weibo's to learn from


def texts_of(language: str, folder: Path) -> str:
    """Documents with blank lines between them."""
    documents = _english(folder) if language == "en" else _chinese(folder)
    return "\n\n".join(documents) + "\n"


def _english(folder: Path) -> Iterable[str]:
    """EWT's documents, a sentence per line, and Wikipedia's sentences, each alone."""
    trees = sorted((folder / "ud_english_ewt" / "r2.16").rglob("*.conllu"))
    for path in trees:
        for document in path.read_text(encoding="utf-8").split("# newdoc")[1:]:
            yield "\n".join(re.findall(r"^# text = (.+)$", document, re.MULTILINE))
    yield from (folder / "wiki_sentences_en" / "all_wiki_sents.txt").read_text(encoding="utf-8").splitlines()


def _chinese(folder: Path) -> Iterable[str]:
    """CMRC's passages, in a line each."""
    for path in sorted((folder / "cmrc2018").glob("*.json")):
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                yield " ".join(paragraph["context"].split())


def write_target(target: Target, folder: Path, where: Path) -> dict[str, str]:
    """The files as raw data; says which split each belongs to."""
    where.mkdir(parents=True, exist_ok=True)
    splits = {}
    for split, place in target.files.items():
        text = (folder / place).read_bytes().decode("utf-8")
        name = f"{split}.conll" if target is WEIBO else f"{split}{Path(place).suffix}"
        if target is WEIBO:  # a digit behind each character says where in its word it stands
            text = re.sub(r"^(.+)\d\t", r"\1\t", text, flags=re.MULTILINE)
        if target is WEIBO and split == "train":
            text = "\n\n".join(text.split("\n\n")[:FEW_SENTENCES]) + "\n"
        if target is BANKING and split == "train":
            text = _few(text)
        (where / name).write_bytes(text.encode("utf-8"))
        splits[name] = "auto" if "validation" not in target.files and split == "train" else split
    return splits


def _few(text: str) -> str:
    """The first rows of each label."""
    import csv
    import io
    from collections import Counter

    seen: Counter[str] = Counter()
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    for number, row in enumerate(csv.reader(io.StringIO(text, newline=""))):
        seen[row[1]] += 1
        if number == 0 or seen[row[1]] <= FEW:
            writer.writerow(row)
    return made.getvalue()


def write_net(net: "Family", texts: str, language: str, folder: Path) -> None:
    """A base model of random weights, with a vocabulary of the texts' own, as `tunegate models vocabulary` makes it."""
    from tunegate.models.fresh import write_fresh_model
    from tunegate.models.scratch import Size
    from tunegate.text.vocabularies import vocabulary_of

    tokenizer = vocabulary_of(texts.splitlines, VOCABULARY[language])
    write_fresh_model(folder, tokenizer, net, Size(LAYERS, WIDTH, HEADS))
