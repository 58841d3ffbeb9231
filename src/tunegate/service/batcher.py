"""The greedy batcher: while the engine works, questions queue; when it returns, it takes those that fit.

No timers: a lone request starts at once, and under load batches grow by themselves. It knows neither texts nor
models: a question has a cost, and `work` answers a list of questions in order.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class QueueFullError(Exception):
    """As many questions wait as may."""


class DeadlineError(Exception):
    """The request waited longer than its deadline before the engine could take it."""


class QuestionFailedError(Exception):
    """The engine failed on one question, also when it was asked alone. `number` counts in the request, from 0."""

    def __init__(self, number: int) -> None:
        super().__init__(f"question {number} failed")
        self.number = number


@dataclass
class _Request(Generic[Answer]):
    future: "asyncio.Future[list[Answer]]"
    deadline: float
    left: int
    answers: dict[int, Answer] = field(default_factory=dict)

    def settle(self, number: int, answer: "Answer | _Failure") -> None:
        if self.future.done():
            return
        if isinstance(answer, _Failure):
            failed = QuestionFailedError(number)
            failed.__cause__ = answer.error
            self.future.set_exception(failed)
            return
        self.answers[number] = answer
        self.left -= 1
        if self.left == 0:
            self.future.set_result([self.answers[place] for place in range(len(self.answers))])


@dataclass(frozen=True)
class _Waiting(Generic[Question, Answer]):
    question: Question
    cost: int
    number: int
    request: _Request[Answer]


@dataclass(frozen=True)
class _Failure:
    error: Exception


@dataclass(frozen=True)
class Limits:
    """max_cost: of one engine call, every question counted at its batch's dearest (as padding does); a dearer one goes
    alone. queue: questions that may wait."""

    max_cost: int
    queue: int
    deadline_seconds: float


class Batcher(Generic[Question, Answer]):
    """One engine thread. `observe` is told the size of every batch; `clock` gives seconds."""

    def __init__(
        self,
        work: Callable[[list[Question]], Sequence[Answer]],
        cost: Callable[[Question], int],
        limits: Limits,
        *,
        observe: Callable[[int], None] = lambda size: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._cost = cost
        self._limits = limits
        self._observe = observe
        self._clock = clock
        self._waiting: list[_Waiting[Question, Answer]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._draining: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """In order. Raises QueueFullError, DeadlineError, QuestionFailedError."""
        if not questions:
            return []
        if self._waiting and len(self._waiting) + len(questions) > self._limits.queue:
            raise QueueFullError
        loop = asyncio.get_running_loop()
        deadline = self._clock() + self._limits.deadline_seconds
        request: _Request[Answer] = _Request(loop.create_future(), deadline, len(questions))
        self._waiting.extend(
            _Waiting(question, self._cost(question), number, request) for number, question in enumerate(questions)
        )
        if self._draining is None or self._draining.done():
            self._draining = loop.create_task(self._drain())
        return await request.future

    def close(self) -> None:
        """Lets a running engine call end; what still waits is cancelled."""
        for item in self._waiting:
            item.request.future.cancel()
        self._waiting.clear()
        self._thread.shutdown(wait=True)

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._take(self._clock())
            if not batch:
                continue
            self._observe(len(batch))
            answers = await loop.run_in_executor(self._thread, self._answer, [item.question for item in batch])
            for item, answer in zip(batch, answers, strict=True):
                item.request.settle(item.number, answer)

    def _take(self, now: float) -> list[_Waiting[Question, Answer]]:
        """The question that waits longest and those most like it in cost, as many as fit, sorted by cost.

        Like with like wastes little on padding, and since the oldest is always among them, nobody starves.
        """
        live = [item for item in self._waiting if _is_wanted(item.request, now)]
        near = sorted(live, key=lambda item: abs(item.cost - live[0].cost))
        dearest = [*accumulate((item.cost for item in near), max)]
        fitting = (size for size in range(len(near), 1, -1) if size * dearest[size - 1] <= self._limits.max_cost)
        batch = near[: next(fitting, 1)]
        taken = set(map(id, batch))
        self._waiting = [item for item in live if id(item) not in taken]
        return sorted(batch, key=lambda item: item.cost)

    def _answer(self, questions: list[Question]) -> list[Answer | _Failure]:
        """In the engine's thread. A failing batch is asked one by one, so that one bad question fails alone."""
        try:
            return [answer for _, answer in zip(questions, self._work(questions), strict=True)]
        except Exception as error:
            return [_Failure(error)] if len(questions) == 1 else [self._answer([q])[0] for q in questions]


def _is_wanted(request: _Request[Answer], now: float) -> bool:
    """Neither answered, nor given up by its client, nor too late: a late one is told so here."""
    if not request.future.done() and request.deadline < now:
        request.future.set_exception(DeadlineError())
    return not request.future.done()
