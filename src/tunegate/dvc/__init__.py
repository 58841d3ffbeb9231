"""The only room that knows DVC: what a pipeline's stages are, which changed and why, and how one of them runs.

    settings   where DVC keeps its caches and its default remote
    project    the opened index: steps in order, what is stale
    reasons    why a step is stale, in words
    touched    edits that DVC's own check (size, inode and time) cannot see
    streams    where DVC's log lines go
    failures   what a remote may raise
    leftovers  locks of killed processes
    run_cache  settings that DVC's run cache would not tell apart
    exchange   one stage handed between machines
    child      the process in which one stage runs
    running    starting that process, following it, and ending it with everything it started
    storage    files by hash, and raw data from remotes

When a step runs, where and how often again is decided in `flows/`; what a step does, in `stages/`.
"""
