"""A tiny exported classifier, made on the spot: real converter, real files, untrained but decided weights."""

from pathlib import Path

from tests.tiny import tiny_bert
from tunegate.engines import EngineName, open_engine
from tunegate.engines.conversion import convert
from tunegate.evaluation.parity import golden
from tunegate.exported import FITTED, GOLDEN, Manifest, write_json, write_manifest
from tunegate.models.loading import save_model
from tunegate.params import Precision
from tunegate.predictor import Predictor
from tunegate.tasks import answering_of, encoding_of, record_of
from tunegate.text.tokens import load_tokenizer

TASK = "text_classification"
LABELS = ["food", "weather"]
PRECISION: Precision = "fp32"


def tiny_export(folder: Path, made_for: EngineName = "openvino") -> Path:
    """An export in fp32 with two labels."""
    import torch
    from transformers import AutoModelForSequenceClassification

    rows = [dict(row) for row in record_of(TASK).EXAMPLES]
    base = tiny_bert(folder.parent / "base", [row["text"] for row in rows])
    torch.manual_seed(1)
    encoding = encoding_of(TASK)
    model = AutoModelForSequenceClassification.from_pretrained(base, **encoding.head_options(LABELS, {}))
    with torch.no_grad():
        model.classifier.weight.normal_(0, 2)  # random, but with opinions
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    (folder / made_for).mkdir(parents=True)
    if made_for == "openvino":
        convert(model, inputs, folder / made_for)
    else:
        save_model(model, base / "tokenizer.json", folder / made_for)
    (folder / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    manifest = Manifest(
        task=TASK,
        labels=LABELS,
        max_length=32,
        engine=made_for,
        precisions=[PRECISION],
        inputs=list(inputs),
        outputs=list(encoding.head({}).outputs),
        files={},
    )
    fitted = {"temperature": 1.0}
    engine = open_engine(made_for, folder / made_for, encoding.head({}), PRECISION)
    predictor = Predictor(manifest, PRECISION, engine, dict(fitted), load_tokenizer(folder))
    kept = golden({PRECISION: predictor}, answering_of(TASK), predictor.table(rows))
    write_json(folder / FITTED, {PRECISION: fitted})
    write_json(folder / GOLDEN, kept.model_dump(mode="json"))
    write_manifest(folder, manifest)
    return folder
