"""What is attended on the cluster, a run or a build as a `RunController` sees it, and with what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from executor.kubernetes.controller.log_collector import LogResources
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.resources import name_of
from executor.kubernetes.watching.cluster import Cluster
from executor.spec import Outcome, Secret


def as_it_ended(outcome: Outcome, message: str) -> Outcome:
    """Give the outcome of a run, to which the termination message adds nothing."""
    return outcome


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One Job to be made once and attended to its end.

    `make` gives its objects; it is asked only where there is no such Job yet, and raises `Ended`
    where there can be none. `secrets` are masked in its log and its messages. All times are seconds:
    `timeout` from the start of its first container on, `grace` between SIGTERM and SIGKILL,
    `pending_timeout` until it has to have started. `finish` turns how it ended, and what the container
    `job` left as its termination message (empty for none), into what is told; it is pure.
    """

    key: str
    namespace: str
    make: Callable[[], Awaitable[Manifests]]
    secrets: tuple[Secret, ...]
    timeout: float
    grace: float
    pending_timeout: float
    finish: Callable[[Outcome, str], Outcome] = as_it_ended

    @property
    def name(self) -> str:
        """What its Job and all that belongs to that is called; ValueError for what is no key."""
        return name_of(self.key)


@dataclass(frozen=True, slots=True)
class RunResources:
    """What every `RunController` works with. `chore` does in the background what nobody waits for."""

    cluster: Cluster
    desk: LogResources
    clock: Callable[[], float]
    chore: Callable[[Callable[[], Awaitable[None]]], None]
