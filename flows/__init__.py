"""When, where, what if: the only code that knows Prefect.

    start        a run before Prefect is needed: settings, locks, data, inputs, the plan; no change, no Prefect
    prepare      raw data, base models and inputs.json of the pipelines
    locks        one run per pipeline at a time
    job          a planned run: its steps and what is stale
    walk         the steps as Prefect's tasks, and the state that a run ends in
    by_hand      the Prefect flow of a run by hand, in the person's own tree
    told         logs, progress, reports and the summary in Prefect's words
    environment  Prefect's settings, and a server of our own where none is named
    server       that server's process
    result       what became of a run, and its exit status
    summary      the end of a run for people and for programs
    cancel       a run hears that it is cancelled; `cancelling` tells it

A stage on another machine:

    placing      which pool a stage runs on: hints, and the pipeline's own `resources`
    elsewhere    the driver's side: asked, followed, and what came back put in its place
    errand       that stage as the driver sees it through Prefect
    stage_worker the worker's side: the Prefect flow `run-stage`; its signs of life: `beats`
    stage_states how it ends, as a state that both sides read
    worker       `tunegate worker`: Prefect's process worker; the clone that it works in: `clones`

Kept running by `tunegate up`:

    up           starts and ends the keeper
    alive        who lives, by the kernel's locks
    keeper       the process that starts server and worker, and starts again what dies
    served       the server's process: API, page, services
    working      the worker's process, after it has deployed what is declared
    engine       the process of one deployed run
    deployed     the Prefect flow of a deployed run; its worktree: `trees`
    late         late runs collapse into one
    prefect_file prefect.yaml, read and edited; `schedules`: times in Prefect's terms
    deployments  what is declared, put on a server
    automations  what watches over runs on the server; `lost`: what no automation can know
    status       how all this is doing; `checkup`: what `tunegate doctor` says of it
    approval     the Prefect flow in which an undecided model waits for a person; `asking` starts it
    decided      decisions made elsewhere end that wait
    notifications  who is told of what (notifications.yaml); `notifying`: on the server, `mail`: one of the ways
    api          Prefect's API in plain HTTP

What depends on what stands in dvc.yaml; what a stage does, in `tunegate.stages`.
"""
