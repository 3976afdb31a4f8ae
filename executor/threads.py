"""Work in a thread that is over when it is left."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def shielded(work: Callable[[], T]) -> T:
    """Give what `work` gives in a thread. Cancelled, it ends first: nobody else may work on the same yet."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


async def acquired(take: Callable[[], T | None], release: Callable[[T], None]) -> T | None:
    """Give what `take` takes in a thread.

    Cancelled, what was taken is released, which nobody else could do.
    """
    working = asyncio.ensure_future(asyncio.to_thread(take))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        if working.exception() is None and (taken := working.result()) is not None:
            release(taken)
        raise


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a function that blocks one to be awaited, which works as `shielded` does."""

    @wraps(work)
    async def working(*args: P.args, **kwargs: P.kwargs) -> T:
        return await shielded(lambda: work(*args, **kwargs))

    return working
