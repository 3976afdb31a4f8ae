"""What is asked of the engine about a run's container, and what of the answers is to be believed."""

from typing import Any, cast

import pytest

from executor.container.client import Client, Refused
from executor.container.starting import ContainerStarter
from executor.errors import EngineUnavailable

GONE = Refused(500, "read /proc/21495/cgroup: no such process")


class Answers:
    """A client that raises one refusal after the other."""

    def __init__(self, *refusals: Refused) -> None:
        self.left = list(refusals)

    async def ask(self, method: str, path: str) -> Any:
        raise self.left.pop(0)


async def found(*refusals: Refused) -> object:
    return await ContainerStarter(cast(Client, Answers(*refusals)), "here", "k8s-file").find("run-1")


async def test_container_that_ends_while_podman_looks_is_asked_for_again() -> None:
    assert await found(GONE, Refused(404, "no such container")) is None


@pytest.mark.parametrize("refusals", [[GONE, GONE], [Refused(500, "database is locked")]])
async def test_engine_that_cannot_say_is_not_asked_for_ever(refusals: list[Refused]) -> None:
    with pytest.raises(EngineUnavailable):
        await found(*refusals)
