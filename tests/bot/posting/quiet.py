"""Runs that begin and end by hand, and what their channel was told of them."""

from bot.states import State
from bot.store import posts, runs
from tests.bot.house import House


async def begun(home: House, job: str) -> int:
    """A run of `job` that somebody asked for in a pull request, and that has begun; its number."""
    home.now += 300
    await home.says(f"/job run {job}")
    (run,) = await home.write(lambda s: runs.claim(s, owner="one", now=home.now, lease=60.0, limit=10))
    number: int = run.identity
    for state in (State.STARTING, State.RUNNING):
        await home.write(lambda s, to=state: runs.move(s, number, to, owner="one", now=home.now))  # type: ignore[misc]
    return number


async def ended(home: House, number: int, result: str = "failed", **facts: object) -> None:
    """That run ends; the channel is told what there is to tell."""
    facts = {"exit_code": 1, **facts} if result == "failed" else facts
    home.now += 5
    await home.write(
        lambda s: runs.move(s, number, State.FINISHED, owner="one", now=home.now, result=result, **facts)  # type: ignore[arg-type]
    )
    await said(home)


async def happen(home: House, job: str, results: str) -> None:
    """Runs one after the other: `+` succeeds, `-` fails, `o` runs out of memory, `x` is cancelled."""
    for each in results:
        number = await begun(home, job)
        match each:
            case "+":
                await ended(home, number, "succeeded")
            case "o":
                await ended(home, number, reason="OOMKilled", exit_code=137)
            case "x":
                await ended(home, number, "cancelled")
            case _:
                await ended(home, number)


def texts(home: House) -> list[str]:
    """What the channel reads now, message by message, replies included."""
    return [message.text for message in home.slack.messages]


async def said(home: House, seconds: float = 0.0) -> None:
    """So many seconds later what is due then is said, and what that leads to."""
    home.now += seconds
    for _ in range(3):
        home.now += 1
        for post in await home.write(
            lambda s: posts.claim(s, owner="one", now=home.now, lease=60.0, limit=20)
        ):
            await home.bot.outbox.send(post)
