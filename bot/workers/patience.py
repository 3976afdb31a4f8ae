"""What comes round again: no failure ends it, and what is away is told in one line, without a traceback."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bot.errors import DatabaseAway, Refused, RetryLater
from executor.errors import EngineUnavailable

log = structlog.get_logger()


async def patiently(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do one round of something that comes round again: no failure may stop the pools."""
    try:
        await work()
    except DatabaseAway:
        pass  # the store says so, once for all who wait
    except (RetryLater, EngineUnavailable, Refused) as error:
        log.warning(f"{what}.failed", error=str(error))
    except Exception:
        log.exception(f"{what}.failed")


async def awaken(wakeup: asyncio.Event, timeout: float | None) -> None:
    """Wait to be woken, at most `timeout` seconds; None: for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await wakeup.wait()
