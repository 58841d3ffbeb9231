"""Public data sets and base models: what is known of each, and how its files come into the project, verified.

sets.toml  the table: where the files come from, their SHA-256, licence, citation, and how they are best read
sets       the table's types, and finding a set by name
fetching   from the internet or from a mirror folder, whole or not at all

models.toml   the table of base models
base_models   its types, and where a model's files come from; `tunegate.models` brings them
"""
