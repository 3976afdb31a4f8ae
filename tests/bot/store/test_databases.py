"""What a connection to PostgreSQL is made with."""

import asyncio
import threading
from contextlib import suppress

import pytest

from bot.errors import DatabaseAway
from bot.store import Session, Store, admission, databases


@pytest.mark.postgres
async def test_bot_that_stands_still_inside_a_transaction_holds_nobody_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "IDLE_S", 0.3)
    holds, goes_on = threading.Event(), threading.Event()

    def stand(session: Session) -> None:
        admission.hold(session)
        holds.set()
        goes_on.wait(20)

    async with (
        await Store.open(postgres_url, owner="one") as one,
        await Store.open(postgres_url, owner="two") as two,
    ):
        standing = asyncio.create_task(one.write(stand))
        try:
            await asyncio.to_thread(holds.wait, 20)
            async with asyncio.timeout(10):
                await two.write(admission.hold)
        finally:
            goes_on.set()
            with suppress(DatabaseAway):
                await standing
        await one.write(admission.hold)
