"""Talks to a running Errand over its API: what `errand apply` does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import typer

from bot.config import definitions_in
from bot.errors import Refused

URL = "http://127.0.0.1:8000"
TIMEOUT = 30.0
"""Seconds for one answer."""


async def apply(file: Path, environ: Mapping[str, str]) -> int:
    """Send every job of `file`; gives the exit code. Raises `ConfigError` and `Refused`."""
    jobs = definitions_in(file)
    token = environ.get("ERRAND_TOKEN", "")
    if not token.isascii() or not token.strip():
        raise Refused("ERRAND_TOKEN is not set: `errand token create NAME --admin` makes a token.")
    headers = {"authorization": f"Bearer {token.strip()}"}
    failed = 0
    try:
        async with httpx.AsyncClient(
            base_url=environ.get("ERRAND_URL") or URL, headers=headers, timeout=TIMEOUT, trust_env=False
        ) as client:
            for name, definition in jobs.items():
                failed += not await _put(client, name, definition)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refused(f"Errand does not answer at {environ.get('ERRAND_URL') or URL}: {error}") from None
    return 1 if failed else 0


async def _put(client: httpx.AsyncClient, name: str, definition: Mapping[str, Any]) -> bool:
    """Send one job and tell what came of it; False where it was refused."""
    path = f"/api/jobs/{quote(name, safe='')}"
    before = await client.get(path)
    held = before.json().get("version") if before.status_code == 200 else None
    answer = await client.put(path, json=definition)
    try:
        told = answer.json()
    except ValueError:
        told = {"detail": f"status {answer.status_code}"}
    if answer.status_code in (200, 201):
        word = "unchanged" if told["version"] == held else "created" if held is None else "changed"
        typer.echo(f"{name}: {word}, version {told['version']}")
        return True
    typer.echo(f"{name}: refused: {told.get('detail')}", err=True)
    for each in told.get("errors", ()):
        typer.echo(f"  {each['pointer'].removeprefix('#') or '/'}: {each['detail']}", err=True)
    return False
