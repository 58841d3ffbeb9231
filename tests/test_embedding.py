"""Vectors are the encoder's states, pooled as asked, whoever stands in the batch; rows keep their order."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tiny import tiny_bert
from tunegate.cli import run_command
from tunegate.embedding import Embedder
from tunegate.errors import UserError

TEXTS = ["rain is coming tonight", "a sunny sky", "fresh bread with butter and more of it", "snow"]
WIDTH = 16


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("model"), TEXTS, hidden=WIDTH)


@pytest.fixture
def project(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "models").mkdir(parents=True)
    (tmp_path / "data" / "models" / "minilm").symlink_to(model)
    (tmp_path / "params.yaml").write_text("pipelines: {}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(model: Path, text: str, layer: int) -> np.ndarray:
    """Of one text alone, by transformers' own means, [l, h]."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    ids = Tokenizer.from_file(str(model / "tokenizer.json")).encode(text).ids
    encoder = AutoModel.from_pretrained(model).eval()
    with torch.no_grad():
        found = encoder(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]
    return found.numpy()


@pytest.mark.parametrize("layer", [-1, 1, 0])
@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_a_vector_is_the_layers_states_pooled_alone_as_among_others(model: Path, layer: int, pooling: str) -> None:
    vectors = Embedder.open(model, layer, pooling).vectors(pa.table({"text": TEXTS}))  # type: ignore[arg-type]
    for text, vector in zip(TEXTS, vectors, strict=True):
        alone = states(model, text, layer)
        wanted = {"mean": alone.mean(0), "max": alone.max(0), "cls": alone[0]}[pooling]
        assert np.allclose(vector, wanted, atol=1e-5)


def test_a_pair_and_a_long_text_have_one_vector_each(model: Path) -> None:
    embedder = Embedder.open(model)
    table = pa.table({"text": ["snow", "rain " * 500], "text_b": pa.array(["a sunny sky", None])})
    vectors = embedder.vectors(table)
    assert vectors.shape == (2, WIDTH) and np.isfinite(vectors).all()
    assert not np.allclose(vectors[0], embedder.vectors(pa.table({"text": ["snow"]}))[0])
    other = pa.table({"text": ["rain " * 400 + "snow " * 100]})
    assert not np.allclose(vectors[1], embedder.vectors(other)[0])  # its end is read too


def test_a_fine_tuned_encoder_is_read_from_under_its_head(model: Path, tmp_path: Path) -> None:
    import shutil

    from transformers import AutoModelForSequenceClassification

    AutoModelForSequenceClassification.from_pretrained(model).save_pretrained(tmp_path / "tuned")
    shutil.copy(model / "tokenizer.json", tmp_path / "tuned")
    tuned, base = (Embedder.open(folder).vectors(pa.table({"text": TEXTS})) for folder in (tmp_path / "tuned", model))
    assert np.allclose(tuned, base, atol=1e-6)


def test_a_file_of_texts_becomes_a_file_of_vectors_in_its_order(project: Path) -> None:
    rows = [f'{{"body": "{text}"}}' for text in TEXTS]
    Path("texts.jsonl").write_text("\n".join([rows[0], "{broken", '{"body": " "}', *rows[1:]]) + "\n")
    for name in ("vectors.npy", "vectors.parquet"):
        assert run_command(["embed", "texts.jsonl", name, "--column", "text=body"]) == 0
    array, table = np.load("vectors.npy"), pq.read_table("vectors.parquet")
    assert array.shape == (6, WIDTH) and np.isnan(array[[1, 2]]).all() and np.isfinite(array[[0, 3, 4, 5]]).all()
    assert table["line"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert table["vector"].is_null().to_pylist() == [False, True, True, False, False, False]
    assert [error is None for error in table["error"].to_pylist()] == [True, False, False, True, True, True]
    kept = table["vector"].drop_null().combine_chunks().flatten().to_numpy().reshape(-1, WIDTH)
    assert np.array_equal(kept, array[[0, 3, 4, 5]])
    wanted = Embedder.open(project / "data/models/minilm").vectors(pa.table({"text": TEXTS}))
    assert np.allclose(kept, wanted, atol=1e-6)
    assert not list(project.glob(".*unfinished"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["texts.csv", "vectors.csv"], ".parquet or .npy"),
        (["texts.csv", "v.npy", "--layer", "7"], "layers 1 to 2"),
        (["texts.csv", "v.npy", "--pooling", "median"], "mean, cls, max"),
        (["texts.csv", "v.npy", "--pipeline", "shop"], "no trained model"),
        (["texts.csv", "v.npy", "--pipeline", "shop", "--model", "models/minilm"], "two models"),
        (["texts.csv", "v.npy", "--column", "label=text"], 'no field "label"'),
        (["texts.csv", "v.npy", "--column", "text=body"], 'no column "body"'),
        (["gone.csv", "v.npy"], "gone.csv"),
        (["texts.csv", "v.npy", "--model", "models/none"], "models/none"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    project: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("texts.csv").write_text("text\nsnow\n")
    assert run_command(["embed", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert not Path("v.npy").exists()


def test_an_unknown_pooling_is_told_by_the_room_too(model: Path) -> None:
    with pytest.raises(UserError, match="no pooling"):
        Embedder.open(model, -1, "median")  # type: ignore[arg-type]
