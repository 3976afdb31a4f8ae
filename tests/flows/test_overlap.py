"""Runs that exclude each other never overlap: real processes say when they begin and end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.installation import Installation, Where, installation
from tests.flows.test_commands import card, ours, prints

HERE = Path(__file__).parent


@pytest.fixture
def where() -> Where:
    """An installation whose jobs keep out of each other's way."""
    return Where(config=HERE / "overlap.yaml", sample=HERE / "repository")


def marks(errand: Installation, name: str = "marks") -> list[str]:
    """What the jobs said in this file, in order."""
    file = errand.home / name
    return file.read_text().splitlines() if file.exists() else []


def alone(lines: list[str]) -> bool:
    """Whether every beginning is followed by its own end."""
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return all(one == f"begin {two.removeprefix('end ')}" for one, two in pairs)


@pytest.fixture
async def on_either(tmp_path: Path, where: Where, database_url: str) -> AsyncIterator[Installation]:
    """The same, once with SQLite and once with PostgreSQL."""
    if not database_url.startswith("sqlite"):
        where["environ"] = {"ERRAND_DATABASE": database_url}
    async with installation(tmp_path, **where) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def test_fifty_requests_at_the_same_time_never_see_two_running(on_either: Installation) -> None:
    errand = on_either
    jobs = ["queued"] * 20 + ["migrate"] * 15 + ["deploy"] * 15
    files = {"queued": "own", "migrate": "shared", "deploy": "shared"}
    await asyncio.gather(
        *(
            errand.comment(f"/job run {job} MARKS={errand.home}/{files[job]} ID={n}")
            for n, job in enumerate(jobs)
        )
    )
    await errand.wait_for(lambda: errand.ended(range(1, 51)))
    for name, count in (("own", 20), ("shared", 30)):
        lines = marks(errand, name)
        assert len(lines) == 2 * count
        assert alone(lines)


async def test_fifty_requests_of_what_wants_to_be_alone_start_one(on_either: Installation) -> None:
    errand = on_either
    gate = errand.home / "gate"
    text = f"/job run alone MARKS={errand.home}/marks GATE={gate}"
    await asyncio.gather(*(errand.comment(text) for _ in range(50)))
    github = errand.beside.github
    await github.wait_for(lambda: sum("concurrency: forbid" in text for text in ours(errand)) == 49)
    gate.touch()
    await errand.wait_for(lambda: errand.ended([1]))
    assert marks(errand) == ["begin ", "end "]


async def test_newest_run_stops_the_one_before_and_then_starts(errand: Installation) -> None:
    common = f"MARKS={errand.home}/marks"
    await errand.comment(f"/job run newest {common} GATE={errand.home}/never ID=old")
    await prints(errand, 1, "begin old")
    await errand.comment(f"/job run newest {common} ID=new")
    await card(errand, "was cancelled", "42", "Replaced by")
    await errand.wait_for(lambda: errand.ended([1, 2]))
    assert marks(errand) == ["begin old", "end old", "begin new", "end new"]


async def test_replace_whose_image_cannot_be_built_leaves_the_one_before_alone(errand: Installation) -> None:
    gate = errand.home / "gate"
    common = f"MARKS={errand.home}/marks GATE={gate}"
    await errand.comment(f"/job run built {common} ID=old")
    await errand.wait_for(lambda: errand.has_logged("run.running", 1))
    await errand.commit({"setup.sh": "exit 3\n"}, branch="broken")
    await errand.comment(f"/job run built {common} ID=new --ref broken")
    await errand.wait_for(lambda: errand.has_logged("build.finished", 2))
    gate.touch()
    await errand.wait_for(lambda: errand.ended([1]))
    assert marks(errand) == ["begin old", "end old"]
    await card(errand, "BuildFailed")


