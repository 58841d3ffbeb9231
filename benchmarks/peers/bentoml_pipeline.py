"""BentoML around transformers.pipeline, as its getting-started page shows it."""

import os

import bentoml
from transformers import pipeline


@bentoml.service(workers=1)
class Classifier:
    def __init__(self) -> None:
        self.classify_texts = pipeline("text-classification", model=os.environ["PEER_MODEL"])

    @bentoml.api
    def classify(self, text: str) -> dict[str, str | float]:
        answer: dict[str, str | float] = self.classify_texts(text, truncation=True)[0]
        return answer
