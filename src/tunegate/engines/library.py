"""OpenVINO's library without its telemetry, which sends an event per import and writes into the home folder."""

import sys
from typing import Any


def openvino() -> Any:
    """The module. OpenVINO falls back to a stub where its telemetry package cannot be imported."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