async def test_so_many_of_a_queue_go_on_and_the_next_knows_its_place_everywhere(errand: Installation) -> None:
    gate, token = errand.home / "gate", await errand.token("ci", "admin")
    text = f"/job run regions MARKS={errand.home}/marks GATE={gate}"
    for number, region in enumerate(["eu", "eu", "us"], 1):
        await errand.comment(f"{text} REGION={region}")
        await errand.wait_for(lambda number=number: errand.has_logged("run.running", number))  # type: ignore[misc]
    await errand.comment(f"{text} REGION=eu")
    await card(errand, "is waiting for", "or another to end", "place 1 in the queue")
    run = (await errand.get("/api/runs/4", token=token)).json()
    assert (run["waiting_kind"], run["queue"]["name"], run["queue"]["place"]) == ("ahead", "REGION=eu", 1)
    await errand.comment("/job plan regions MARKS=x REGION=eu")
    await card(errand, "it would wait for", "or another to end", "REGION")
    await errand.comment("/job plan regions MARKS=x REGION=us")
    await card(errand, "nothing is in its way")
    gate.touch()
    await errand.wait_for(lambda: errand.ended([1, 2, 3, 4]))


async def test_job_with_two_locks_waits_for_both_of_them(errand: Installation) -> None:
    gate = errand.home / "gate"
    await errand.comment(f"/job run deploy MARKS={errand.home}/marks GATE={gate} ID=one")
    await errand.wait_for(lambda: errand.has_logged("run.running", 1))
    await errand.comment(f"/job run both MARKS={errand.home}/marks ID=two")
    await card(errand, "both", "is waiting for the lock prod", "held by deploy")
    await errand.comment("/job lock db --everyone")
    await card(errand, "is locked")
    await card(errand, "both", "is waiting for the lock db", "closed by octocat")
    gate.touch()
    await errand.wait_for(lambda: errand.ended([1]))
    await errand.comment("/job unlock db")
    await errand.wait_for(lambda: errand.ended([2]))
    assert marks(errand) == ["begin one", "end one", "begin two", "end two"]


async def test_card_and_api_say_which_rule_gave_another_attempt_or_denied_it(errand: Installation) -> None:
    token = await errand.token("ci", "admin")
    for code in (75, 2, 3):
        await errand.comment(f"/job run tried MARKS=x ID={code}")
    await errand.wait_for(lambda: errand.ended([1, 2, 3]))
    runs = [(await errand.get(f"/api/runs/{number}", token=token)).json() for number in (1, 2, 3)]
    told = {
        run["parameters"]["ID"]: [(each["retry"]["kind"], each["retry"]["rule"]) for each in run["attempts"]]
        for run in runs
    }
    assert told == {
        "75": [("on", "exit: 75"), ("on", "exit: 75"), ("last", "exit: 75")],
        "2": [("never", "exit: 2")],
        "3": [("unlisted", "failed")],
    }
    await card(errand, "with exit code 2", "not tried again: `exit: 2` is in never")
    page = (await errand.get("/jobs/tried/definition", token=token)).text
    assert "up to 3 attempts, another after exit: 75, never after exit: 2" in page


async def test_killed_bot_leaves_no_gate_closed(errand: Installation) -> None:
    gate = errand.home / "gate"
    text = f"/job run queued MARKS={errand.home}/marks GATE={gate}"
    await errand.comment(f"{text} ID=one")
    await errand.wait_for(lambda: errand.has_logged("run.running", 1))  # comments are decided side by side
    await errand.comment(f"{text} ID=two")
    await card(errand, "queued", "to end", "place 1 in the queue")
    await errand.kill()
    await errand.start()
    gate.touch()
    await errand.wait_for(lambda: errand.ended([1, 2]))
    assert marks(errand) == ["begin one", "end one", "begin two", "end two"]


async def test_lock_of_a_person_holds_back_until_its_time(errand: Installation) -> None:
    await errand.comment('/job lock prod "moving the database" for 4s --everyone')
    await card(errand, "is locked until")
    await errand.comment(f"/job run deploy MARKS={errand.home}/marks")
    await card(errand, "is waiting for the lock prod", "closed by octocat", "moving the database")
    assert marks(errand) == []
    await errand.wait_for(lambda: errand.ended([1]))


async def test_lock_of_a_person_holds_back_until_unlocked(errand: Installation) -> None:
    await errand.comment("/job lock prod --everyone")
    await card(errand, "is locked")
    await errand.comment(f"/job run deploy MARKS={errand.home}/marks")
    await card(errand, "is waiting for the lock prod")
    await errand.comment("/job unlock prod")
    await errand.wait_for(lambda: errand.ended([1]))
