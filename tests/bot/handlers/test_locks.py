"""People lock and unlock targets that there are, for a reason and a time, where they may run things."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.callers import of_token
from bot.commands import parser
from bot.handlers.start import StartRequest
from bot.messages import waiting_for, waits
from bot.messages.reasons import message
from bot.store import admission, journal, leases, locks
from bot.tables import Lock, Run
from demo import payloads
from tests.bot.happening import built, happens, of
from tests.bot.house import SITE, House, house

JOBS = """
  ship: {image: shop, command: "true", lock: prod, concurrency: queue}
  alone: {command: "true", concurrency: forbid}
  newest: {command: "true", concurrency: replace}
  queued: {command: "true", concurrency: queue}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose jobs keep out of each other's way."""
    async with house(tmp_path, jobs=JOBS, changes={"pages": {"admins": ["github:octocat"]}}) as made:
        yield made


async def lock(home: House, target: str) -> Lock | None:
    return await home.store.read(lambda s: locks.get(s, target, now=home.now))


async def test_locked_job_waits_and_its_card_says_who_locked_it_and_why(home: House) -> None:
    (reply,) = await home.says('/job lock alone "moving house" for 2h')
    assert "`alone` is locked until" in reply
    home.github.add_person("acme/shop", "ada", "write")
    await home.says("/job run alone", author="ada")
    run = await home.run(1)
    assert not run.admitted
    for words in ("the lock alone", "closed by octocat for all others until", "moving house"):
        assert words in (waiting_for(run) or "")
    (reply,) = await home.says("/job status #1")
    assert "is waiting for the lock alone" in reply


async def test_unlock_lets_go_on_what_waited(home: House) -> None:
    await home.says("/job lock alone --everyone\n/job run alone")
    assert not (await home.run(1)).admitted
    (reply,) = await home.says("/job unlock alone")
    assert "`alone` is open again" in reply
    run = await home.run(1)
    assert (run.admitted, run.waiting_for) == (True, None)
    (reply,) = await home.says("/job unlock alone")
    assert "`alone` is not locked" in reply


async def test_lock_ends_at_its_time(home: House) -> None:
    await home.says("/job lock prod for 30m")
    assert await lock(home, "prod") is not None
    home.now += 1801
    assert await lock(home, "prod") is None
    (reply,) = await home.says("/job unlock prod")
    assert "is not locked" in reply


async def test_lock_of_somebody_else_is_opened_first(home: House) -> None:
    home.github.add_person("acme/shop", "hubot", "write")
    await home.says('/job lock prod "a *sale*" for 1h')
    (reply,) = await home.says("/job lock prod", author="hubot")
    assert "is locked by `octocat` until" in reply
    assert r"a \*sale\*" in reply
    assert "`/job unlock prod`" in reply
    (reply,) = await home.says("/job unlock prod\n/job lock prod", author="hubot")
    held = await lock(home, "prod")
    assert held is not None
    assert (held.actor, held.reason, held.until) == ("github:hubot", None, None)


async def test_own_lock_is_changed_by_locking_again(home: House) -> None:
    await home.says("/job lock prod for 1h")
    await home.says('/job lock prod "longer" for 2h')
    held = await lock(home, "prod")
    assert held is not None
    assert held.reason == "longer"
    assert held.until == home.now + 7200


async def test_only_what_there_is_can_be_locked(home: House) -> None:
    (reply,) = await home.says("/job lock prd\n/job lock ../x\n/job lock prod " + "x" * 201)
    for words in ("nothing called `prd`", "Did you mean `prod`?", "is no name", "may have 200 characters"):
        assert words in reply
    assert await lock(home, "prod") is None


async def test_locking_takes_what_running_takes(home: House) -> None:
    (reply,) = await home.says("/job lock prod", author="reader")
    assert "write access" in reply
    assert await lock(home, "prod") is None


async def test_public_place_locks_its_own_only(home: House) -> None:
    (reply,) = await home.says("/job lock prod\n/job lock publish", repository=SITE)
    assert "nothing called `prod`" in reply
    assert "`publish` is locked" in reply


async def test_slack_user_locks_what_they_may_run(home: House) -> None:
    (reply,) = await home.types("lock prod for 1h")
    assert "`prod` is locked" in reply
    (reply,) = await home.types("lock alone")
    assert "ask in a pull request" in reply
    home.github.add_person("acme/shop", "octocat", "read")
    (reply,) = await home.types("unlock prod")
    assert "write access" in reply


