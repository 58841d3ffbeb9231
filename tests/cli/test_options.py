"""What readers say of settings, in the words of a command that takes options."""

import pytest

from tunegate.cli.options import as_options


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Put the rows in it, or leave the file out of ingest.files.", "Put the rows in it, or leave the file out."),
        (
            "Close it, and double quotes inside a quoted cell; if quotes mean nothing here, set ingest.quoting: false.",
            "Close it, and double quotes inside a quoted cell.",
        ),
        ("Name it .parquet, or set ingest.format: parquet.", "Name it .parquet."),
        ("Set ingest.format to what it is, or make the file again.", "Make the file again."),
        ('set ingest.delimiter: ";" in params.yaml.', 'set --delimiter ";".'),
        ("set ingest.encoding: big5.", "set --encoding big5."),
    ],
)
def test_a_sentence_names_options_and_nothing_that_the_command_lacks(said: str, meant: str) -> None:
    assert as_options(said) == meant
