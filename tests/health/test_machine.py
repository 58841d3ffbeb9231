"""What doctor says of the machine."""

import socket

import pytest

from tunegate.health.machine import PORTS, port_is_free, prefect_server, processor, python_version


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_the_supported_pythons_are_fit(version: tuple[int, int]) -> None:
    assert python_version(version).state == "ok"


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_other_pythons_are_broken_and_the_right_ones_are_named(version: tuple[int, int]) -> None:
    finding = python_version(version)
    assert finding.state == "broken"
    assert "3.11, 3.12 or 3.13" in finding.remedy


def test_a_port_that_listens_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not port_is_free(server.getsockname()[1])


def test_the_ports_are_those_of_the_servers() -> None:
    assert set(PORTS) == {3000, 4200}


def test_a_prefect_server_that_is_named_and_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: the connection is refused
        port = unused.getsockname()[1]
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        finding = prefect_server()
    assert finding.state == "broken"
    assert f"127.0.0.1:{port}" in finding.what
    assert "unset PREFECT_API_URL" in finding.remedy


def test_a_password_in_the_servers_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        monkeypatch.setenv("PREFECT_API_URL", f"http://me:secret@127.0.0.1:{server.getsockname()[1]}/api")
        finding = prefect_server()
    assert finding.state == "ok"
    assert "secret" not in finding.what


def test_bf16_is_read_off_the_processors_flags() -> None:
    assert "bf16 in hardware" in processor(frozenset({"avx2", "avx512_bf16"})).what
    assert "no bf16" in processor(frozenset({"avx2"})).what
