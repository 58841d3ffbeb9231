"""What a person can choose about a vocabulary that is made of own texts, with defaults and limits."""

from typing import Literal

from pydantic import Field, model_validator

from tunegate.settings import Settings

VocabularyKind = Literal["wordpiece", "unigram", "characters"]


class VocabularySettings(Settings):
    kind: VocabularyKind = Field(
        default="wordpiece",
        description="what tokens are: word pieces (BERT), pieces of a unigram model (SentencePiece; Kudo 2018), "
        "or single characters",
    )
    size: int = Field(default=8000, ge=16, le=1_000_000, description="most tokens, special ones included")
    lower: bool = Field(default=True, description="texts are read in lower case")
    strip_accents: bool | None = Field(
        default=None, description="é is read as e (default: where lower, as BERT does; with kind: unigram never)"
    )
    nfkc: bool = Field(
        default=False, description="wide and other compatible forms are read as plain ones: Ａ１， as A1,"
    )
    chinese: Literal["characters", "pieces"] | None = Field(
        default=None,
        description="Chinese characters each alone, as in BERT, or pieces of several (default: characters; with kind: "
        "unigram pieces)",
    )
    coverage: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of the texts' characters that are known, the commonest first; 0.9995 in SentencePiece for "
        "Chinese and Japanese",
    )

    @property
    def strips_accents(self) -> bool:
        return self.lower and self.kind != "unigram" if self.strip_accents is None else self.strip_accents

    @property
    def chinese_alone(self) -> bool:
        return (self.chinese or ("pieces" if self.kind == "unigram" else "characters")) == "characters"

    @model_validator(mode="after")
    def _characters_stand_alone(self) -> "VocabularySettings":
        if self.kind == "characters" and self.chinese == "pieces":
            raise ValueError("must not set chinese: pieces with kind: characters, where every token is one character")
        return self
