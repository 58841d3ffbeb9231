"""What may go, and what never does: `tunegate gc`.

    needed     which records of runs, commits and objects must stay, and why
    old_runs   the records that a person's rule lets go
    state      what lies under `.tunegate/` of no use to anybody
    plan       all of it together, with sizes; carried out

What cannot be made again never goes by itself: raw data and base models of any commit that a branch or a tag leads to.
"""
