import asyncio

import pytest

from webhooks.server.unverified import GaveWay, Unverified


async def _hold(memory: Unverified, address: str, size: int, held: asyncio.Event) -> None:
    with memory.body(address) as body:
        body.grow(size)
        held.set()
        await asyncio.Event().wait()


async def _held(memory: Unverified, address: str, size: int) -> asyncio.Task[None]:
    held = asyncio.Event()
    task = asyncio.create_task(_hold(memory, address, size, held))
    await held.wait()
    return task


async def _ended(*tasks: asyncio.Task[None]) -> list[bool]:
    """Which of them gave way; the others are ended."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gave_way = [task.done() and isinstance(task.exception(), GaveWay) for task in tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return gave_way


async def test_what_a_stranger_holds_back_gives_way_to_what_comes() -> None:
    memory = Unverified(100, 60)
    tasks = [await _held(memory, "203.0.113.7", 20) for _ in range(3)]
    tasks.append(await _held(memory, "198.51.100.1", 15))
    assert memory.size == 55
    assert await _ended(*tasks) == [True, False, False, False]
    assert memory.size == 0


async def test_part_of_the_memory_is_for_addresses_that_verify() -> None:
    memory = Unverified(100, 60)
    memory.verified("192.0.2.1")
    strangers = [await _held(memory, "203.0.113.7", 30) for _ in range(2)]
    genuine = await _held(memory, "192.0.2.1", 40)
    assert memory.size == 100
    assert await _ended(*strangers, genuine) == [False, False, False]


async def test_strangers_give_way_to_those_who_verify() -> None:
    memory = Unverified(100, 60)
    memory.verified("192.0.2.1")
    tasks = [await _held(memory, "192.0.2.1", 50), await _held(memory, "203.0.113.7", 40)]
    tasks.append(await _held(memory, "192.0.2.1", 30))
    assert await _ended(*tasks) == [False, True, False]


async def test_body_that_is_the_greediest_is_refused_itself() -> None:
    memory = Unverified(100, 60)
    other = await _held(memory, "198.51.100.1", 10)
    with pytest.raises(GaveWay), memory.body("203.0.113.7") as body:
        body.grow(61)
    assert await _ended(other) == [False]


async def test_cancelling_from_outside_stays_a_cancellation() -> None:
    memory = Unverified(100, 60)
    task = await _held(memory, "203.0.113.7", 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert memory.size == 0


async def test_number_of_known_addresses_is_bounded() -> None:
    memory = Unverified()
    for number in range(2000):
        memory.verified(str(number))
    assert len(memory._known) == 1024
    assert memory.body("1999").known
    assert not memory.body("0").known
