"""What `executor.container.networks` says of what makes them; engines themselves are in `test_engine`."""

import logging
import os
from typing import Any, cast

import pytest

from executor.container import networks
from executor.container.client import Client


class _Told:
    """A client whose engine is Podman, and says `host` of itself."""

    is_podman = True

    def __init__(self, host: dict[str, Any]) -> None:
        self._host = host

    async def ask(self, method: str, path: str) -> dict[str, Any]:
        assert (method, path) == ("GET", "libpod/info")
        return {"host": self._host}


@pytest.mark.parametrize(
    ("host", "warns"),
    [
        ({"networkBackend": "cni"}, False),
        ({"networkBackend": "netavark"}, True),
        ({"networkBackend": "netavark", "networkBackendInfo": {"version": "netavark 1.4.0"}}, True),
        ({"networkBackend": "netavark", "networkBackendInfo": {"version": "netavark 2.1.0"}}, False),
        ({}, False),
    ],
)
async def test_what_does_not_keep_runs_apart_is_told(
    host: dict[str, Any], warns: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with caplog.at_level(logging.WARNING):
        await networks.warn(cast(Client, _Told(host)))
    assert ("netavark 1" in caplog.text) is warns
