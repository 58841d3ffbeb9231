"""torch over a Hugging Face folder: the reference in tests, and the engine where no conversion is proved equal."""

from typing import Any

import numpy as np

from tunegate.models.loading import input_names
from tunegate.params import Precision
from tunegate.windows import Arrays


class TorchEngine:
    """A transformers model in eval mode, on the GPU where there is one. `threads` is torch's, for the process."""

    def __init__(self, model: Any, outputs: tuple[str, ...], precision: Precision, threads: int = 1) -> None:
        import torch

        torch.set_num_threads(threads)
        self.precision: Precision = precision
        self.outputs = outputs
        self.inputs = frozenset(input_names(model))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.eval().to(self._device)

    def run(self, arrays: Arrays) -> Arrays:
        import torch

        fed = {
            name: torch.from_numpy(np.asarray(array)).to(self._device)
            for name, array in arrays.items()
            if name in self.inputs
        }
        bf16 = self.precision == "bf16"
        with torch.inference_mode(), torch.autocast(self._device, torch.bfloat16, enabled=bf16):
            results = self._model(**fed)
        return {name: results[name].float().cpu().numpy() for name in self.outputs}
