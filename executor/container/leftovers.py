"""Finds and removes the working containers that a killed build left in Podman's storage.

They have neither labels nor names of their own. What tells whose they are is the description that Buildah
keeps of each, where the secrets of the build are named: every build has one that is called after its key.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from executor.container.command import Command
from executor.errors import EngineUnavailable
from executor.supervisor import descendants

VARIABLE = "ERRAND_BUILD"
"""The environment variable that the secret is taken from; its value says nothing."""

_TIMEOUT = 60.0
"""Seconds for one call of the command."""


def mark(key: str) -> str:
    """Give the value of `--secret` that marks the working containers of the build `key`."""
    return f"id=errand.build.{key},env={VARIABLE}"


async def sweep(command: Command, key: str) -> None:
    """Remove what the build `key` left, which must have ended; what cannot be removed stays."""
    with contextlib.suppress(EngineUnavailable, TimeoutError):
        result = await command.call("info", "--format", "{{json .Store}}", timeout=_TIMEOUT)
        if result.code:
            return
        for container, root in await asyncio.to_thread(_marked, result.out, mark(key)):
            await asyncio.to_thread(_kill_within, root)
            await command.call("rm", "--force", container, timeout=_TIMEOUT)


def _marked(store: str, secret: str) -> list[tuple[str, str]]:
    """Give the working containers that have `secret`: their ids, and where their files are mounted.

    `store` is Podman's own description of its storage.
    """
    found = []
    with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
        info = json.loads(store)
        root = Path(info["graphRoot"]) / f"{info['graphDriverName']}-containers"
        for description in root.glob("*/userdata/buildah.json"):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                working = json.loads(description.read_bytes())
                if secret in working["CommonBuildOpts"]["Secrets"]:
                    found.append((description.parents[1].name, str(working.get("mountpoint") or "")))
    return found


def _kill_within(root: str) -> None:
    """Kill what still runs in the container whose root directory is `root`.

    Its supervisor has done that, unless it was killed itself: then nobody's child is left to ask for.
    """
    if not root or sys.platform != "linux":
        return
    for pid, _ in descendants.stats():
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(f"/proc/{pid}/root/"), os.stat(root)):
                descendants.signal_one(pid, signal.SIGKILL)
