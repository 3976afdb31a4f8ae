"""Another bot: runs what it is told and prints its log with offsets and its progress, until it is killed."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from executor.logs import LogStore
from executor.spec import RunSpec
from tests.contract.cases import EngineCase, open_process_case


async def main(kind: str, directory: str, fields: str) -> None:
    """Follow the run and its log to their ends."""
    case: EngineCase = await {"process": open_process_case}[kind](Path(directory))
    spec = RunSpec(**json.loads(fields))
    copying = asyncio.create_task(copy(case.logs, spec.key))
    async for progress in case.engine.run(spec):
        print(json.dumps({"progress": type(progress).__name__}), flush=True)
    await copying
    await case.engine.close()


async def copy(logs: LogStore, key: str) -> None:
    async for chunk in logs.read(key, follow=True):
        print(json.dumps({"start": chunk.start, "data": chunk.data.decode()}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
