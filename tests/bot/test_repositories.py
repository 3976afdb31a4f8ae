"""Repositories by their number: who takes a name gets no rights, and who is renamed keeps them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.access.callers import of_token
from bot.access.repository_pins import Identity
from bot.errors import NotAllowed
from bot.handlers.start import StartRequest
from bot.repositories import KEPT, Stranger
from bot.store import builds, runs
from bot.tables import Build, Delivery, Run
from demo import payloads
from demo.entities import number_of
from demo.github import Repository
from tests.bot.house import HEAD, SHOP, SITE, House, house, merged
from tests.bot.posting.test_outbox import claim

EVERY = {"github": {"repositories": ["acme/*"]}}
STORE, TOPIC = "acme/store", "c" * 40
BOSS = of_token("boss", frozenset({"admin"}))


async def newest(home: House) -> Run | None:
    return await home.store.read(lambda s: runs.latest(s))


async def built(home: House, number: int) -> Build | None:
    return await home.store.read(lambda s: builds.get(s, number))


def taken(home: House, name: str = SHOP) -> Repository:
    """Another repository under a name, whose owner may do everything there."""
    made = home.github.add_repository(name, refs={"main": "e" * 40, "feature": "f" * 40}, private=True)
    home.github.add_person(name, "octocat", "admin")
    home.github.add_pull(name, 7, "d" * 40, "topic")
    return made


async def seen(home: House, name: str = SHOP) -> None:
    """A delivery by which the name is pinned."""
    await home.says("/job list", repository=name)


async def settled(home: House, event: str, payload: dict[str, Any]) -> Delivery:
    delivery = await home.deliver(event, json.dumps(payload).encode())
    await home.bot.deliveries.handle(delivery)
    return await home.delivery(delivery)


# Taken over -------------------------------------------------------------------------------------------


async def test_who_takes_a_deleted_name_is_refused_and_told_nothing_more(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    other = taken(home)
    delivery = await home.comment("/job run check")
    await home.bot.deliveries.handle(delivery)
    assert await newest(home) is None
    *_, reply = [post for post in await home.posts() if post.kind == "github_comment"]
    assert reply.place["repository"] == f"#{other.id}"
    assert "Jobs of `acme/shop` are not run here." in (reply.text or "")
    assert str(number_of(SHOP)) not in (reply.text or "")
    for post in await claim(home):
        await home.bot.outbox.send(post)
    assert [each.repository for each in home.github.comments if "not run here" in each.body] == [SHOP]
    note = (await home.delivery(delivery)).note or ""
    assert f"acme/shop had the number {number_of(SHOP)}" in note
    assert note.endswith("errand repositories forget acme/shop")


async def test_push_of_who_took_a_name_builds_nothing(home: House) -> None:
    await home.push(HEAD)
    assert await built(home, 1) is not None
    home.github.remove(SHOP)
    taken(home)
    await home.push("e" * 40)
    assert await built(home, 2) is None


async def test_operator_is_told_once_of_each_number(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    other = taken(home)
    with capture_logs() as lines:
        for _ in range(3):
            await home.says("/job list")
    told = [line for line in lines if line["event"] == "repository.taken"]
    assert [line["number"] for line in told] == [other.id]
    assert told[0]["accept"] == "errand repositories forget acme/shop"


async def test_outsider_in_a_taken_repository_gets_no_answer(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    taken(home)
    before = len(await home.posts())
    assert await home.says("/job run check", author="octocat", association="NONE") == []
    assert len(await home.posts()) == before


async def test_slack_and_api_do_not_ask_who_took_the_name(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    taken(home)
    asked = len(home.github.requests)
    (reply,) = await home.types("run check")
    assert "needs write access" in reply
    with pytest.raises(NotAllowed, match="any more"):
        await home.bot.calls.start(BOSS, "check", StartRequest(ref="feature"))
    assert await newest(home) is None
    assert not [each for each in home.github.requests[asked:] if "/shop" in each.path]


async def test_right_of_who_took_the_name_opens_no_old_run(home: House) -> None:
    """What needs no commit, such as the log, is asked of the number, too."""
    await home.says("/job run check")
    home.github.remove(SHOP)
    taken(home)
    (reply,) = await home.types("logs #1")
    assert "needs write access" in reply


async def test_forgotten_name_is_the_next_ones(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    taken(home)
    await home.says("/job run check")
    assert await home.tools.repositories.forget("Acme/Shop", by="token:local")
    await home.says("/job run check")
    run = await newest(home)
    assert run is not None
    assert run.commit == "d" * 40
    assert not await home.tools.repositories.forget("acme/none", by="token:local")


async def test_owner_whose_name_was_taken_gets_no_rights_by_a_pattern(tmp_path: Path) -> None:
    async with house(tmp_path, changes=EVERY) as home:
        await seen(home)
        made = taken(home, "acme/new")
        payload = payloads.issue_comment("acme/new", 7, 1, "octocat", "/job run plain", number=made.id)
        payload["repository"]["owner"]["id"] = 666
        delivery = await settled(home, "issue_comment", payload)
        assert await newest(home) is None
        assert (delivery.note or "").endswith("errand repositories forget acme")
        assert await home.says("/job list", repository="acme/new")  # of the owner who has always been it


async def test_delivery_without_a_number_is_nobodys_once_it_is_known(home: House) -> None:
    payload = payloads.push(SHOP, HEAD, private=True)
    del payload["repository"]["id"]
    assert (await settled(home, "push", payload)).state == "handled"
    await seen(home)
    payload["before"] = "1" * 40
    delivery = await settled(home, "push", payload)
    assert (delivery.state, "does not say the number" in (delivery.note or "")) == ("ignored", True)


async def test_of_two_numbers_that_come_at_once_one_is_pinned(home: House) -> None:
    """Whoever is later is refused, though it looked before the other one stored."""
    admit = home.tools.repositories.admit
    both = [admit(Identity(SHOP, number), door="delivery") for number in (1, 2)]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert {type(each) for each in found} == {str, Stranger}
    pinned = await home.tools.repositories.known(SHOP)
    assert pinned is not None
    home.now += KEPT + 1
    with pytest.raises(Stranger):
        await admit(Identity("ACME/shop", 2 if pinned.number == 1 else 1), door="delivery")


# Renamed ------------------------------------------------------------------------------------------------


async def test_renamed_repository_goes_on_as_app_yaml_names_it(home: House) -> None:
    await seen(home)
    home.github.rename(SHOP, STORE)
    with capture_logs() as lines:
        for _ in range(2):
            await home.says("/job run check", repository=STORE)
        await home.push(HEAD, repository=STORE)
    run, build = await newest(home), await built(home, 2)
    assert run is not None
    assert (run.repository, run.commit) == ("Acme/Shop", TOPIC)
    assert build is not None
    assert (build.repository, build.commit) == ("Acme/Shop", HEAD)
    (line,) = [line for line in lines if line["event"] == "repository.renamed"]
    assert line["why"] == "write acme/store for Acme/Shop in app.yaml"


async def test_old_name_of_a_renamed_repository_is_of_no_use_to_who_takes_it(home: House) -> None:
    """The old one goes on under its new name meanwhile."""
    await seen(home)
    home.github.rename(SHOP, STORE)
    taken(home)
    home.github.add_person(STORE, "octocat", "read")
    await home.says("/job run check")
    assert await newest(home) is None
    (reply,) = await home.types("run check")
    assert "needs write access" in reply
    home.github.add_person(STORE, "octocat", "write")
    await home.says("/job run check", repository=STORE)
    run = await newest(home)
    assert run is not None
    assert run.commit == TOPIC


async def test_pull_request_from_the_old_name_is_no_fork(home: House) -> None:
    await seen(home)
    home.github.rename(SHOP, STORE)
    assert home.github.state.repositories[STORE].pulls[7].head_repository == SHOP
    await home.says("/job run check", repository=STORE)
    run = await newest(home)
    assert run is not None
    assert (run.ref, run.commit) == ("topic", TOPIC)


async def test_fork_that_has_the_old_name_is_one(home: House) -> None:
    """The name that is written in app.yaml does not make it the repository's own."""
    await seen(home)
    home.github.rename(SHOP, STORE)
    taken(home)
    home.github.add_pull(STORE, 7, "d" * 40, "topic", head_repository=SHOP)
    (reply,) = await home.says("/job run check", repository=STORE)
    assert "code of a fork" in reply
    assert await newest(home) is None


