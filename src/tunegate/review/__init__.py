"""The web page for data and model versions.

    app.py        the site over HTTP: routes, answers to mistakes
    security.py   headers, sessions, forged and foreign requests
    people.py     who is who beyond loopback
    views/        one module per page: what it shows, as a frozen value; `decide.py` is what people do there
    charts/       drawings on the server, as SVG
    templates/    the pages' HTML; every text is escaped
    history.py    versions, runs and decisions; `snapshots.py` the files of one of them
    flips.py      two versions' answers on the rows they share; `occlusion.py` which words an answer leaned on
    language.py   English and Chinese
    static.py     the same pages as files; `summary.py` as Markdown

It decides nothing itself and knows neither DVC, BentoML nor Prefect: decisions and new data versions are written by
`versions`, `releases` and `data_versions`.
"""
