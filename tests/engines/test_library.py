"""OpenVINO is used without its telemetry."""

import os
import subprocess
import sys


def test_importing_openvino_writes_nothing_into_the_home_folder(tmp_path):
    code = "from tunegate.engines.library import openvino; print(openvino().Core().available_devices)"
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "CPU" in done.stdout
    assert list(tmp_path.iterdir()) == []