async def test_transferred_repository_goes_on(home: House) -> None:
    await seen(home)
    home.github.rename(SHOP, "umbrella/shop")
    home.github.install("umbrella")
    await home.says("/job run check", repository="umbrella/shop")
    run = await newest(home)
    assert run is not None
    assert run.repository == "Acme/Shop"


async def test_repository_that_was_renamed_before_anything_came_is_found(home: House) -> None:
    """GitHub leads from the old name to the number."""
    home.github.rename(SHOP, STORE)
    called = await home.bot.calls.start(BOSS, "check", StartRequest())
    assert called.run.commit == HEAD
    assert {each.status for each in home.github.requests} >= {301, 200}
    taken(home)
    called = await home.bot.calls.start(BOSS, "check", StartRequest())
    assert called.run.commit == HEAD


async def test_two_repositories_that_changed_names_stay_who_they_were(home: House) -> None:
    await seen(home)
    await seen(home, SITE)
    for old, new in ((SHOP, "acme/x"), (SITE, SHOP), ("acme/x", SITE)):
        home.github.rename(old, new)
    await home.says("/job run check", repository=SITE)
    run = await newest(home)
    assert run is not None
    assert (run.repository, run.commit) == ("Acme/Shop", TOPIC)


async def test_history_follows_to_the_name_that_app_yaml_has_now(home: House) -> None:
    await home.says("/job run check")
    home.github.rename(SHOP, STORE)
    await home.says("/job list", repository=STORE)
    file = home.home / "app.yaml"
    moved = {"images": {"shop": {"build": {"repository": STORE}}}}
    file.write_text(json.dumps(merged(json.loads(file.read_text()), moved)))
    await home.reread()
    await home.says("/job rerun #1", repository=STORE)
    run = await newest(home)
    assert run is not None
    assert (run.number, run.repository) == (2, STORE)
    assert (await home.run(1)).repository == STORE


