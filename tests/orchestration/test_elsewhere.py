"""A stage on a worker: in another clone, from an empty cache, for a driver that only hands it over."""

from tests.flows.test_run import run, states
from tests.orchestration.team import make_team, worker


def test_a_stage_runs_on_a_worker_and_its_results_come_back(tmp_path, server):
    driver = make_team(tmp_path)
    with worker(tmp_path, server):
        print(run(driver, url=server))
    assert (driver.stage("one", "train") / "model.txt").read_text() == "train 1\n"
