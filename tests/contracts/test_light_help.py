"""`tunegate --help` answers at once: nothing heavy is loaded before a command runs."""

import subprocess
import sys

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
    "requests",
    "huggingface_hub",
    "openpyxl",
    "rich",
]

MODULES = 250  # 190 when this was written, most of them the standard library's and typer's

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


def test_help_loads_few_modules() -> None:
    """What makes it slow is what it loads; a clock would measure the machine."""
    code = (
        "import sys, tunegate.cli; status = tunegate.cli.run_command(['--help']); "
        "print(len(sys.modules)); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) < MODULES
