"""Another bot: runs what it is told and prints its log with offsets and its progress, until it is killed."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from executor.container import Settings
from executor.kubernetes import settings as kubernetes
from executor.logs.store import LogStore
from executor.spec import About, RunSpec
from tests.contract.cases import EngineCase, open_container_case, open_kubernetes_case, open_process_case


async def main(kind: str, which: str, fields: str) -> None:
    """Follow the run and its log to their ends."""
    case = await _open(kind, which)
    said = json.loads(fields)
    spec = RunSpec(**said | {"about": About(**said["about"])})
    copying = asyncio.create_task(copy(case.logs, spec.key))
    async for progress in case.engine.run(spec):
        print(json.dumps({"progress": type(progress).__name__}), flush=True)
    await copying
    await case.engine.close()


async def _open(kind: str, which: str) -> EngineCase:
    if kind == "process":
        return await open_process_case(Path(which))
    directory, settings, base = json.loads(which)
    if kind == "kubernetes":
        builder = kubernetes.Builder(**settings.pop("builder"))
        given = kubernetes.Settings(**settings, builder=builder)
        return await open_kubernetes_case(Path(directory), given, base)
    return await open_container_case(Path(directory), Settings(**settings), base)


async def copy(logs: LogStore, key: str) -> None:
    async for chunk in logs.read(key, follow=True):
        print(json.dumps({"start": chunk.start, "data": chunk.data.decode()}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
