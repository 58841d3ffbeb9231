"""What a person can choose about new training rows from old ones. All off by default: papers find no constant gain."""

from typing import Literal

from pydantic import Field, model_validator

from tunegate.settings import Settings, Share


class AugmentSettings(Settings):
    copies: dict[str, int] = Field(default={}, description="label to the number of extra copies of its training rows")
    copy_as: Literal["weight", "rows"] = Field(
        default="weight", description="copies as a sampling weight, or as rows of their own"
    )
    insertion: int = Field(default=0, ge=0, le=20, description="new rows per training row by random insertion")
    swap: int = Field(default=0, ge=0, le=20, description="new rows per training row by swapping neighbours")
    deletion: int = Field(default=0, ge=0, le=20, description="new rows per training row by random deletion")
    shuffle: int = Field(
        default=0, ge=0, le=20, description="new rows per training row with its options in another order"
    )
    replacement: int = Field(
        default=0, ge=0, le=20, description="new rows per training row with words replaced by their synonyms"
    )
    synonyms: str | None = Field(
        default=None,
        description="a file of words that may stand for each other, a group per line, relative to the root; for "
        "replacement",
    )
    rate: Share = Field(default=0.1, gt=0, le=0.5, description="share of a text's units that an operation touches")
    insert_from: Literal["text", "vocabulary"] = Field(
        default="text", description="where inserted words come from: the same text, or all training texts"
    )
    unit: Literal["auto", "words", "characters"] = Field(
        default="auto",
        description="what is moved; auto takes characters for Chinese, Japanese and Korean text",
    )
    chinese_words: Literal["characters", "dictionary", "rjieba"] = Field(
        default="characters",
        description="what is moved of Chinese: a character, a word of `dictionary` (the longest that fits), or of "
        "rjieba",
    )
    dictionary: str | None = Field(
        default=None, description="a file with a word per line, relative to the root; for chinese_words: dictionary"
    )
    seed: int = Field(default=0, ge=0, description="seed of the operations")

    @model_validator(mode="after")
    def _files_are_there_to_be_used(self) -> "AugmentSettings":
        if self.replacement and self.synonyms is None:
            raise ValueError("must set synonyms, a file of words that may stand for each other, for replacement")
        if (self.chinese_words == "dictionary") != (self.dictionary is not None):
            raise ValueError("must set chinese_words: dictionary and dictionary together")
        return self

    @property
    def files(self) -> dict[str, str]:
        """Setting to the file that it names, relative to the root."""
        named = {"synonyms": self.synonyms, "dictionary": self.dictionary}
        return {name: file for name, file in named.items() if file is not None}
