"""Builds and images of a real Podman."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiodocker import Docker

from demo.watched import PATIENCE
from executor.container.builds import Builds
from executor.container.images import Images
from executor.container.repositories import Repositories
from executor.container.settings import Settings
from executor.container.storage import Storage
from executor.logs.store import LogStore
from tests.podman import Podman


@pytest.fixture
def settings(podman: Podman) -> Settings:
    return Settings(arguments=podman.arguments)


@pytest.fixture
async def builds(tmp_path: Path, logs: LogStore, settings: Settings) -> AsyncIterator[Builds]:
    opened = Builds(tmp_path / "work", logs, settings)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def built(builds: Builds, tmp_path: Path) -> str:
    """What images built for `shop` of acme/shop are called, without the commit."""
    return f"localhost/errand/{Repositories(tmp_path / 'work' / 'builds').word('acme/shop')}/shop"


def own_arguments(podman: Podman, directory: Path, repository: str = "acme/shop") -> tuple[str, ...]:
    """What leads Podman's command to where `repository` is built by the engine of `directory`."""
    repositories = Repositories(directory / "builds")
    engine = Storage("overlay", podman.arguments[1], podman.arguments[3])
    return engine.beside(repositories.images(repository), repositories.word(repository)).arguments


@dataclass
class Connection:
    """What `Images` needs of a client."""

    docker: Docker
    service: asyncio.subprocess.Process


async def _listens(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:  # it is there before it listens
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def connection(podman: Podman, tmp_path: Path) -> AsyncIterator[Connection]:
    """Podman's API, served by a process of its own."""
    socket = tmp_path / "podman.sock"
    command = [podman.command, *podman.arguments, "system", "service", "--time=0", f"unix://{socket}"]
    service = await asyncio.create_subprocess_exec(*command, cwd=tmp_path)  # conmon leaves files there
    async with asyncio.timeout(PATIENCE):
        while not await _listens(socket):  # noqa: ASYNC110  # nothing else tells of it
            await asyncio.sleep(0.01)
    async with Docker(f"unix://{socket}") as docker:
        yield Connection(docker, service)
    if service.returncode is None:
        service.terminate()
    await service.wait()


@pytest.fixture
def images(connection: Connection, settings: Settings) -> Images:
    return Images(connection, settings)
