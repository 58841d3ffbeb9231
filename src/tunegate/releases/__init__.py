"""What becomes of a verdict: versions, and the environments that they are live in.

    registering   a run that passed becomes a version, and goes where the settings send it
    deciding      approve, reject and force: decided once, packaged in a worktree of the run's own commit
    worktree      that worktree: the run's commit, DVC's cache shared, the person's own tree untouched
    assigning     promote and rollback
    compare       two versions side by side
    sharing       push and pull: data, tags and runs together

What happened is written by `versions`; the command line, the page and runs all come through here.
"""
