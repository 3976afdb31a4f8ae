import asyncio

from webhooks.server.turns import AT_ONCE, Turns


async def test_few_have_their_turn_in_one_round_and_all_of_them_in_order() -> None:
    turns, called = Turns(), list[int]()
    for number in range(AT_ONCE * 3):
        turns.add(lambda number=number: called.append(number))  # type: ignore[misc]
    for rounds in (1, 2, 3):
        await asyncio.sleep(0)
        assert called == list(range(AT_ONCE * rounds))


async def test_who_asks_again_in_his_turn_waits_for_a_later_round() -> None:
    turns, called = Turns(), list[int]()

    def again() -> None:
        called.append(0)
        if len(called) < 3:
            turns.add(again)

    turns.add(again)
    for times in (1, 2, 3, 3):
        await asyncio.sleep(0)
        assert len(called) == times
