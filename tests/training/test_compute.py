import os

import pytest
import torch

from tests.training.learning import settings
from tunegate.errors import UserError
from tunegate.training.compute import Compute, choose_compute, cpu_has_bf16, repeatable


def test_a_device_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="finds no CUDA device"):
        choose_compute(settings(device="cuda"))


def test_threads_are_the_cores_one_may_use_unless_said() -> None:
    assert choose_compute(settings(device="cpu", threads=None)).threads == len(os.sched_getaffinity(0))
    assert choose_compute(settings(device="cpu", threads=3)).threads == 3


def test_a_cpu_that_may_not_use_bf16_trains_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert not cpu_has_bf16()
    assert choose_compute(settings(device="cpu")).precision == "fp32"
    assert choose_compute(settings(device="cpu", precision="bf16")).precision == "bf16"


def test_what_makes_work_repeatable_is_taken_back_afterwards() -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with repeatable(Compute("cpu", "fp32", 1), 7):
        assert torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()
        first = torch.rand(3)
    with repeatable(Compute("cpu", "fp32", 1), 7):
        assert torch.equal(torch.rand(3), first)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
