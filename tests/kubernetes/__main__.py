"""The server as a process: `python -m tests.kubernetes DIRECTORY` says `ready` and where it is."""

import argparse
import asyncio
import logging
import resource
import signal
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import Route

from tests.kubernetes import kinds, system
from tests.kubernetes.access import ADMIN, USER, Access
from tests.kubernetes.api import Api
from tests.kubernetes.faults import Faults, protocol
from tests.kubernetes.garbage import Garbage
from tests.kubernetes.jobs import Jobs
from tests.kubernetes.kubelet import Kubelet
from tests.kubernetes.objects import Objects
from tests.kubernetes.scheduler import Scheduler
from tests.kubernetes.store import Store
from tests.kubernetes.telling import Events

ADMIN_TOKEN = "admin-token"
TOKEN = "errand-token"
_CHEAP = "containers are processes that see all files of this machine; their hooks fail"
_KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users:
- {{name: errand, user: {{token: {token}}}}}
- {{name: admin, user: {{token: {admin}}}}}
contexts:
- {{name: errand, context: {{cluster: test, user: errand}}}}
- {{name: admin, context: {{cluster: test, user: admin}}}}
current-context: errand
"""


async def main() -> None:
    """Serve until SIGTERM."""
    words = argparse.ArgumentParser()
    words.add_argument("directory", type=Path)
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--cheap", action="store_true", help=_CHEAP)
    words.add_argument("--attached", action="store_true", help="end with the process that started this one")
    words.add_argument("--namespace", action="append", default=["default"])
    options = words.parse_args()
    if options.attached:
        system.die_with_parent(signal.SIGTERM)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    store = Store()
    objects, events = Objects(store), Events(store)
    _ = Garbage(objects), Jobs(objects, events), Scheduler(objects, events)
    kubelet = Kubelet(objects, events, options.directory, isolates=not options.cheap)
    faults = Faults(store, kubelet.evict, kubelet.rotate)
    for name in options.namespace:
        objects.create(kinds.NAMESPACE, "", {"metadata": {"name": name}})
    access = Access({ADMIN_TOKEN: ADMIN, TOKEN: USER})
    api = Api(objects, access, faults, kubelet.logs)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes = [
        Route("/-/faults", faults.obey, methods=["GET", "POST"]),
        Route("/{path:path}", api.answer, methods=methods),
    ]
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", options.port))
        port = listening.getsockname()[1]
        text = _KUBECONFIG.format(port=port, token=TOKEN, admin=ADMIN_TOKEN)
        (options.directory / "kubeconfig").write_text(text)
        await _serve(Starlette(routes=routes), listening, faults)
    await kubelet.close()


class _Server(uvicorn.Server):
    """A server that does not wait for those who watch."""

    def __init__(self, config: uvicorn.Config, faults: Faults) -> None:
        super().__init__(config)
        self._faults = faults

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._faults.cut_all()
        await super().shutdown(sockets)


async def _serve(app: Starlette, listening: socket.socket, faults: Faults) -> None:
    config = uvicorn.Config(
        app,
        http=protocol(faults),
        loop="none",
        lifespan="off",
        log_level=logging.ERROR,
        backlog=4096,
    )
    server = _Server(config, faults)
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started and not serving.done():  # noqa: ASYNC110  # it does not tell otherwise
        await asyncio.sleep(0.005)
    print(f"ready http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    await serving


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    sys.exit(0)
