"""The whole `Engine` Protocol on every engine, the one that the tests of `bot` stand on included."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from executor.errors import EngineUnavailable
from executor.spec import BuildSpec, Progress, Result, RunSpec
from tests.contract.cases import KubernetesCase, ended, started
from tests.contract.conftest import ENGINES, open_case
from tests.contract.protocol import ObedientCase, ProtocolCase, RealCase, on_cluster
from tests.executor.checkout.test_builder import Repository
from tests.registry import Registry, registry

__all__ = ["registry"]

Kind = Callable[[ProtocolCase, str], RunSpec | BuildSpec]


@pytest.fixture(params=["obedient", *ENGINES])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProtocolCase]:
    """Each engine in turn, with nothing run or built yet."""
    if request.param == "obedient":
        yield ObedientCase()
        return
    shop = Repository(tmp_path / "shop")
    reaches: Registry | None = None
    if request.param != "process" and "reference" in request.node.name:
        reaches = request.getfixturevalue("registry")
    host = reaches.host if reaches is not None else None
    async with open_case(request, tmp_path) as opened:
        if isinstance(opened, KubernetesCase):
            async with on_cluster(opened, request.getfixturevalue("cluster"), shop, host) as made:
                yield made
        else:
            yield RealCase(opened.engine, await opened.image(), shop, host)


def attend(case: ProtocolCase, spec: RunSpec | BuildSpec) -> AsyncIterator[Progress]:
    return case.engine.run(spec) if isinstance(spec, RunSpec) else case.engine.build(spec)


good = pytest.mark.parametrize(
    "good", [lambda case, key: case.run(key, 0), lambda case, key: case.build(key)], ids=["run", "build"]
)
lasting = pytest.mark.parametrize(
    "lasting",
    [lambda case, key: case.lasting_run(key), lambda case, key: case.build(key, "lasting")],
    ids=["run", "build"],
)


@good
async def test_all_who_ask_for_a_key_hear_of_one_end(case: ProtocolCase, key: str, good: Kind) -> None:
    spec = good(case, key)
    outcomes = await asyncio.gather(*(ended(attend(case, spec)) for _ in range(3)))
    outcomes.append(await ended(attend(case, spec)))
    assert len(set(outcomes)) == 1
    assert outcomes[0].result is Result.SUCCEEDED, outcomes[0]


async def test_run_that_fails_is_a_value_with_its_code(case: ProtocolCase, key: str) -> None:
    outcome = await ended(case.engine.run(case.run(key, 3)))
    assert (outcome.result, outcome.exit_code, outcome.image) == (Result.FAILED, 3, None)


@lasting
async def test_what_nobody_listens_to_goes_on_until_it_is_stopped(
    case: ProtocolCase, key: str, lasting: Kind
) -> None:
    spec = lasting(case, key)
    await started(attend(case, spec))
    following = asyncio.create_task(ended(attend(case, spec)))
    await asyncio.wait([following], timeout=0.1)
    with pytest.raises(EngineUnavailable):
        await case.engine.remove(key)
    await case.engine.stop(key)
    await case.engine.stop(key)
    outcome = await following
    assert (outcome.result, outcome.image) == (Result.CANCELLED, None)
    await case.engine.stop(key)
    assert await ended(attend(case, spec)) == outcome


async def test_what_is_removed_is_forgotten_and_begins_anew(case: ProtocolCase, key: str) -> None:
    assert (await ended(case.engine.run(case.run(key, 3)))).exit_code == 3
    await case.engine.remove(key)
    await case.engine.remove(key)
    await case.engine.stop(key)
    await begins_anew(case, key)


async def begins_anew(case: ProtocolCase, key: str) -> None:
    """A cluster deletes in the background; until it has, whoever asks is told of what was."""
    async with asyncio.timeout(PATIENCE):
        while (await ended(case.engine.run(case.run(key, 4)))).exit_code != 4:
            await case.engine.remove(key)


async def test_only_what_ended_before_is_pruned(case: ProtocolCase, key: str) -> None:
    await ended(case.engine.run(case.run(key, 3)))
    await case.engine.prune(before=0.0)
    assert (await ended(case.engine.run(case.run(key, 4)))).exit_code == 3
    lasts = f"{key}-lasts"
    spec = case.lasting_run(lasts)
    await started(case.engine.run(spec))
    await case.engine.prune(before=math.inf)
    with pytest.raises(EngineUnavailable):
        await case.engine.remove(lasts)
    await case.engine.stop(lasts)
    assert (await ended(case.engine.run(spec))).result is Result.CANCELLED
    await begins_anew(case, key)


@pytest.mark.parametrize("key", ["", "../up", "UPPER"])
async def test_key_that_could_become_a_path_is_refused_everywhere(case: ProtocolCase, key: str) -> None:
    for ask in (
        lambda: ended(case.engine.run(case.run(key, 0))),
        lambda: ended(case.engine.build(case.build(key))),
        lambda: case.engine.stop(key),
        lambda: case.engine.remove(key),
    ):
        with pytest.raises(ValueError, match="not a key"):
            await ask()


async def test_build_gives_an_image_that_is_there(case: ProtocolCase, key: str) -> None:
    outcome = await ended(case.engine.build(case.build(key)))
    assert outcome.result is Result.SUCCEEDED, outcome
    assert outcome.image
    assert await case.engine.has_image(outcome.image)
    await case.engine.remove(key)
    assert await case.engine.has_image(outcome.image)


async def test_build_that_fails_gives_none(case: ProtocolCase, key: str) -> None:
    outcome = await ended(case.engine.build(case.build(key, "failing")))
    assert (outcome.result, outcome.image) == (Result.FAILED, None)


async def test_reference_is_pinned_by_its_digest(case: ProtocolCase) -> None:
    reference = await case.reference("acme/tools")
    outcome = await ended(case.engine.pin(reference or "registry.example.com/acme/tools:1"))
    if reference is None:
        assert (outcome.result, outcome.reason, outcome.image) == (Result.ERROR, "ImageMissing", None)
        return
    assert outcome.result is Result.SUCCEEDED, outcome
    assert outcome.image is not None
    assert outcome.image.startswith(f"{reference.removesuffix(':1')}@sha256:")
    assert await case.engine.has_image(outcome.image)
    assert await ended(case.engine.pin(reference)) == outcome


async def test_reference_that_leads_nowhere_is_an_error_in_words(case: ProtocolCase) -> None:
    reference = await case.reference("acme/nothing") or "registry.example.com/acme/nothing:1"
    for _ in range(2):
        outcome = await ended(case.engine.pin(reference))
        assert (outcome.result, outcome.reason, outcome.image) == (Result.ERROR, "ImageMissing", None)
        assert outcome.message


async def test_workload_that_is_not_there_is_an_error_in_words(case: ProtocolCase) -> None:
    outcome = await ended(case.engine.pin(case.missing_workload()))
    assert (outcome.result, outcome.image) == (Result.ERROR, None)
    assert outcome.reason in ("WorkloadMissing", "ImageMissing")  # the latter where there are no containers
    assert outcome.message
