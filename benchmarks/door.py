"""The GitHub door alone: `python -m benchmarks.door PORT [DATABASE]`. Without a database it only verifies."""

import sys
import time

import uvicorn
import uvloop
from starlette.applications import Starlette

from benchmarks.harness import SECRET
from bot.store import Store
from executor import descriptors
from webhooks.deliveries import github
from webhooks.server.collector import quiet_collector
from webhooks.server.connection_limits import ConnectionLimit
from webhooks.server.connections import limited


async def _forget(*, key: str, source: str, event: str, media_type: str, body: bytes, now: float) -> None:
    """What the bare route does with a delivery."""


async def main(port: int, database: str | None) -> None:
    """Serve until SIGTERM, as `errand serve` does."""
    descriptors.raise_limit(4096)
    store = await Store.open(database, owner="benchmark") if database else None
    add = store.add_delivery if store else _forget
    quiet_collector()
    app = Starlette(routes=github.routes([SECRET], add_delivery=add, limit=25 << 20, clock=time.time))
    config = uvicorn.Config(
        app,
        port=port,
        loop="uvloop",
        http=limited(ConnectionLimit(proxies=["127.0.0.1"])),
        access_log=False,
        log_level="warning",
        server_header=False,
        lifespan="off",
    )
    await uvicorn.Server(config).serve()
    if store:
        await store.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
