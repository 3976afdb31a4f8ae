"""A registry for tests: Debian's docker-registry on a loopback port, in a directory that goes away."""

import datetime
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "errand", "correct-horse-9"
_HTPASSWD = f"{USER}:$2b$05$0123456789abcdefghijkumEl/owQq.u49EU.fTpWiUKn9nef8hGy\n"
"""The password in the one form that it takes, bcrypt."""

_TRUST = """unqualified-search-registries = []
[[registry]]
location = "{host}"
insecure = true
"""
"""Podman's registries.conf: it speaks HTTP only where it is told to."""


class Registry:
    """One registry at `host`, which lets everybody in, or only who knows the password.

    `tls` are the files of its certificate and its key; without them it speaks HTTP.
    """

    def __init__(
        self,
        directory: Path,
        *,
        closed: bool = False,
        address: str = "127.0.0.1",
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self.directory = directory
        self.conf = directory / "registries.conf"
        self.auth = directory / "auth.json"
        self._closed = closed
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind((address, 0))
            self.host = f"{address}:{probe.getsockname()[1]}"

    def start(self) -> None:
        """Start it; returns once it answers."""
        self.conf.write_text(_TRUST.format(host=self.host))
        self.auth.write_text("{}")
        http: dict[str, Any] = {"addr": self.host, "secret": "x"}
        if self._tls is not None:
            http["tls"] = dict(zip(("certificate", "key"), map(str, self._tls), strict=True))
        config = {
            "version": "0.1",
            "log": {"accesslog": {"disabled": True}, "level": "error"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.directory / "data")},
                "delete": {"enabled": True},
            },
            "http": http,
        }
        if self._closed:
            (self.directory / "htpasswd").write_text(_HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "Errand", "path": str(self.directory / "htpasswd")}}
        path = self.directory / "config.yml"
        path.write_text(json.dumps(config))  # which is YAML too
        self._process = subprocess.Popen(
            ["docker-registry", "serve", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # REGISTRY_AUTH_FILE means something else to it: every such name is a setting of its own.
            env={name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")},
        )
        until = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("docker-registry does not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; what it has stays for another start."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def delete(self, repository: str, digest: str) -> None:
        """Remove a manifest."""
        url = f"http://{self.host}/v2/{repository}/manifests/{digest}"
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10).close()

    def _answers(self) -> bool:
        try:
            if self._tls is not None:  # which only those can ask who trust its authority
                socket.create_connection(
                    (self.host.partition(":")[0], int(self.host.partition(":")[2]))
                ).close()
                return True
            urllib.request.urlopen(f"http://{self.host}/v2/", timeout=5).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            return answer.code == 401
        except OSError:
            return False
        return True


def certified(directory: Path) -> str:
    """Make a certificate for 127.0.0.1 (crt.pem, key.pem), which is its own authority; gives it in PEM."""
    directory.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    (directory / "crt.pem").write_bytes(made.public_bytes(pem))
    (directory / "key.pem").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return made.public_bytes(pem).decode()


def _started(directory: Path, patch: pytest.MonkeyPatch, *, closed: bool) -> Registry:
    if shutil.which("docker-registry") is None:
        reason = "docker-registry is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    directory.mkdir()
    made = Registry(directory, closed=closed)
    made.start()
    patch.setenv("CONTAINERS_REGISTRIES_CONF", str(made.conf))
    patch.setenv("REGISTRY_AUTH_FILE", str(made.auth))
    return made


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that is open to all; skipped where there is no docker-registry, an error in CI."""
    made = _started(tmp_path / "registry", monkeypatch, closed=False)
    yield made
    made.stop()


@pytest.fixture
def closed_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry with a password; Podman has not logged in."""
    made = _started(tmp_path / "registry", monkeypatch, closed=True)
    yield made
    made.stop()
