"""`tunegate --help` answers at once: nothing heavy is loaded before a command runs."""

import subprocess
import sys
import time

HEAVY = [
    "torch",
    "transformers",
    "tokenizers",
    "openvino",
    "sklearn",
    "scipy",
    "pandas",
    "numpy",
    "pyarrow",
    "great_expectations",
    "dvc",
    "prefect",
    "bentoml",
    "pooch",
    "openpyxl",
    "rich",
]

LOADED = (
    "import sys, tunegate.cli; status = tunegate.cli.run_command({arguments!r}); "
    "print(*sorted({{name.split('.')[0] for name in sys.modules}} & set({heavy!r}))); sys.exit(status)"
)


def loaded_by(arguments: list[str]) -> str:
    """The heavy packages that a command line loads: the last line that it prints."""
    code = LOADED.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by(["--help"]) == ""


def test_a_commands_own_help_loads_nothing_heavy() -> None:
    assert loaded_by(["params", "--help"]) == ""


def test_listing_the_settings_loads_no_machine_learning_library() -> None:
    assert not {"torch", "transformers", "sklearn", "openvino", "great_expectations"} & set(
        loaded_by(["params", "train.epochs"]).split()
    )


def test_help_answers_within_seven_tenths_of_a_second() -> None:
    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tunegate.cli", "--help"], capture_output=True, check=True)
        return time.perf_counter() - start

    # The best of five: other work on the machine makes a run slower, never faster.
    assert min(seconds() for _ in range(5)) < 0.7
