"""The networks of runs: one of its own for each, in which nobody else is, or those of a live workload."""

import contextlib
import json
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

from executor.container.client import Client, Refused
from executor.container.containers import INSTALLATION, KEY, name
from executor.errors import EngineUnavailable

_SPECIAL = frozenset({"host", "none", "default", "private", "slirp4netns", "pasta"})
"""What are no networks that others could join, or (the host's) none that a job may be in."""
_VERSION = re.compile(r"\bv?(\d+)\.\d+")
_LOGGER = logging.getLogger(__name__)


def of_workload(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the networks that a container is in, as `inspect` tells; the host's own is none of them."""
    found = (answer.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(one for one in found if one not in _SPECIAL and not one.startswith(("container:", "ns:")))


async def warn(client: Client) -> None:
    """Say in the log where nothing keeps runs apart for as long as they last; raises EngineUnavailable.

    netavark 1 with iptables takes the rule that all networks need away with any one of them (the policy
    OnComplete of the jump to NETAVARK_ISOLATION_1, until iptables went with 2.0):
    https://github.com/containers/netavark/blob/v1.9.0/src/firewall/varktables/types.rs
    """
    if not client.is_podman or os.geteuid() != 0:
        return
    with contextlib.suppress(Refused):
        host = (await client.ask("GET", "libpod/info")).get("host") or {}
        version = _VERSION.search(str((host.get("networkBackendInfo") or {}).get("version", "")))
        if host.get("networkBackend") == "netavark" and int(version[1] if version else 1) < 2:
            _LOGGER.warning(
                "Podman's networks are made by netavark 1: with iptables, runs reach each other's ports once "
                "another run has ended. Use CNI, or netavark with nftables (docs/engines.md, What it needs)."
            )


async def make(client: Client, installation: str, key: str) -> str:
    """Give the network of the run, made if there is none.

    Raises EngineUnavailable where the engine makes none, for instance as it has no addresses left: it has
    some again when other runs have ended.
    """
    called = name(installation, key)
    if await _exists(client, called):
        return called
    request = {
        "Name": called,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "Labels": {INSTALLATION: installation, KEY: key},
        # Docker keeps networks apart by itself.
        "Options": {"isolate": "true"} if client.is_podman else {},
    }
    try:
        await client.ask("POST", "networks/create", data=request)
    except Refused as refused:
        if not await _exists(client, called):  # made at the same moment
            raise EngineUnavailable(f"no network for the run: {refused.message}") from refused
    return called


async def join(client: Client, networks: tuple[str, ...], container: str) -> None:
    """Have a container be in more networks, before it starts; raises `Refused`, EngineUnavailable."""
    for network in networks:
        await client.ask("POST", f"networks/{network}/connect", data={"Container": container})


async def remove(client: Client, network: str) -> None:
    """Remove a network if there is one that no container is in; raises EngineUnavailable."""
    with contextlib.suppress(Refused):
        await client.ask("DELETE", f"networks/{network}")


async def sweep(client: Client, installation: str) -> None:
    """Remove the networks of runs that have no container (any more); raises EngineUnavailable."""
    filters = json.dumps({"label": [f"{INSTALLATION}={installation}"]})
    for network in await client.ask("GET", "networks", {"filters": filters}) or ():
        key = str((network.get("Labels") or {}).get(KEY, ""))
        try:
            await client.ask("GET", f"containers/{name(installation, key)}/json")
        except Refused as refused:
            if refused.status == 404:
                await remove(client, str(network["Name"]))


async def _exists(client: Client, network: str) -> bool:
    try:
        await client.ask("GET", f"networks/{network}")
    except Refused:
        return False
    return True
