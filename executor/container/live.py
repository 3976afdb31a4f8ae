"""The environment and the networks of a workload that runs now, for runs that are to share them."""

import re
from dataclasses import dataclass, field

from executor.container import networks
from executor.container.client import Client, Refused
from executor.container.containers import read
from executor.outcomes import error
from executor.spec import Live

_WORKLOAD = re.compile(r"container/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})", re.ASCII)
_OWN = frozenset({"HOSTNAME", "HOME", "TERM", "container"})
"""What engines set by themselves: true of that container only."""


@dataclass(frozen=True, slots=True)
class WorkloadShare:
    """What runs share with a workload; `networks` by name."""

    env: dict[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()


async def shared(client: Client, live: Live) -> WorkloadShare:
    """Give what runs share with `container/NAME`: its environment but what the engine made for it.

    Raises `Ended` with `WorkloadMissing`, or EngineUnavailable.
    """
    named = _WORKLOAD.fullmatch(live.workload)
    if named is None:
        raise error("WorkloadMissing", f"{live.workload[:200]} is no container/NAME.")
    try:
        answer = await client.ask("GET", f"containers/{named[1]}/json")
    except Refused as refused:
        raise error("WorkloadMissing", f"{live.workload}: {refused.message}") from refused
    env = {name: value for name, value in read(answer).env.items() if name not in _OWN}
    return WorkloadShare(env, networks.of_workload(answer))
