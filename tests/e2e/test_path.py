"""The whole path on a small project: once to a PASS, then again with nothing to do."""

import json
import os

from tests.e2e.project import Project
from tunegate.stages import STAGES


def test_a_first_run_goes_through_every_stage_to_a_packaged_pass(finished: Project) -> None:
    assert {stage for stage in STAGES if (finished.root / f"reports/demo/{stage}.json").is_file()} == set(STAGES)
    assert finished.report("gate")["verdict"] == "PASS"
    assert finished.report("package")["packaged"] is True
    assert (finished.root / "data/demo/package/bento/bento.yaml").is_file()


def test_the_reports_hold_what_other_programs_read(finished: Project) -> None:
    evaluated = finished.report("evaluate")
    for part in ("primary", "baseline"):
        assert {"name", "value", "low", "high", "n"} <= set(evaluated[part])
        assert evaluated[part]["low"] <= evaluated[part]["value"] <= evaluated[part]["high"]
    assert {check["verdict"] for check in finished.report("gate")["checks"]} == {"PASS"}


def test_a_second_run_redoes_nothing_and_says_why(project: Project) -> None:
    before = (project.root / "dvc.lock").read_bytes()
    summary = project.json("run", "demo")
    assert [stage["state"] for stage in summary["stages"]] == ["unchanged"] * len(STAGES)
    assert summary["verdict"] == "PASS"
    assert (project.root / "dvc.lock").read_bytes() == before
    said = project.run("run", "demo").stdout.lower()
    assert "unchanged" in said or "nothing" in said


def test_a_byte_edited_with_size_and_time_kept_is_noticed(project: Project) -> None:
    file = project.root / "data/raw/demo/rows.csv"
    times = file.stat()
    content = bytearray(file.read_bytes())
    spot = content.index(b"monday")
    content[spot : spot + 6] = b"mondey"
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    planned = json.loads(project.run("run", "demo", "--dry-run", "--json").stdout)
    assert next(stage for stage in planned["stages"] if stage["name"] == "ingest")["state"] != "unchanged"
