"""The process of one deployed run: Prefect's own engine, which ends with the keeper of `tunegate up`."""

import runpy

from flows.alive import end_with_keeper

if __name__ == "__main__":
    end_with_keeper()
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
