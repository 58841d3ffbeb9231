"""What computes: named arrays in, named arrays out. It knows no task, no text and no label.

An engine's folder lies inside the export: `openvino/` (model.xml, model.bin) or `torch/` (a Hugging Face folder).
"""

import os
from pathlib import Path
from typing import Literal, Protocol, get_args

from tunegate.errors import UserError
from tunegate.params import Precision
from tunegate.task import Head
from tunegate.windows import Arrays

EngineName = Literal["openvino", "torch"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)

TOLERANCE: dict[Precision, float] = {"fp32": 3e-5, "bf16": 2e-2}
"""How far two scores (probabilities) of one row may lie apart and still be the same answer, computed otherwise.

Ten times what equal programs were measured to differ by (MiniLM on the example: fp32 3e-6 from torch and 2e-6 between
alone and in a batch, bf16 1.5e-2 and 3e-3), and a thousandth of what a wrongly converted graph differs by.
"""

BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "avx10_2", "bf16"})  # x86 names, then Arm's
BF16_ISA = ("DEFAULT", "ALL", "BF16", "FP16", "AMX", "AVX10")  # parts of ONEDNN_MAX_CPU_ISA's values that have it


class Engine(Protocol):
    """A model that is ready to compute in one precision. One call at a time; not safe from several threads."""

    precision: Precision

    def run(self, arrays: Arrays) -> Arrays:
        """Model inputs, int64 [b, l] each (names the model does not know are left out), to float32 [b, ...] each."""


def open_engine(name: EngineName, folder: Path, head: Head, precision: Precision, threads: int = 1) -> Engine:
    """The engine over its folder. Raises UserError for a precision that this machine does not compute."""
    if reason := why_not(precision):
        raise UserError(f"{precision} cannot be used here: {reason}.", "Use fp32, which every CPU computes.")
    if name == "openvino":
        from tunegate.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(folder / "model.xml", head.outputs, precision, threads)
    from tunegate.engines.torch import TorchEngine
    from tunegate.models.loading import load_finished

    return TorchEngine(load_finished(folder, head), head.outputs, precision, threads)


def why_not(precision: Precision) -> str | None:
    """Why this machine's CPU does not compute the precision, or None when it does.

    OpenVINO claims bf16 on CPUs that only emulate it (slower than fp32) and where `ONEDNN_MAX_CPU_ISA` forbids it
    (its compilation then fails), so both are asked directly.
    """
    if precision == "fp32":
        return None
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    if not any(part in allowed for part in BF16_ISA):
        return f"ONEDNN_MAX_CPU_ISA={allowed} allows no bf16 instructions"
    flags = cpu_flags()
    if flags.isdisjoint(BF16_FLAGS):
        return "this CPU has no bf16 instructions"
    return None


def cpu_flags(description: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The CPU's instruction sets by name as Linux lists them; empty on other systems."""
    try:
        lines = description.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    listed = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return frozenset(listed.partition(":")[2].split())