async def test_target_that_no_job_names_any_more_can_still_be_opened(home: House) -> None:
    old = Lock(target="old", actor="github:octocat", created_at=home.now)
    await home.write(lambda s: locks.add(s, old, now=home.now))
    (reply,) = await home.says("/job unlock old")
    assert "open again" in reply


async def test_forbidden_run_is_refused_with_the_one_in_the_way(home: House) -> None:
    (reply,) = await home.says("/job run alone\n/job run alone")
    for words in ("`alone` is not started", "#1 is waiting", "`octocat`", "`concurrency: forbid`"):
        assert words in reply
    await home.says("/job cancel alone\n/job run alone")
    assert (await home.run(2)).admitted


async def test_delivery_that_was_decided_is_not_decided_again(home: House) -> None:
    delivery = await home.comment("/job run alone")
    await home._handled(delivery)
    told = await home.posts()
    with pytest.raises(leases.LeaseLost):
        await home._handled(delivery)
    assert await home.posts() == told
    assert (await home.run(1)).admitted


async def test_newer_run_replaces_what_waits(home: House) -> None:
    await home.says("/job run newest\n/job run newest")
    first, second = await home.run(1), await home.run(2)
    assert (first.result, message(first)) == ("cancelled", "Replaced by #2.")
    assert second.admitted


# Locks of one person, of everything, and of a pull request ----------------------------------------------


async def test_who_locked_for_others_goes_on_and_others_wait(home: House) -> None:
    home.github.add_person("acme/shop", "ada", "write")
    (reply,) = await home.says("/job lock prod")
    assert "so does what you ask for yourself, and everything else waits, also what starts by itself" in reply
    await home.says("/job run ship", author="ada")
    await home.says("/job run ship")
    await built(home)
    assert [(await home.run(number)).admitted for number in (1, 2)] == [False, True]
    await home.says("/job unlock prod")
    assert "held by ship #2" in (waiting_for(await home.run(1)) or "")
    await home.says("/job cancel #2")
    assert (await home.run(1)).admitted


async def test_what_starts_by_itself_waits_whoever_stands_behind_it_and_everyone_means_the_owner(
    home: House,
) -> None:
    (reply,) = await home.says("/job lock alone")
    assert "so does what you ask for yourself" in reply
    for key, cause, actor, goes in (
        ("1", "comment", "github:Octocat", True),
        ("2", "slack", "slack:octocat", True),
        ("3", "page", "github:octocat", True),
        ("4", "push", "github:octocat", False),
        ("5", "chain", "github:octocat", False),
        ("6", "schedule", "schedule", False),
        ("7", "hook", "hook:alone/ci", False),
        ("8", "api", "token:Octocat", False),
    ):
        draft = Run(key=key, name="", job="alone", cause=cause, actor=actor, created_at=0.0)
        why = await home.store.read(lambda s, draft=draft: admission.waits_for(s, draft, now=home.now))  # type: ignore[misc]
        assert (why is None) is goes, key
        if key == "4":
            assert why is not None
            assert waits.words(why).endswith(", which holds for what starts by itself")
    for command in ("plan", "why"):
        (reply,) = await home.says(f"/job {command} alone")
        assert "the lock `alone` is yours: what you ask for goes on, others wait" in reply
    (reply,) = await home.says("/job lock alone --everyone")
    assert "nothing else starts, your own runs neither" in reply
    (reply,) = await home.says("/job plan alone")
    assert "would wait for the lock alone\\, closed by octocat for everybody" in reply
    assert "is yours" not in reply


async def test_token_owns_what_it_locks(home: House) -> None:
    ci, other = of_token("CI", frozenset({"run:alone"})), of_token("ci", frozenset({"run:alone"}))
    await home.bot.calls.start(ci, "alone", StartRequest())
    await home.bot.queries.lock(ci, parser.Lock("alone"))
    assert (await home.run(1)).admitted  # it was not taken back
    await home.says("/job cancel #1")
    await home.bot.calls.start(other, "alone", StartRequest())
    assert not (await home.run(2)).admitted
    closed = await lock(home, "alone")
    assert closed is not None
    assert closed.person == "token:CI"


