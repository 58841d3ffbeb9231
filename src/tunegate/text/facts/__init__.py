"""Facts of rows: plain measurements, vectorised over Arrow columns. No verdicts, no settings, no files.

`own`        what a row's texts say of the row alone (length, empty, broken encoding, script, ...)
`scripts`    which script a text is mainly written in
`relations`  what rows are to each other (duplicates, leaks between splits, conflicting labels)
`words`      how often each word occurs, for the comparison of data versions
"""
