"""When, where, what if: the only code that knows Prefect.

    start        a run before Prefect is needed: settings, locks, data, inputs, the plan; no change, no Prefect
    prepare      raw data, base models and inputs.json of the pipelines
    locks        one run per pipeline at a time
    job          a planned run: its steps and what is stale
    walk         the Prefect flow over the steps
    told         logs, progress, reports and the summary in Prefect's words
    environment  Prefect's settings, and a server of our own where none is named
    server       that server's process
    result       what became of a run, and its exit status
    summary      the end of a run for people and for programs

What depends on what stands in dvc.yaml; what a stage does, in `tunegate.stages`.
"""