async def test_lock_of_before_keeps_everybody_back(home: House) -> None:
    old = Lock(target="alone", actor="github:octocat", created_at=home.now)
    await home.write(lambda s: locks.add(s, old, now=home.now))
    await home.says("/job run alone")
    assert "closed by octocat for everybody" in (waiting_for(await home.run(1)) or "")


async def test_owner_does_not_wait_for_what_the_lock_keeps_back(home: House) -> None:
    home.github.add_person("acme/shop", "ada", "write")
    await home.says("/job lock queued")
    await home.says("/job run queued", author="ada")
    await home.says("/job run queued")
    assert [(await home.run(number)).admitted for number in (1, 2)] == [False, True]
    await home.says("/job run queued")  # which waits for one's own
    assert not (await home.run(3)).admitted
    await home.says("/job cancel #2")
    assert [(await home.run(number)).admitted for number in (1, 3)] == [False, True]


async def test_closing_for_others_takes_back_only_what_is_theirs(home: House) -> None:
    home.github.add_person("acme/shop", "ada", "write")
    await home.says("/job run alone", author="ada")
    await home.says("/job run newest")
    assert [(await home.run(number)).admitted for number in (1, 2)] == [True, True]
    await home.says("/job lock --global")
    assert [(await home.run(number)).admitted for number in (1, 2)] == [False, True]


async def test_everything_is_locked_and_opened_at_once(home: House) -> None:
    (reply,) = await home.says('/job lock --global "fire" for 1h --everyone')
    assert "Everything is locked until" in reply
    assert "`/job unlock --global`" in reply
    await home.says("/job run alone\n/job run newest")
    for number in (1, 2):
        run = await home.run(number)
        assert not run.admitted
        assert "the lock of everything, closed by octocat for everybody" in (waiting_for(run) or "")
    (standing,) = await home.store.read(lambda s: locks.standing(s, now=home.now))
    assert (standing.target, standing.waiting) == ("*", 2)
    (reply,) = await home.says("/job unlock --global")
    assert "Everything is open again" in reply
    assert [(await home.run(number)).admitted for number in (1, 2)] == [True, True]
    (reply,) = await home.says("/job unlock --global")
    assert "Everything is not locked" in reply
    (reply,) = await home.says("/job lock --global", author="reader")
    assert "Sorry" in reply


async def test_lock_ends_with_its_pull_request(home: House) -> None:
    (reply,) = await home.says('/job lock prod "mine" until merged --everyone')
    assert "until #7 is merged or closed" in reply
    await home.says("/job run ship")
    await built(home)
    assert not (await home.run(1)).admitted
    for number, is_closed in ((8, False), (7, True)):
        payload = payloads.pull_request("acme/shop", number, "c" * 40, "topic", action="closed", private=True)
        payload["repository"]["id"] = of(home)["number"]
        await happens(home, "pull_request", payload)
        assert (await lock(home, "prod") is None) is is_closed
    assert (await home.run(1)).admitted
    (entry, *_) = await home.store.read(lambda s: list(journal.newest(s, limit=1)))
    assert (entry.kind, entry.subject, entry.rule) == ("lock.opened", "lock:prod", "until merged")


async def test_until_merged_is_for_pull_requests(home: House) -> None:
    (reply,) = await home.types("lock check until merged")
    assert "in the pull request that is meant" in reply
    (reply,) = await home.says("/job lock prod until tomorrow")
    assert "until merged" in reply


async def test_who_locked_hears_once_that_somebody_waits(tmp_path: Path) -> None:
    jobs = 'quiet: {command: "true"}\ntold: {command: "true", notify: {slack: "#ops"}}'
    async with house(tmp_path, jobs=jobs) as home:
        home.github.add_person("acme/shop", "ada", "write")
        await home.says("/job lock told\n/job lock quiet until merged")
        await home.says("/job run told\n/job run quiet")  # one's own
        for job in ("told", "told", "quiet", "quiet"):
            await home.says(f"/job run {job}", author="ada")
        words = [post for post in await home.posts() if "waits for your lock" in (post.text or "")]
        assert [(post.kind, post.place.get("user")) for post in words] == [
            ("slack_ephemeral", "U0OCTOCAT"),
            ("github_comment", None),
        ]
        assert words[0].text == "`told` #3, asked by `ada`, waits for your lock `told`."
        assert (words[1].text or "").startswith("@octocat: `quiet` #5")
