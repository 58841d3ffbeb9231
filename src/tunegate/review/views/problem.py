"""What went wrong: a sentence and what to do, never a traceback."""

from dataclasses import dataclass
from typing import ClassVar

from tunegate.review.language import Language


@dataclass(frozen=True)
class ProblemView:
    template: ClassVar[str] = "problem.html"

    status: int
    problem: str
    remedy: str

    def title(self, language: Language) -> str:
        return language.say("problem.404" if self.status == 404 else "problem.title")
