"""Judging a data set: facts first, verdicts by Great Expectations second. No stage, no project, no output files.

`checks`        the tables of checks
`collect`       the fact frame, in one streamed pass
`labels`        which labels may occur; `known`: what is known from before
`dataset`       measures of the data set as a whole
`suites`        checks as expectations; `expectations`: the one module that knows Great Expectations
`examine`       all of it in order: records in, `Examination` out
`messages`, `details`, `page`   what people read
"""
