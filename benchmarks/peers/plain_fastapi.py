"""FastAPI around transformers.pipeline: what a first service looks like."""

import os

from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

app = FastAPI()
classify = pipeline("text-classification", model=os.environ["PEER_MODEL"])


class Question(BaseModel):
    text: str


@app.post("/classify")
def predict(question: Question) -> dict[str, str | float]:
    answer: dict[str, str | float] = classify(question.text, truncation=True)[0]
    return answer
