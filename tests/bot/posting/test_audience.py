"""What everybody reads opens nothing: the place decides when something is posted, not the run alone."""

import json

from sqlalchemy import update

from bot.messages.reasons import message
from bot.posting import audience, targets
from bot.posting.audience import Audience, outward
from bot.store import posts
from bot.tables import Run
from executor.logs.logfile import LogWriter
from tests.bot.house import HEAD, SHOP, House

SECRET_LINE = "customer 4711 owes 12"


async def send(home: House) -> None:
    home.now += 3600
    claimed = await home.write(lambda s: posts.claim(s, owner="one", now=home.now, lease=60.0, limit=20))
    for post in claimed:
        await home.bot.outbox.send(post)


def set_private(home: House, *, private: bool) -> None:
    known = home.github.state.repository(SHOP)
    assert known is not None
    known.private = private


async def end(home: House, *, public: bool) -> None:
    values = {"state": "finished", "result": "failed", "finished_at": home.now, "tail": [SECRET_LINE]}
    await home.write(lambda s: s.execute(update(Run).values(public=public, **values)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))


def said_on_github(home: House) -> str:
    checks = [str(check) for check in home.github.checks]
    return json.dumps(
        [*(each.body for each in home.github.comments[1:]), *checks, *map(str, home.github.statuses)]
    )


async def test_run_from_when_the_repository_was_private_ends_without_a_signature_or_lines(
    home: House,
) -> None:
    set_private(home, private=True)
    status = targets.commit(SHOP, HEAD, app=False, now=home.now, nonce="1" * 16)
    await home.says("/job run deploy SECRETIVE=hush")
    await home.write(lambda s: posts.add_cards(s, [status], run=1))
    set_private(home, private=False)
    await end(home, public=False)
    await send(home)
    said = said_on_github(home)
    assert "/runs/1" in said
    assert [hidden for hidden in ("signature=", SECRET_LINE, "hush") if hidden in said] == [], said
    assert home.github.statuses


async def test_private_repository_gets_signed_links_and_last_lines(home: House) -> None:
    set_private(home, private=True)
    await home.says("/job run check")
    await end(home, public=True)  # and also of a run from when it was public
    await send(home)
    said = said_on_github(home)
    assert "signature=" in said
    assert SECRET_LINE in said


async def test_public_pull_request_is_told_no_links_and_lines_of_runs_of_no_repository(home: House) -> None:
    set_private(home, private=False)
    await home.says("/job run plain")
    values = {"repository": None, "public": False, "parameters": {"WHO": "hush"}, "tail": [SECRET_LINE]}
    await home.write(lambda s: s.execute(update(Run).values(values)))
    run = await home.run(1)
    log = LogWriter(home.tools.logs.path(run.name), 1 << 20)
    log.write(SECRET_LINE.encode() + b"\n")
    log.close()
    for command in ("status #1", "logs #1"):
        (text,) = await home.says(f"/job {command}")
        assert "/runs/1)" in text, command
        assert not any(hidden in text for hidden in ("signature=", SECRET_LINE, "hush")), command
    assert "after a login" in text


async def test_plan_in_public_is_not_compared_with_a_private_run(home: House) -> None:
    set_private(home, private=False)
    await home.says("/job run deploy SECRETIVE=hush")
    await home.write(lambda s: s.execute(update(Run).values(public=False, started_at=home.now)))
    (text,) = await home.says("/job plan deploy SECRETIVE=x")
    assert "hush" not in text
    assert "not compared here" in text


async def test_answer_that_was_written_for_a_private_repository_is_not_posted_on_a_public_one(
    home: House,
) -> None:
    place, now = targets.PullPlace(SHOP, 7), home.now
    reply = targets.comment_reply("k", place, "words", public=False, now=now, nonce="n" * 16)
    set_private(home, private=False)
    await home.write(lambda s: posts.add(s, [reply]))
    await send(home)
    (post,) = await home.posts()
    assert (post.state, home.github.comments) == ("failed", [])


async def test_channel_that_another_organisation_reads_gets_no_signature(home: House) -> None:
    shared = next(each for each in home.slack.channels if each.name == "ops")
    await home.types("run deploy SECRETIVE=hush")
    await end(home, public=False)
    shared.shared = True
    await send(home)
    told = json.dumps([message.blocks for message in home.slack.messages if message.channel == shared.id])
    assert "/runs/1" in told
    assert not any(hidden in told for hidden in ("signature=", SECRET_LINE, "hush"))


async def test_without_the_scope_to_look_a_channel_counts_as_the_teams_own(home: House) -> None:
    home.slack.scopes.discard("channels:read")
    assert home.tools.slack is not None
    assert not await Audience(lambda: 0.0).reads_channel(home.tools.slack, home.slack.channels[0].id)


async def test_github_is_asked_once_a_minute_and_what_it_refuses_counts_as_public(home: House) -> None:
    now = 0.0
    reads = Audience(lambda: now)
    github = home.bot.host.required
    set_private(home, private=True)
    assert not await reads.reads_repository(github, SHOP)
    set_private(home, private=False)
    assert not await reads.reads_repository(github, SHOP.upper())
    now = audience.KEPT_SECONDS
    assert await reads.reads_repository(github, SHOP)
    assert await reads.reads_repository(github, "acme/unheard-of")


def test_what_is_public_is_told_as_it_is() -> None:
    run = Run(key="k", name="n", job="j", cause="c", actor="a", created_at=0, public=True, tail=["x"])
    assert outward(run) is run


def test_build_that_ended_a_private_run_is_not_told() -> None:
    run = Run(key="k", name="n", job="j", cause="c", actor="a", created_at=0, public=False)
    run.reason, run.reason_on = "BuildFailed", {"build": 3, "image": "hush", "result": "failed"}
    assert (message(run), message(outward(run))) == ("Build #3 of hush failed.", None)


def test_run_that_replaced_a_private_one_is_not_told() -> None:
    run = Run(key="k", name="n", job="j", cause="c", actor="a", created_at=0, public=False)
    run.state, run.result, run.stop_by = "finished", "cancelled", "run:7"
    assert (message(run), message(outward(run))) == ("Replaced by #7.", None)