async def test_name_is_pinned_without_regard_to_case(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    other = taken(home)
    payload = payloads.issue_comment("ACME/SHOP", 7, 1, "octocat", "/job run check", number=other.id)
    assert (await settled(home, "issue_comment", payload)).state == "ignored"


async def test_history_of_a_repository_that_only_a_pattern_names_goes_with_it(tmp_path: Path) -> None:
    """Who takes the old name and is let in must not find it there."""

    async with house(tmp_path, changes=EVERY) as home:
        taken(home, "acme/tools")
        await home.says("/job run plain", repository="acme/tools")
        home.github.rename("acme/tools", "acme/utils")
        await home.says("/job run plain", repository="acme/utils")
        assert [(await home.run(number)).repository for number in (1, 2)] == ["acme/utils"] * 2


@pytest.mark.parametrize("name", [STORE, "umbrella/shop"])
async def test_github_tells_of_a_new_name_at_once(home: House, name: str) -> None:
    """Also of a repository that nothing came from yet."""
    with capture_logs() as lines:
        delivery = await settled(home, "repository", payloads.moved(name, SHOP))
    assert delivery.note == f"Acme/Shop is called {name} now"
    assert [line["event"] for line in lines if line["event"].startswith("repository.")] == [
        "repository.pinned"
    ]
    known = await home.tools.repositories.known(SHOP)
    assert known is not None
    assert (known.number, known.name) == (number_of(SHOP), name)


async def test_news_of_a_name_that_is_another_ones_changes_nothing(home: House) -> None:
    await seen(home)
    payload = payloads.moved(STORE, SHOP, number=17)
    assert (await settled(home, "repository", payload)).state == "ignored"
    known = await home.tools.repositories.known(SHOP)
    assert known is not None
    assert known.number == number_of(SHOP)
    payload["action"] = "archived"
    assert (await settled(home, "repository", payload)).state == "ignored"


async def test_code_is_fetched_by_the_name_of_today(home: House) -> None:
    await seen(home)
    home.github.rename(SHOP, STORE)
    await home.says("/job run check", repository=STORE)
    url, token = await home.bot.host.required.clone("Acme/Shop")
    assert url.endswith("/acme/store.git")
    known = token and home.github.state.tokens[token.reveal()].repositories
    assert known == {STORE}


async def test_who_asks_costs_no_more_calls_than_before(home: House) -> None:
    await seen(home)
    before = len(home.github.requests)
    await home.says("/job run check")
    paths = [each.path for each in home.github.requests[before:]]
    assert [path.rpartition("/")[2] for path in paths] == ["permission", "7", "activity"]
    assert all(path.startswith(f"/repositories/{number_of(SHOP)}/") for path in paths)


async def test_head_of_a_schedule_is_asked_for_by_number(home: House) -> None:
    await seen(home)
    home.github.remove(SHOP)
    taken(home)
    starting = home.bot.resolver
    image = home.tools.registry.catalog.images["shop"]
    with pytest.raises(NotAllowed, match="any more"):
        await starting.head(image, "Acme/Shop")
