"""Data versions: what they hold, how two of them differ, and how a new one is made and judged by a person.

`naming`        what a person calls a data version: a revision, a version's tag, a path, a name under data/raw
`reading`       a version's rows in Arrow columns, with 64-bit keys that stand for them in comparisons
`matching`      which row of one version is which of the other; `near_pairs`: texts that were edited
`changes`       the difference as a value whose rows are read page by page; `told`: for people
`diff`          two versions to their difference; `shifts`: tests; `judging`: what validation would say
`tables`        rows as files that people edit
`log`           the versions of a data set in git's history
`raw_edits`     single rows of raw files taken out or rewritten in the file's own format
`adding`        a new version: shown first, then written whole or not at all; `switching`: the moment it counts
`quarantine`    rows that validation took out, for repair, and back
`review`        a named person accepts or refuses a validated version
`suspects`      likely label errors, and what to label next
`attribution`   whether the data or the model made the difference
"""
