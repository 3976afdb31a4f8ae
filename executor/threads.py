"""Work in a thread that is over when it is left."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def shielded(work: Callable[[], T]) -> T:
    """Give what `work` gives in a thread. Cancelled, it ends first: nobody else may work on the same yet."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise
