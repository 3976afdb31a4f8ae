import asyncio

import pytest

from webhooks.server import deadlines
from webhooks.server.deadlines import Deadlines


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "TICK_S", 0.01)


async def test_late_task_times_out_and_the_others_go_on() -> None:
    never = asyncio.Event()
    limit, patient = Deadlines(0.05), Deadlines(60.0)

    async def late() -> None:
        with limit:
            await never.wait()

    async def early() -> str:
        with limit:
            await asyncio.sleep(0)
        with patient:
            await asyncio.sleep(0.1)
        return "done"

    results = await asyncio.gather(late(), early(), late(), return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError, str, TimeoutError]


async def test_task_can_go_on_after_its_timeout() -> None:
    limit = Deadlines(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError), limit:
            await asyncio.Event().wait()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_cancelling_from_outside_stays_a_cancellation() -> None:
    limit = Deadlines(60.0)

    async def wait() -> None:
        with limit:
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
