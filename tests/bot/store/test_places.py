"""Places for what waits: bounded, in order, and none is lost by who gives up."""

import asyncio

import pytest

from bot.store.places import Places


async def test_no_more_than_there_are_places_and_then_in_order() -> None:
    places, order = Places(2), list[int]()

    async def enter(number: int) -> None:
        await places.wait()
        order.append(number)

    assert places.take()
    tasks = [asyncio.create_task(enter(number)) for number in range(4)]
    await asyncio.sleep(0)
    assert order == [0]
    assert not places.take()
    places.give_back(2)
    await asyncio.gather(*tasks[:3])
    assert order == [0, 1, 2]
    places.give_back(1)
    await tasks[3]


async def test_place_of_who_is_cancelled_goes_to_the_next() -> None:
    places = Places(1)
    assert places.take()
    first, second, third = (asyncio.create_task(places.wait()) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    places.give_back(1)  # the turn of the second comes in the same round in which it is cancelled
    second.cancel()
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await task
    await third
    assert not places.take()
