"""systemd's units: every command and file they name exists, no secret stands in them, and systemd itself agrees."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.commands import mistake_in
from tests.deploy.units import DEPLOY, ROOT, UNITS, Unit, read_environment, read_unit, services, unit_files

PREFECT_SECRETS = re.compile(r"AUTH_STRING|PASSWORD|TOKEN|DOCKET_URL|MESSAGING_URL|QUEUE_URL|API_KEY")
HOME = "/srv/tunegate/project"
SERVICES = services()
EXPOSED_AT_MOST = 20  # tenths, of systemd's own score: 10.0 is a service that may do anything
WITH_DEVICES = 25  # the worker that reaches graphics cards


def by_name(unit: Unit) -> str:
    return unit.name


def own_command(unit: Unit) -> list[str]:
    """What is run, without the step that reads secrets."""
    command = unit.command
    return command[1:] if command[0].endswith("/with-secrets") else command


@pytest.mark.parametrize("unit", SERVICES, ids=by_name)
def test_a_units_program_is_there(unit: Unit) -> None:
    for program in {unit.command[0], own_command(unit)[0]}:
        assert program.startswith(f"{HOME}/"), program
        inside = program.removeprefix(f"{HOME}/")
        path = ROOT / inside
        assert path.is_file() and path.stat().st_mode & 0o111, inside


@pytest.mark.parametrize("unit", SERVICES, ids=by_name)
def test_a_units_command_is_one_of_ours(unit: Unit) -> None:
    program, *arguments = [word.replace("${PORT}", "3000") for word in own_command(unit)]
    assert not program.endswith("/tunegate") or not mistake_in(arguments)


def test_what_is_no_command_is_noticed() -> None:
    assert mistake_in(["serv", "support"]) == "tunegate has no command 'serv'"
    assert mistake_in(["serve", "support", "--prot", "3"]) == "tunegate serve: No such option: --prot"
    assert mistake_in(["versions", "approve", "support"]) == "tunegate versions approve: Missing parameter: why"
    assert mistake_in(["review", "people", "drop"]) == "tunegate review people has no command 'drop'"


@pytest.mark.parametrize("unit", SERVICES, ids=by_name)
def test_settings_and_secrets_that_a_unit_reads_exist(unit: Unit) -> None:
    for file in unit.environment_files:
        name = Path(file).name
        assert "%i" in name or (DEPLOY / name).is_file(), name
    for key, path in unit.credentials.items():
        assert path == f"/etc/tunegate/secrets/{key}"
    if unit.credentials:
        assert unit.command[0].endswith("/with-secrets")


def test_make_secrets_makes_all_that_units_load_and_no_others_read(tmp_path: Path) -> None:
    subprocess.run([DEPLOY / "make-secrets", tmp_path / "secrets"], check=True)
    made = {path.name: path for path in (tmp_path / "secrets").iterdir()}
    assert {key for unit in SERVICES for key in unit.credentials} <= set(made)
    assert all(path.stat().st_mode & 0o077 == 0 and len(path.read_text()) > 60 for path in made.values())
    before = {name: path.read_text() for name, path in made.items()}
    subprocess.run([DEPLOY / "make-secrets", tmp_path / "secrets"], check=True)
    assert {name: path.read_text() for name, path in made.items()} == before


def test_no_secret_stands_in_a_file_that_is_shipped() -> None:
    for file in [*DEPLOY.glob("*.env"), *UNITS.rglob("*.service"), *UNITS.rglob("*.conf")]:
        for key, value in read_environment(file).items():
            name = value.split("=")[0] if key == "Environment" else key
            assert not PREFECT_SECRETS.search(name), f"{file.name}: {name}"
            assert not re.search(r"://[^/@\s]*:[^/@\s]+@", value), f"{file.name}: {key}"


def test_with_secrets_hands_files_over_as_variables_and_nothing_else(tmp_path: Path) -> None:
    for name, text in {"A_TOKEN": "it's $HOME `x`", "notes.txt": "no", "1ST": "no"}.items():
        (tmp_path / name).write_text(text)
    run = with_secrets(tmp_path, "env")
    assert "A_TOKEN=it's $HOME `x`" in run.stdout.splitlines()
    assert "no" not in run.stdout


@pytest.mark.parametrize("broken", ["empty", "missing", "none"])
def test_with_secrets_starts_nothing_without_them(broken: str, tmp_path: Path) -> None:
    if broken == "empty":
        (tmp_path / "A_TOKEN").touch()
    run = with_secrets(tmp_path / "gone" if broken == "missing" else tmp_path, "echo", "started")
    assert run.returncode == 2 and "started" not in run.stdout
    assert len(run.stderr.splitlines()) == 2


def with_secrets(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "TUNEGATE_SECRETS": str(folder)}
    return subprocess.run(
        [DEPLOY / "with-secrets", *command], env=environment, capture_output=True, text=True, check=False
    )


def test_the_database_is_migrated_before_anything_uses_it() -> None:
    for name in ("tunegate-server", "tunegate-services"):
        unit = read_unit(UNITS / f"{name}.service")
        assert "tunegate-migrate.service" in unit.needs and "tunegate-migrate.service" in unit.after
    assert read_unit(UNITS / "tunegate-migrate.service").last("Type") == "oneshot"
    assert read_environment(DEPLOY / "server.env")["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] == "false"


def test_a_team_s_server_has_the_settings_of_the_one_that_tunegate_up_keeps(tmp_path: Path) -> None:
    """But for places, addresses and what is a matter of taste on one machine."""
    from flows.environment import settings_of_kept
    from tunegate.workspace import Workspace

    every = settings_of_kept(Workspace(tmp_path, tmp_path), 4200)
    kept = {name: value for name, value in every.items() if name.startswith("PREFECT_")}
    ours = {**read_environment(DEPLOY / "client.env"), **read_environment(DEPLOY / "server.env")}
    own = {"PREFECT_HOME", "PREFECT_SERVER_UI_STATIC_DIRECTORY", "PREFECT_SERVER_UI_ENABLED", "PREFECT_LOGGING_LEVEL"}
    own.add("PREFECT_WORKER_QUERY_SECONDS")
    assert {name: ours.get(name) for name in kept if name not in own} == {
        name: value for name, value in kept.items() if name not in own
    }


def test_everything_listens_on_loopback_alone() -> None:
    assert read_environment(DEPLOY / "server.env")["PREFECT_SERVER_API_HOST"] == "127.0.0.1"
    for unit in SERVICES:
        hosts = [unit.command[at + 1] for at, part in enumerate(unit.command) if part == "--host"]
        assert set(hosts) <= {"127.0.0.1"}


def test_everything_starts_and_stops_with_the_target() -> None:
    for unit in SERVICES:
        assert unit.last("PartOf") == "tunegate.target"
        timed = (UNITS / unit.name).with_suffix(".timer").is_file()
        assert timed or unit.last("WantedBy") == "tunegate.target"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as systemd would find them, with a program wherever they name one."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    root = tmp_path_factory.mktemp("units")
    for source in [*unit_files(), *UNITS.glob("tunegate-.service.d/*.conf")]:
        target = root / "system" / source.relative_to(UNITS)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        text = re.sub(
            r"(/srv/tunegate/project/\S+/(?:prefect|tunegate|python|with-secrets|backup))(?=\s)", "/bin/true", text
        )
        target.write_text(text)
    return root / "system"


def analyse(installed: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"SYSTEMD_UNIT_PATH": f"{installed}:", "PATH": "/usr/bin:/bin", "LANG": "C"}
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, env=environment, cwd=installed, capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    names = [path.name.replace("@.", "@support.") for path in unit_files()]
    found = analyse(installed, "verify", "--man=no", *names)
    said = [line for line in found.stderr.splitlines() if "tunegate" in line]
    assert (found.returncode, said) == (0, [])


def test_systemd_does_find_what_is_wrong(installed: Path) -> None:
    text = (installed / "tunegate-server.service").read_text()
    broken = installed / "tunegate-broken.service"
    broken.write_text(text.replace("Restart=always", "Restart=often\nProtectSystems=strict"))
    said = analyse(installed, "verify", "--man=no", broken.name).stderr
    broken.unlink()
    assert "restart specifier" in said and "ProtectSystems" in said


def test_systemd_calls_every_service_well_confined(installed: Path) -> None:
    for unit in SERVICES:
        limit = WITH_DEVICES if unit.last("PrivateDevices") == "no" else EXPOSED_AT_MOST
        name = unit.name.replace("@.", "@support.")
        found = analyse(installed, "security", "--offline=yes", f"--threshold={limit}", name)
        assert found.returncode == 0, found.stdout.splitlines()[-1] + found.stderr


def test_as_tunegate_has_the_units_settings_and_secrets(tmp_path: Path) -> None:
    subprocess.run([DEPLOY / "make-secrets", tmp_path / "secrets"], check=True)
    for name in ("client.env", "server.env"):
        shutil.copy(DEPLOY / name, tmp_path)
    environment = {"PATH": "/usr/bin:/bin", "TUNEGATE_ETC": str(tmp_path)}
    asked = [DEPLOY / "as-tunegate", "env"]
    told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    secret = (tmp_path / "secrets/PREFECT_API_AUTH_STRING").read_text()
    assert f"PREFECT_API_AUTH_STRING={secret}" in told
    assert {f"{name}={value}" for name, value in read_environment(DEPLOY / "server.env").items()} <= set(told)
