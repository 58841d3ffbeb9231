"""The same with BentoML's adaptive batching, as its page on it shows."""

import os

import bentoml
from transformers import pipeline


@bentoml.service(workers=1)
class Classifier:
    def __init__(self) -> None:
        self.classify_texts = pipeline("text-classification", model=os.environ["PEER_MODEL"])

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    def classify(self, texts: list[str]) -> list[dict[str, str | float]]:
        answers: list[dict[str, str | float]] = self.classify_texts(texts, batch_size=32, truncation=True)
        return answers
