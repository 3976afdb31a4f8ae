"""Logs that are more than a page shows, or than fits into one event."""

import re

import httpx

from executor.logs.logfile import LogWriter
from tests.webhooks.installation import Installation, client, here, lines, member
from webhooks.pages.windows import MOST_BYTES, MOST_LINES

__all__ = ["client", "here", "member"]


async def test_long_log_shows_its_end_and_links_the_whole(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    whole = b"".join(b"line %d of many\n" % number for number in range(1, 60_001))
    await here.log(run, whole)
    await here.finish(run)

    page = (await client.get(here.link(run))).text

    assert len(whole) > 2 * MOST_BYTES
    assert lines(page)[-1] == "line 60000 of many"
    number = re.search(r'<div id="L(\d+)"', page)
    assert number is not None
    assert lines(page)[0] == f"line {number[1]} of many"
    assert "Earlier lines" in page
    assert (await client.get(here.link(run, "/log"))).content == whole


async def test_log_that_lost_its_middle_is_shown_with_its_end(
    here: Installation, member: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    writer = LogWriter(here.logs.path(run.name), 2**20)
    for number in range(200_000):
        writer.write(b"line %d\n" % number)
    writer.finish()
    await here.finish(run)

    page = (await member.get(f"/runs/{run.number}")).text

    assert lines(page)[-1] == "line 199999"
    whole = (await member.get(f"/runs/{run.number}/log")).text
    assert "bytes left out" in whole
    assert whole.endswith("line 199999\n")


async def test_page_shows_no_more_lines_than_it_keeps_of_a_live_log(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"".join(b"%d\n" % number for number in range(1, MOST_LINES + 6)))
    await here.finish(run)

    shown = lines((await client.get(here.link(run))).text)

    assert (len(shown), shown[0], shown[-1]) == (MOST_LINES, "6", str(MOST_LINES + 5))


async def test_stream_of_a_fast_log_comes_in_small_events(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"y\n" * 60_000)
    await here.finish(run)

    async with client.stream("GET", here.link(run, "/events")) as response:
        blocks = (await response.aread()).decode().split("\n\n")

    told = [block for block in blocks if "event: log" in block]
    assert sum(block.count("data-n=") for block in told) == 60_000
    assert max(map(len, told)) < 1_000_000
