"""BentoML's adaptive batching over our own predictor, so that engine and service are told apart."""

import os
from pathlib import Path
from typing import Any

import bentoml

from tunegate.predictor import Predictor


@bentoml.service(workers=1)
class Classifier:
    def __init__(self) -> None:
        self.predictor = Predictor.open(Path(os.environ["PEER_EXPORT"]), "fp32", threads=1)
        self.predictor.warm()

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    def classify(self, texts: list[str]) -> list[dict[str, Any]]:
        return self.predictor.responses([{"text": text} for text in texts])
