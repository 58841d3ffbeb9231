"""OpenVINO on the CPU: a converted graph, its precision always said explicitly. No torch."""

from pathlib import Path
from typing import Any

import numpy as np

from tunegate.engines import library
from tunegate.errors import UserError
from tunegate.params import Precision
from tunegate.windows import Arrays

HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoEngine:
    """One compiled graph and one request. Takes about 0.5 s to open; names of inputs are the graph's own."""

    def __init__(self, graph: Path, outputs: tuple[str, ...], precision: Precision, threads: int = 1) -> None:
        core = library.openvino().Core()
        self.precision: Precision = precision
        self.outputs = outputs
        try:
            compiled = core.compile_model(
                str(graph),
                "CPU",
                {
                    # Left out, OpenVINO takes bf16 wherever the CPU has it, and answers would depend on the machine.
                    "INFERENCE_PRECISION_HINT": HINTS[precision],
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": 1,
                },
            )
        except RuntimeError as error:
            raise UserError(
                f"{graph} cannot be compiled by OpenVINO in {precision}: {_last_line(error)}.",
                "Run the pipeline's export stage again; if that does not help, set export.precisions to [fp32].",
            ) from error
        self.inputs = frozenset(port.get_any_name() for port in compiled.inputs)
        self._request: Any = compiled.create_infer_request()

    def run(self, arrays: Arrays) -> Arrays:
        fed = {name: array for name, array in arrays.items() if name in self.inputs}
        if missing := self.inputs - fed.keys():
            raise ValueError(f"the graph also needs {', '.join(sorted(missing))}")
        results = self._request.infer(fed, share_inputs=True)
        # Copied, because the next call overwrites the request's own memory.
        return {name: np.array(results[name], dtype=np.float32) for name in self.outputs}


def _last_line(error: RuntimeError) -> str:
    return next((line for line in reversed(str(error).splitlines()) if line.strip()), "unknown reason").rstrip(".")
