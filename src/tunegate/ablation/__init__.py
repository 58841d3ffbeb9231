"""Does a setting pay? The same trainings with and without it, several seeds, judged on the same rows.

    arms      what is tried: the settings as they are, and changes of them
    place     where: beside the pipeline, whose own results stay as they are
    trying    one arm with one seed: the real stages, then the answers to the rows, counted and kept
    judging   pays, does not pay, or cannot tell, with the interval and what would settle it

What was tried once is kept by a hash of all that decides it, and never done again.
"""
