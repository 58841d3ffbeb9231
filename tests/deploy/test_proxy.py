"""What nginx itself says of deploy/nginx, for one machine and for compose."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.processes import needed
from tests.deploy.proxy import certify
from tests.deploy.units import DEPLOY

MAINS = ("on-one-machine.conf", "in-compose.conf")


def said(main: str, folder: Path, change: tuple[str, str] = ("", "")) -> str:
    """nginx' own check, empty where it finds nothing."""
    nginx = needed("nginx")
    needed("openssl")
    certify(folder / "certificate.pem", folder / "key.pem")
    (folder / "tunegate").mkdir()
    for file in (DEPLOY / "nginx").glob("*.conf"):
        text = file.read_text(encoding="utf-8").replace(*change) if change[0] else file.read_text(encoding="utf-8")
        text = re.sub(r"ssl_certificate /\S+;", f"ssl_certificate {folder}/certificate.pem;", text)
        text = re.sub(r"ssl_certificate_key /\S+;", f"ssl_certificate_key {folder}/key.pem;", text)
        (folder / "tunegate" / file.name).write_text(re.sub(r"listen (\d+)", r"listen 127.0.0.1:\g<1>0", text))
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; events {{}}\nhttp {{ access_log off; include tunegate/{main}; }}\n"
    )
    command = [nginx, "-t", "-q", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("main", MAINS)
def test_nginx_finds_nothing_wrong(main: str, tmp_path: Path) -> None:
    assert said(main, tmp_path) == ""


def test_nginx_does_find_what_is_wrong(tmp_path: Path) -> None:
    assert "unknown directive" in said(MAINS[0], tmp_path, ("proxy_read_timeout", "proxy_reed_timeout"))


def test_nothing_is_offered_without_tls() -> None:
    text = (DEPLOY / "nginx/servers.conf").read_text(encoding="utf-8")
    for block in re.findall(r"^server \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE):
        assert "proxy_pass" not in block or "listen 443 ssl" in block
        assert "proxy_pass" not in block or "listen 80" not in block
