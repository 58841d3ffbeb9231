"""Checkpoints written, and outputs computed, by TensorFlow itself, in an environment of its own.

`TUNEGATE_TENSORFLOW_PYTHON` names a Python that has TensorFlow; without it the test makes one and throws it away.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.google.published import ALBERT, BERT, publish
from tunegate.models.bundles.bundle import Bundle
from tunegate.models.google.conversion import convert
from tunegate.models.google.files import find_files

SCRIPT = Path(__file__).with_name("by_tensorflow.py")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("TUNEGATE_TENSORFLOW_PYTHON")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("tensorflow")
    made = str(folder / "bin/python")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [made, "-m", "pip", "install", "-q", "tensorflow-cpu"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
        if done.returncode:
            pytest.skip(f"TensorFlow cannot be installed here: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    yield made
    shutil.rmtree(folder)  # 1.6 GB, and pytest would keep it for three sessions


@pytest.mark.slow
@pytest.mark.parametrize("config", [BERT, ALBERT], ids=["bert", "albert"])
def test_tensorflows_own_checkpoint_is_read_exactly_and_answers_the_same(
    tmp_path: Path, python: str, config: dict[str, Any]
) -> None:
    import torch
    import transformers

    folder, made = tmp_path / "published", tmp_path / "made"
    variables = publish(folder, config)
    for path in [*folder.glob("*.index"), *folder.glob("*.data-*")]:
        path.unlink()  # TensorFlow writes its own
    (folder / "config.json").write_text(next(folder.glob("*_config.json")).read_text())
    rng = np.random.default_rng(1)
    ids, types = rng.integers(0, config["vocab_size"], (3, 9)), rng.integers(0, 2, (3, 9))
    mask = (np.arange(9) < [[9], [5], [7]]).astype(np.int64)
    np.savez(folder / "inputs.npz", ids=ids, types=types, mask=mask)
    np.savez(folder / "values.npz", **variables)
    done = subprocess.run([python, str(SCRIPT), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]

    bundle = Bundle(find_files(folder).prefix)
    for name, values in variables.items():
        np.testing.assert_array_equal(bundle.read(name), values)
    made.mkdir()
    conversion = convert(folder, made, name="published")
    reasons = {row.reason for row in conversion.plan.rows if row.target is None}
    assert reasons == {"the number of training steps", "an optimiser's memory"}
    model: Any = transformers.AutoModelForPreTraining.from_pretrained(made).eval()
    given = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    with torch.inference_mode():
        outputs = model(**{key: torch.tensor(value) for key, value in given.items()}, output_hidden_states=True)
    answers, own = np.load(folder / "answers.npz"), mask.astype(bool)
    order = outputs.seq_relationship_logits if config is BERT else outputs.sop_logits
    np.testing.assert_allclose(outputs.hidden_states[-1].numpy()[own], answers["hidden"][own], atol=1e-5)
    np.testing.assert_allclose(outputs.prediction_logits.numpy()[own], answers["words"][own], atol=1e-5)
    np.testing.assert_allclose(order.numpy(), answers["order"], atol=1e-5)
