"""A new pipeline from somebody's own file: what its columns are, what the data holds, and its entry in params.yaml.

    data      where the raw files are: somebody's own, in data/raw, or a public set
    task      which kind of problem it is: told by the columns, or said by the person; never guessed
    columns   which column is which field: named alike, or said by the person; never guessed
    lists     which columns together are a field that is a list
    answers   what the answers look like, where that must be said (sets of labels)
    model     the base model it starts from
    survey    rows, labels and splits as the pipeline will see them
    margin    how much a new version may lose, by the test rows at hand
    entry     the lines in params.yaml, with the comments there kept
    plan      all of it decided before anything is written, then carried out

Asking and printing is the command's work.
"""
