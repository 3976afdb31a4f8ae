"""Schemathesis asks the served API thousands of things that its OpenAPI document allows and forbids."""

import asyncio
import os
import sys
from pathlib import Path

import httpx

from demo.installation import Installation
from demo.watched import PATIENCE

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("ERRAND_FUZZ_EXAMPLES", "10"))
"""Per operation; `ERRAND_FUZZ_EXAMPLES=1000` asks for longer, and then with another seed every time."""

SEED = ["--seed", "6"] if EXAMPLES == 10 else []
PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"


async def test_schemathesis_finds_nothing(errand: Installation) -> None:
    admin = await errand.token("fuzzer", "admin")
    errand.on_event = lambda event: None  # there are thousands
    await errand.comment("/job run hello")
    await errand.wait_for(lambda: errand.ended([1]))
    headers = {"authorization": f"Bearer {admin}"}
    async with httpx.AsyncClient(base_url=errand.url, headers=headers, timeout=PATIENCE) as client:
        made = await client.post("/api/hooks", json={"job": "hello", "name": "fuzzed"})
    environ = {**os.environ, "ERRAND_TOKEN": admin, "ERRAND_HOOK_TOKEN": made.json()["token"]}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "--config-file", str(HERE / "schemathesis.toml"), "--no-color",
        "run", f"{errand.url}/api/openapi.json", "--max-examples", str(EXAMPLES), "--continue-on-failure",
        "--no-shrink", "--warnings", "off", *SEED,
        cwd=errand.home, env=environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert (await errand.get("/readyz")).status_code == 200
    assert [each for each in errand.events if each.get("level") in ("error", "critical")] == []
