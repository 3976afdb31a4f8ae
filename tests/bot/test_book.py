"""The living catalog: what one bot changes another sees, and what cannot be read harms nothing else."""

import time

import pytest

from bot.book import Book, Conflict, renewed
from bot.config import Wrong, job_of, load
from bot.store import versions
from tests.bot.house import House


def always(version: int | None) -> bool:
    return True


async def test_another_bot_sees_a_change_at_its_next_look_and_tells_who_watches(home: House) -> None:
    here = home.tools.book
    there = await Book.open(here.config, home.store, time.time)
    changed = there.watch()
    job = job_of(b'{"command": "echo new"}', "new", here.config)
    await here.put(job, actor="token:boss", expected=always)
    assert here.catalog.job("new") == job
    assert "new" not in there.catalog.jobs
    await there.refresh()
    assert there.catalog.job("new") == job
    assert (there.version(job), changed.is_set()) == (1, True)
    assert there.descriptions["new"] == ""
    assert len(there.descriptions) == len(list(there.descriptions)) == len(there.entries())


async def test_job_that_the_file_gets_later_is_the_files(home: House) -> None:
    book = home.tools.book
    job = job_of(b'{"command": "echo new"}', "new", book.config)
    await book.put(job, actor="token:boss", expected=always)
    with_it = book.config.model_copy(update={"jobs": {**book.config.jobs, "new": job}})
    assert await book.apply(with_it) == ["new"]
    assert await book.apply(with_it) == []
    with pytest.raises(Conflict, match="configuration file"):
        await book.put(job, actor="token:boss", expected=always)


async def test_definition_of_another_version_of_errand_is_left_out(home: House) -> None:
    book = home.tools.book
    odd = {"name": "odd", "command": "true", "from_tomorrow": 1}
    await home.write(lambda s: versions.add(s, "odd", odd, source="api", actor="token:x", now=0.0))
    await book.refresh()
    assert book.entry("odd") is None
    assert "plain" in book.catalog.jobs


async def test_version_numbers_never_name_another_definition(home: House) -> None:
    book = home.tools.book
    job = job_of(b'{"command": "echo new"}', "new", book.config)
    await book.put(job, actor="token:boss", expected=always)
    assert await book.remove("new", actor="token:boss", expected=always)
    assert not await book.remove("new", actor="token:boss", expected=always)
    row, new = await book.put(job, actor="token:boss", expected=always)
    assert (row.version, new) == (3, True)


async def test_secret_that_only_the_next_start_takes_up_is_given_to_no_job_either(home: House) -> None:
    book, file = home.tools.book, home.home / "later.yaml"
    file.write_text("github: {token: '${NEXT}'}\njobs: {plain: {command: 'true'}}\n")
    new = load(file, {**book.config.environ, "NEXT": "n3xt"})
    held, kept = renewed(book.config, new)
    assert "github" in kept
    assert await book.apply(held)
    for reference in ('"${NEXT}"', '"${KEY}"'):
        with pytest.raises(Wrong, match="own secret"):
            job_of(b'{"command": "true", "env": {"X": %s}}' % reference.encode(), "new", book.config)
