"""A file that cannot be read now is read later, whatever the reason, and without end."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.errors import RetryLater
from bot.store import repository_files
from bot.store.leases import LeaseLost
from bot.tables import RepositoryFile
from tests.bot.handlers.test_repository_reading import GOOD, NEXT, RULES, pushed
from tests.bot.house import House, house


@pytest.mark.parametrize(
    ("error", "told", "delay"),
    [
        (RetryLater("GitHub is away", delay=50.0), "repository.waits", 50.0),
        (ValueError("a fault"), "repository.failed", 1.0),
        (LeaseLost("gone"), "repository.lost", None),
    ],
)
async def test_failure_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str, delay: float | None
) -> None:
    async with house(tmp_path, changes={"repository_jobs": RULES}) as home:
        await pushed(home, NEXT, GOOD)
        composition = home.bot.repository_files

        async def fails(row: object) -> None:
            raise error

        monkeypatch.setattr(composition.reader, "read", fails)
        (row,) = await claimed(home)
        with capture_logs() as logs:
            await composition.work.carry(row)
        assert told in [line["event"] for line in logs]
        if delay is not None:
            again = await home.store.read(lambda s: repository_files.of_number(s, row.repository_number))
            assert again is not None
            assert (again.due_at, again.lease_owner) == (home.now + delay, None)


async def claimed(home: House) -> list[RepositoryFile]:
    rows: list[RepositoryFile] = await home.write(
        lambda s: repository_files.claim(s, owner="one", now=home.now, lease=60.0, limit=9)
    )
    return rows
