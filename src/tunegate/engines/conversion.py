"""A torch model to OpenVINO's graph, once, at export. What it gives is compared with torch afterwards: some
architectures (packed recurrent nets) convert without an error and answer wrongly."""

import warnings
from pathlib import Path
from typing import Any

from tunegate.engines import library
from tunegate.errors import UserError
from tunegate.models.loading import quiet

EXAMPLE_SHAPE = (2, 16)  # rows and tokens of the traced example; the graph takes any


def convert(model: Any, inputs: tuple[str, ...], folder: Path) -> None:
    """Write `model.xml` and `model.bin`: names of inputs and outputs kept, any batch and length, weights in fp32.

    Equal weights give equal bytes. Raises UserError when the architecture cannot be converted.
    """
    openvino = library.openvino()
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every Python branch; the comparison is the proof
            graph = openvino.convert_model(model.eval(), example_input=_example(inputs))
    except Exception as error:  # OpenVINO's frontend raises several kinds, all meaning the same here
        raise UserError(
            f"OpenVINO cannot convert this architecture ({type(model).__name__}): {_first_line(error)}.",
            "Set export.engine to torch (or auto, which takes torch in this case).",
        ) from error
    if unknown := {name for port in graph.inputs for name in port.get_names()}.symmetric_difference(inputs):
        raise UserError(
            f"OpenVINO's graph of this architecture ({type(model).__name__}) has other inputs than the model "
            f"({', '.join(sorted(unknown))}).",
            "Set export.engine to torch (or auto, which takes torch in this case).",
        )
    _name_by_place(graph)
    folder.mkdir(parents=True, exist_ok=True)
    openvino.save_model(graph, str(folder / "model.xml"), compress_to_fp16=False)


def _example(inputs: tuple[str, ...]) -> dict[str, Any]:
    """Rows with padding, so that a path that skips an attention mask of ones is not the one that is traced."""
    import torch

    example = {name: torch.ones(EXAMPLE_SHAPE, dtype=torch.int64) for name in inputs}
    if "token_type_ids" in example:
        example["token_type_ids"] = torch.zeros(EXAMPLE_SHAPE, dtype=torch.int64)
    if "attention_mask" in example:
        example["attention_mask"][1, EXAMPLE_SHAPE[1] // 2 :] = 0
    return example


def _name_by_place(graph: Any) -> None:
    """OpenVINO numbers graphs and nodes by a counter of the process; the place in the graph is always the same."""
    graph.set_friendly_name("model")
    for number, node in enumerate(graph.get_ordered_ops()):
        if node.get_type_name() != "Parameter":
            node.set_friendly_name(f"{node.get_type_name()}_{number}")


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
