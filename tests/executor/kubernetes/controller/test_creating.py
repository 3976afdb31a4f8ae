"""How long what is refused for now is asked for."""

import asyncio

import pytest

from executor.kubernetes.controller.creating import Patience
from executor.kubernetes.refusals import Deferral, Hold, Refused
from executor.outcomes import RunEnded
from executor.spec import Result

FORBIDDEN = Deferral(Refused(403, "Forbidden", "you cannot"))


async def test_what_is_refused_for_now_is_asked_for_again_and_told() -> None:
    answers: list[Exception] = [Hold("QuotaExceeded", "no room"), FORBIDDEN]
    told: list[str] = []

    async def ask() -> str:
        if answers:
            raise answers.pop(0)
        return "made"

    stopped = asyncio.Event()
    assert await Patience(60.0, told.append, stopped, first=0.001).of(ask) == "made"
    assert told == ["no room", "the API server of Kubernetes says you cannot"]


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (Hold("QuotaExceeded", "no room"), "QuotaExceeded"),
        (FORBIDDEN, "CreateForbidden"),
        (Deferral(Refused(401, "Unauthorized", "Unauthorized")), "CreateForbidden"),
        (Deferral(Refused(500, "InternalError", "failed calling webhook")), "CreateDeferred"),
        (Deferral(Refused(429, "TooManyRequests", "too many"), 5.0), "CreateDeferred"),
    ],
)
async def test_it_ends_with_what_was_said_last(problem: Exception, reason: str) -> None:
    async def ask() -> None:
        raise problem

    with pytest.raises(RunEnded) as ended:
        await Patience(0.05, lambda words: None, asyncio.Event()).of(ask)
    assert (ended.value.outcome.result, ended.value.outcome.reason) == (Result.ERROR, reason)


async def test_what_is_stopped_waits_no_longer() -> None:
    stopped = asyncio.Event()

    async def ask() -> None:
        stopped.set()
        raise FORBIDDEN

    with pytest.raises(RunEnded) as ended:
        await Patience(60.0, lambda words: None, stopped).of(ask)
    assert ended.value.outcome.result is Result.CANCELLED
