"""What training runs on: device, precision and threads, and the settings of torch that make it repeatable."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tunegate.errors import UserError
from tunegate.params import Precision, TrainSettings
from tunegate.training.dropout import quick_dropout
from tunegate.training.team import ALONE, Team

if TYPE_CHECKING:
    import torch

_WITHOUT_BF16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI")


@dataclass(frozen=True)
class Compute:
    """`threads` are those of a CPU; a GPU's result does not depend on them. `team` is who trains the same model."""

    device: Literal["cpu", "cuda"]
    precision: Precision
    threads: int
    team: Team = ALONE

    @property
    def torch_device(self) -> "torch.device":
        import torch

        return torch.device(self.device)

    @property
    def pad_multiple(self) -> int:
        """Lengths of batches: a GPU's matrix units want multiples of 8; on a CPU padding is only work."""
        return 8 if self.device == "cuda" else 1

    def autocast(self) -> AbstractContextManager[object]:
        """bf16 for the products of matrices, float32 for the rest; nothing in fp32."""
        import torch

        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")


def choose_compute(settings: TrainSettings) -> Compute:
    """The settings with `auto` resolved. Raises UserError where the wanted device is not there."""
    import torch

    found = torch.cuda.is_available()
    if settings.device == "cuda" and not found:
        raise UserError(
            "train.device is cuda, and torch finds no CUDA device here.",
            "Set train.device to auto or cpu, or install torch's CUDA build and check the driver with nvidia-smi.",
        )
    device: Literal["cpu", "cuda"] = "cuda" if found and settings.device != "cpu" else "cpu"
    if device == "cuda" and settings.processes > torch.cuda.device_count():
        raise UserError(
            f"train.processes is {settings.processes}, and this machine has {torch.cuda.device_count()} CUDA devices.",
            "Lower it to their number: each process has a device of its own.",
        )
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else cpu_has_bf16()
    precision: Precision = settings.precision if settings.precision != "auto" else "bf16" if has_bf16 else "fp32"
    share = max(1, len(os.sched_getaffinity(0)) // settings.processes)
    return Compute(device, precision, settings.threads or share)


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX) and oneDNN is allowed to use it."""
    import torch

    if os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper() in _WITHOUT_BF16:
        return False
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@contextmanager
def repeatable(compute: Compute, seed: int) -> Iterator[None]:
    """Inside, the same work gives the same bits: fixed threads, deterministic kernels, seeded generators; and on a CPU
    dropout is quick."""
    import torch

    # Without it cuBLAS refuses in deterministic mode; it is read when the first CUDA context is made.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    guards: Any = torch.utils.deterministic
    filling = guards.fill_uninitialized_memory
    torch.set_num_threads(compute.threads)
    torch.use_deterministic_algorithms(True)
    guards.fill_uninitialized_memory = False  # it guards against bugs, and costs time
    torch.manual_seed(seed)
    try:
        with quick_dropout(compute.device):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        guards.fill_uninitialized_memory = filling
