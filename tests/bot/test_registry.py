"""The living catalog: what one bot changes another sees, and what cannot be read harms nothing else."""

import time

import pytest

from bot.config import Wrong, job_of, load
from bot.config.settings import Api
from bot.registry import Conflict, Registry, renewed
from bot.store import Session, hooks, runs, ticks, versions
from bot.tables import Hook, ImageTag
from tests.bot.house import House
from tests.bot.store.test_history import add


def always(version: int | None) -> bool:
    return True


async def test_another_bot_sees_a_change_at_its_next_look_and_tells_who_watches(home: House) -> None:
    here = home.tools.registry
    there = await Registry.open(here.config, home.store, time.time)
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
    registry = home.tools.registry
    job = job_of(b'{"command": "echo new"}', "new", registry.config)
    await registry.put(job, actor="token:boss", expected=always)
    with_it = registry.config.model_copy(update={"jobs": {**registry.config.jobs, "new": job}})
    assert await registry.apply(with_it) == ["new"]
    assert await registry.apply(with_it) == []
    with pytest.raises(Conflict, match="configuration file"):
        await registry.put(job, actor="token:boss", expected=always)


async def test_definition_of_another_version_of_errand_is_left_out(home: House) -> None:
    registry = home.tools.registry
    odd = {"name": "odd", "command": "true", "from_tomorrow": 1}
    await home.write(lambda s: versions.add(s, "odd", odd, source="api", actor="token:x", now=0.0))
    await registry.refresh()
    assert registry.entry("odd") is None
    assert "plain" in registry.catalog.jobs


async def test_version_numbers_never_name_another_definition(home: House) -> None:
    registry = home.tools.registry
    job = job_of(b'{"command": "echo new"}', "new", registry.config)
    await registry.put(job, actor="token:boss", expected=always)
    assert await registry.remove("new", actor="token:boss", expected=always)
    assert not await registry.remove("new", actor="token:boss", expected=always)
    row, new = await registry.put(job, actor="token:boss", expected=always)
    assert (row.version, new) == (3, True)


async def test_secret_that_only_the_next_start_takes_up_is_given_to_no_job_either(home: House) -> None:
    registry, file = home.tools.registry, home.home / "later.yaml"
    file.write_text("github: {token: '${NEXT}'}\njobs: {plain: {command: 'true'}}\n")
    new = load(file, {**registry.config.environ, "NEXT": "n3xt"})
    held, kept = renewed(registry.config, new)
    assert "github" in kept
    assert await registry.apply(held)
    for reference in ('"${NEXT}"', '"${KEY}"'):
        with pytest.raises(Wrong, match="own secret"):
            job_of(b'{"command": "true", "env": {"X": %s}}' % reference.encode(), "new", registry.config)


async def lose(home: House, name: str) -> None:
    """The file is read again without this job."""
    config = home.tools.registry.config
    jobs = {each: job for each, job in config.jobs.items() if each != name}
    await home.tools.registry.apply(config.model_copy(update={"jobs": jobs}))


async def test_job_that_the_file_lost_can_be_removed_once_with_its_history(home: House) -> None:
    registry = home.tools.registry
    await home.write(lambda s: add(s, "fs", job="plain"))
    clock = home.bot.retention
    await clock.look(home.now)
    await lose(home, "plain")
    await clock.look(home.now)
    assert len(await home.store.read(lambda s: runs.page(s, job="plain", limit=9))) == 2
    assert await registry.remove("plain", actor="token:boss", expected=always)
    assert not await registry.remove("plain", actor="token:boss", expected=always)
    await clock.look(home.now)
    assert await home.store.read(lambda s: runs.page(s, job="plain", limit=9)) == []


async def test_name_of_a_removed_job_is_free_once_its_history_is_gone(home: House) -> None:
    registry = home.tools.registry
    await home.write(lambda s: add(s, "fs", job="plain"))
    await lose(home, "plain")
    await registry.remove("plain", actor="token:boss", expected=always)
    job = job_of(b'{"command": "echo other"}', "plain", registry.config)
    with pytest.raises(Conflict, match="still goes"):
        await registry.put(job, actor="token:boss", expected=always)
    await home.bot.retention.look(home.now)
    assert (await registry.put(job, actor="token:boss", expected=always))[1]


async def test_job_that_is_defined_or_under_way_is_not_removed(home: House) -> None:
    registry = home.tools.registry
    with pytest.raises(Conflict, match="configuration file"):
        await registry.remove("plain", actor="token:boss", expected=always)
    there = await Registry.open(registry.config, home.store, time.time)
    await home.write(lambda s: add(s, ".", job="plain"))
    await lose(home, "plain")
    with pytest.raises(Conflict, match="goes on or waits"):
        await registry.remove("plain", actor="token:boss", expected=always)
    with pytest.raises(Conflict, match="of this bot"):  # which has not read its file again
        await there.remove("plain", actor="token:boss", expected=always)
    assert not await registry.remove("never-was", actor="token:boss", expected=always)


async def test_hook_pause_and_tag_of_a_lost_job_are_for_it_alone(home: House) -> None:
    registry = home.tools.registry

    def fill(session: Session) -> None:
        hooks.add(session, Hook(job="plain", name="ci", hash="h", created_at=0.0, created_by="token:boss"))
        ticks.change(session, "plain", paused=True)
        session.add(ImageTag(job="plain", image="shop", origin="o", tag="t", moved_at=0.0, moved_by="a"))

    def left(session: Session) -> tuple[bool, bool, bool]:
        hook, tag = hooks.by_hash(session, "h"), session.get(ImageTag, "plain")
        return hook is not None, bool(ticks.states(session, ["plain"])), tag is not None

    await home.write(fill)
    before = registry.config
    await lose(home, "plain")
    await registry.apply(before)  # it was taken out for a while only
    assert await home.store.read(left) == (True, True, True)
    await lose(home, "plain")
    job = job_of(b'{"command": "echo other"}', "plain", registry.config)
    await registry.put(job, actor="token:boss", expected=always)
    assert await home.store.read(left) == (False, False, False)


async def test_job_with_an_image_of_its_own_has_none_once_its_registry_is_not_listed(home: House) -> None:
    registry = home.tools.registry
    job = job_of(b'{"command": "true"}', "own", registry.config)
    job = job.model_copy(update={"image": "ghcr.io/acme/tools:1"})
    await registry.put(job, actor="token:boss", expected=always)
    assert "ghcr.io/acme/tools:1" not in registry.catalog.images
    listed = registry.config.model_copy(update={"api": Api(registries=("ghcr.io",))})
    await registry.apply(listed)
    assert registry.catalog.images["ghcr.io/acme/tools:1"].reference == "ghcr.io/acme/tools:1"
    await registry.apply(listed.model_copy(update={"api": Api(registries=("quay.io",))}))
    assert "ghcr.io/acme/tools:1" not in registry.catalog.images
