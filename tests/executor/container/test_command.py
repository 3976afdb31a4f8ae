"""The engine's command line: what it is given and what is taken from what it says."""

import asyncio
import os
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from executor.container.command import Command, environment, last_words
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from tests.contract.cases import processes


def program(directory: Path, script: str) -> Settings:
    """Stand in for an engine's command by a shell script."""
    path = directory / "engine"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return Settings(str(path))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Trying to pull x...\nError: reading manifest 1: denied\n", "reading manifest 1: denied"),
        ("Error response from daemon: pull access denied for x\n", "pull access denied for x"),
        ('time="2026-11-20T23:14:30Z" level=fatal msg="no storage"', '"no storage"'),
        ("something\nelse\n\n", "else"),
        ("", ""),
    ],
)
def test_last_words_are_those_that_tell(said: str, words: str) -> None:
    assert last_words(said) == words


def test_command_gets_nothing_of_errand_s_own_environment() -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/root",
        "CONTAINERS_CONF": "/c",
        "HTTPS_PROXY": "p",
        "GITHUB_TOKEN": "x",
    }
    assert set(environment(given)) == {"PATH", "HOME", "CONTAINERS_CONF", "HTTPS_PROXY"}
    assert set(environment()) <= set(os.environ)


async def test_engine_is_known_by_what_it_says_of_itself(tmp_path: Path) -> None:
    assert await Command(program(tmp_path, "echo podman version 4.3.1")).is_podman()
    assert not await Command(program(tmp_path, "echo Docker version 20.10.24")).is_podman()
    with pytest.raises(EngineUnavailable, match="no storage"):
        await Command(program(tmp_path, "echo Error: no storage >&2; exit 125")).is_podman()


async def test_engine_that_is_down_is_unavailable(tmp_path: Path) -> None:
    await Command(program(tmp_path, "echo fine")).check()
    with pytest.raises(EngineUnavailable, match="Cannot connect"):
        await Command(program(tmp_path, "echo Cannot connect to the daemon >&2; exit 1")).check()
    (tmp_path / "engine").chmod(0o644)
    with pytest.raises(EngineUnavailable, match="no program"):
        await Command(Settings(str(tmp_path / "engine"))).check()


async def test_call_that_takes_too_long_leaves_no_process(tmp_path: Path) -> None:
    command = Command(program(tmp_path, "sleep 1123.81 & sleep 1123.81"))
    with pytest.raises(TimeoutError):
        await command.call("pull", timeout=0.2)
    async with asyncio.timeout(PATIENCE):
        while processes("1123.81"):  # noqa: ASYNC110  # nothing tells the end of another's process
            await asyncio.sleep(0.01)


async def test_only_the_end_of_what_is_said_is_kept(tmp_path: Path) -> None:
    said = await Command(program(tmp_path, "yes | head -c 300000; echo end; exit 3")).call(timeout=30.0)
    assert (said.code, len(said.out), said.out[-4:]) == (3, 65536, "end\n")
