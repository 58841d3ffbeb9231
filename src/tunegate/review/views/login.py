"""The way in, where people are told apart by a token each."""

from dataclasses import dataclass
from typing import ClassVar

from tunegate.review.language import Language


@dataclass(frozen=True)
class LoginView:
    template: ClassVar[str] = "login.html"

    wrong: bool = False

    def title(self, language: Language) -> str:
        return language.say("login.title")
