"""The environment of a workload that runs now, for runs that are to share it."""

import re

from executor.container.client import Client, Refused
from executor.container.containers import read
from executor.container.outcomes import error
from executor.spec import Live

_WORKLOAD = re.compile(r"container/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})", re.ASCII)
_OWN = frozenset({"HOSTNAME", "HOME", "TERM", "container"})
"""What engines set by themselves: true of that container only."""


async def environment(client: Client, live: Live) -> dict[str, str]:
    """Give the environment of the container `container/NAME` but what the engine made for it.

    Raises `Ended` with `WorkloadMissing`, or EngineUnavailable.
    """
    named = _WORKLOAD.fullmatch(live.workload)
    if named is None:
        raise error("WorkloadMissing", f"{live.workload[:200]} is no container/NAME.")
    try:
        workload = read(await client.ask("GET", f"containers/{named[1]}/json"))
    except Refused as refused:
        raise error("WorkloadMissing", f"{live.workload}: {refused.message}") from refused
    return {name: value for name, value in workload.env.items() if name not in _OWN}
