import asyncio
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.service.batcher import Batcher, DeadlineError, Limits, QuestionFailedError, QueueFullError

ROOMY = Limits(max_cost=100, queue=1000, deadline_seconds=60)


class Engine:
    """Doubles numbers; keeps every batch it was given; a gate holds it at work; negative numbers break it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.working = threading.Event()

    def __call__(self, questions: list[int]) -> Sequence[int]:
        self.working.set()
        self.gate.wait(30)
        self.batches.append(questions)
        if any(question < 0 for question in questions):
            raise ValueError("negative")
        return [2 * question for question in questions]

    async def is_working(self) -> None:
        await asyncio.to_thread(self.working.wait, 30)


def batcher(engine: Engine, limits: Limits = ROOMY) -> Batcher[int, int]:
    return Batcher(engine, abs, limits)


def held() -> Engine:
    """An engine that keeps its first batch until its gate is opened."""
    engine = Engine()
    engine.gate.clear()
    return engine


async def occupied(queue: Batcher[int, int], engine: Engine) -> asyncio.Task[list[int]]:
    """A request that the held engine works on."""
    first = asyncio.create_task(queue.ask([1]))
    await engine.is_working()
    return first


async def waiting_for(queue: Batcher[int, int], *requests: list[int]) -> list[asyncio.Task[list[int]]]:
    """Requests that stand in the queue."""
    tasks = [asyncio.create_task(queue.ask(asked)) for asked in requests]
    await asyncio.sleep(0)
    return tasks


def test_a_lone_request_starts_at_once() -> None:
    engine = Engine()
    assert asyncio.run(batcher(engine).ask([3])) == [6]
    assert engine.batches == [[3]]


def test_what_came_while_the_engine_worked_goes_together_sorted_by_cost() -> None:
    engine = held()

    async def story() -> list[list[int]]:
        queue = batcher(engine)
        first = await occupied(queue, engine)
        more = await waiting_for(queue, [9, 2], [5], [7])
        assert queue.waiting == 4
        engine.gate.set()
        return [await task for task in (first, *more)]

    assert asyncio.run(story()) == [[2], [18, 4], [10], [14]]
    assert engine.batches == [[1], [2, 5, 7, 9]]


def test_a_batch_keeps_its_budget_and_a_dear_question_goes_alone() -> None:
    engine = Engine()
    questions = [60, 30, 20, 500, 10]
    assert asyncio.run(batcher(engine).ask(questions)) == [2 * question for question in questions]
    assert engine.batches == [[60], [10, 20, 30], [500]]


def test_a_full_queue_refuses_and_keeps_what_waits() -> None:
    engine = held()

    async def story() -> list[int]:
        queue = batcher(engine, Limits(max_cost=100, queue=2, deadline_seconds=60))
        running = await occupied(queue, engine)
        (waiting,) = await waiting_for(queue, [2, 3])
        with pytest.raises(QueueFullError):
            await queue.ask([4])
        engine.gate.set()
        return [*await running, *await waiting]

    assert asyncio.run(story()) == [2, 4, 6]


def test_a_request_past_its_deadline_is_never_computed() -> None:
    engine = held()

    async def story() -> None:
        now = [0.0]
        limits = Limits(max_cost=100, queue=10, deadline_seconds=5)
        queue: Batcher[int, int] = Batcher(engine, abs, limits, clock=lambda: now[0])
        running = await occupied(queue, engine)
        (late,) = await waiting_for(queue, [2])
        now[0] = 5.1
        engine.gate.set()
        assert await running == [2]
        with pytest.raises(DeadlineError):
            await late

    asyncio.run(story())
    assert engine.batches == [[1]]


def test_a_bad_question_fails_alone() -> None:
    engine = held()

    async def story() -> list[object]:
        queue = batcher(engine)
        first = await occupied(queue, engine)
        others = await waiting_for(queue, [2, 3], [4, -5], [6])
        engine.gate.set()
        return list(await asyncio.gather(first, *others, return_exceptions=True))

    one, two, failed, three = asyncio.run(story())
    assert (one, two, three) == ([2], [4, 6], [12])
    assert isinstance(failed, QuestionFailedError) and failed.number == 1
    assert isinstance(failed.__cause__, ValueError)


def test_an_engine_that_loses_an_answer_is_noticed() -> None:
    queue: Batcher[int, int] = Batcher(lambda questions: [], lambda question: 1, ROOMY)
    with pytest.raises(QuestionFailedError):
        asyncio.run(queue.ask([1]))


def test_a_request_whose_client_gave_up_is_not_computed() -> None:
    engine = held()

    async def story() -> None:
        queue = batcher(engine)
        running = await occupied(queue, engine)
        (gone,) = await waiting_for(queue, [2])
        gone.cancel()
        engine.gate.set()
        await running
        assert await queue.ask([3]) == [6]

    asyncio.run(story())
    assert engine.batches == [[1], [3]]


def test_closing_cancels_what_waits() -> None:
    engine = held()

    async def story() -> None:
        queue = batcher(engine)
        running = await occupied(queue, engine)
        (waiting,) = await waiting_for(queue, [2])
        engine.gate.set()
        queue.close()
        assert await running == [2]
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(story())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), max_size=5), max_size=12), st.integers(1, 100))
def test_whatever_falls_into_whichever_batch_every_request_gets_its_own_answers(
    requests: list[list[int]], budget: int
) -> None:
    engine = Engine()

    async def story() -> list[list[int]]:
        queue = batcher(engine, Limits(max_cost=budget, queue=1000, deadline_seconds=60))
        return await asyncio.gather(*(queue.ask(asked) for asked in requests))

    assert asyncio.run(story()) == [[2 * question for question in asked] for asked in requests]
    assert all(len(batch) * max(batch) <= budget or len(batch) == 1 for batch in engine.batches)
