"""Windows of a log, what is found in it and where links lead, over real HTTP and without JavaScript."""

import html
import json
import os
import re

import httpx
import pytest

from bot.store import builds
from bot.tables import Build
from executor.logs import moments
from executor.logs.logfile import LogWriter
from tests.webhooks.installation import LIMIT, NOW, Installation, client, here, lines, member
from webhooks.pages.windows import CONTEXT, MOST_BYTES, MOST_LINES

__all__ = ["client", "here", "member"]

MANY = b"".join(b"line %d\n" % number for number in range(1, 3 * MOST_LINES + 1))


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-n="(\d+)"', page)]


def links(page: str) -> dict[str, str]:
    return {name: html.unescape(to) for to, name in re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', page)}


async def test_windows_lead_through_the_whole_log_and_miss_nothing(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, MANY)
    await here.finish(run)
    page = (await client.get(here.link(run))).text
    seen = numbers(page)
    while 'id="earlier" hidden' not in page:
        page = (await client.get(links(page)["Earlier lines"])).text
        seen = numbers(page) + seen
    assert seen == list(range(1, 3 * MOST_LINES + 1))
    forward = numbers(page)
    while 'id="later" hidden' not in page:
        page = (await client.get(links(page)["Later lines"])).text
        forward += numbers(page)
    assert forward == seen
    assert numbers((await client.get(links(page)["Beginning"])).text)[0] == 1


async def test_link_to_a_line_opens_the_page_around_it(here: Installation, member: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.log(run, MANY)
    page = (await member.get("/runs/1?line=120")).text
    assert numbers(page) == list(range(120 - CONTEXT, 120 - CONTEXT + MOST_LINES))
    assert lines(page)[CONTEXT] == "line 120"
    assert f'data-cursor="{len(MANY)}:1:"' in page  # what comes is no part of this window
    beyond = (await member.get("/runs/1?line=999999999")).text
    assert numbers(beyond)[-1] == 3 * MOST_LINES
    for wrong in ("0", "x", "-1", "9" * 40):
        assert numbers((await member.get(f"/runs/1?line={wrong}")).text)[-1] == 3 * MOST_LINES


async def test_line_that_is_longer_than_a_window_is_passed(
    here: Installation, member: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"one\n" + b"x" * (3 * MOST_BYTES) + b"\nthree\n")
    page = (await member.get("/runs/1?line=2")).text
    assert numbers(page) == [2] or numbers(page) == [1, 2]
    assert "the rest of this line is in the full text" in page
    after = (await member.get(links(page)["Later lines"])).text
    assert lines(after) == ["three"]
    before = (await member.get(links(after)["Earlier lines"])).text
    assert numbers(before) == [2]
    assert numbers((await member.get(links(before)["Earlier lines"])).text) == [1]


async def test_found_lines_are_links_that_keep_the_signature(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, MANY + b"<b>Needle</b>\n")
    await here.finish(run)
    page = (await client.get(f"{here.link(run, '/search')}&q=needle")).text
    assert "1 line has it." in page
    assert "<b>" not in page.split('class="matches"')[1]
    (address,) = re.findall(r'<li><a href="([^"]+)"', page)
    assert address.endswith(f"#L{3 * MOST_LINES + 1}")
    shown = (await client.get(html.unescape(address))).text
    assert lines(shown)[-1] == "&lt;b&gt;Needle&lt;/b&gt;"
    assert "No line has it." in (await client.get(f"{here.link(run, '/search')}&q=needle&case=1")).text
    assert (await client.get(here.link(run, "/search"))).status_code == 200
    further = (await client.get(f"{here.link(run, '/search')}&q=line")).text
    assert "200 lines so far." in further
    assert '<input type="hidden" name="after" value="200">' in further
    assert (await client.get("/runs/1/search?q=x")).status_code == 401


async def test_matches_come_as_lines_of_json_as_they_are_found(
    here: Installation, member: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"one\nnow \x1b[31mtwo\x1b[0m more\n")
    answer = await member.get("/runs/1/search?q=TWO", headers={"accept": "application/x-ndjson"})
    found, end = [json.loads(line) for line in answer.text.splitlines()]
    assert found == {
        "kind": "match", "line": 2, "offset": 4, "before": "now ", "hit": "two", "behind": " more",
    }  # fmt: skip
    assert end == {"kind": "end", "line": 4, "why": None}


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (b"0 errors\nno error here\nerrors: 0\n--fail-on-error\nok\nERROR: no space\n", 6),
        (b"fine\nTraceback (most recent call last):\n", 2),
        (b"x\n\x1b[31mValueError\x1b[0m: bad\n", 2),
        (b"::error file=a.py::broken\n", 1),
        (b"test_one FAILED\n", 1),
        (b"all is well\n", None),
    ],
)
async def test_first_error_is_one_click_away(
    here: Installation, member: httpx.AsyncClient, log: bytes, line: int | None
) -> None:
    run = await here.start_run()
    await here.log(run, log)
    answer = await member.get("/runs/1/first-error")
    if line is None:
        assert "No line of the log looks like an error." in answer.text
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/1?line={line}#L{line}")


async def test_log_of_a_sidecar_has_the_same_ways(here: Installation, member: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.log(run, b"of the job\n")
    LogWriter(here.logs.beside(run.name).path("mesh"), LIMIT).write(MANY + b"panic: mesh\n")
    page = (await member.get("/runs/1?container=mesh")).text
    assert links(page)["Earlier lines"].startswith("/runs/1?container=mesh&before=")
    error = (await member.get("/runs/1/first-error?container=mesh")).headers["location"]
    assert error == f"/runs/1?container=mesh&line={3 * MOST_LINES + 1}#L{3 * MOST_LINES + 1}"
    assert "1 line has it." in (await member.get("/runs/1/search?container=mesh&q=panic")).text


async def test_log_of_a_build_is_searched_too(here: Installation, member: httpx.AsyncClient) -> None:
    build = Build(
        key="", name="", image="shop", repository="acme/shop", commit="a" * 40, cause="push",
        actor="github:octocat", created_at=0.0,
    )  # fmt: skip
    stored = await here.store.write(lambda session: builds.need(session, build, now=NOW, nonce="abc"))
    await here.log(stored, MANY + b"error: no such package\n")
    last = 3 * MOST_LINES + 1
    assert links((await member.get("/builds/1")).text)["Earlier lines"] == f"/builds/1?before={last - 999}"
    assert "1 line has it." in (await member.get("/builds/1/search?q=package")).text
    there = (await member.get("/builds/1/first-error")).headers["location"]
    assert there == f"/builds/1?line={last}#L{last}"
    assert (await member.get("/builds/2/search?q=package")).status_code == 404


async def test_searches_are_counted_as_streams(here: Installation, member: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.log(run, b"one\n")
    here.site.streams.close()
    for path in ("/runs/1/search?q=one", "/runs/1/first-error"):
        assert (await member.get(path)).status_code == 503


async def test_times_of_lines_are_a_link_away_and_stay(here: Installation, member: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.log(run, MANY)
    await here.finish(run)
    page = (await member.get("/runs/1?line=120")).text
    assert "data-at=" not in page
    timed = (await member.get(links(page)["Times"])).text
    days = re.findall(
        r'<div id="L(\d+)" data-n="\1" data-day="\d{4}-\d\d-\d\d" data-at="\d\d:\d\d:\d\d\.\d{3}">', timed
    )
    assert [int(number) for number in days] == numbers(page)
    earlier = (await member.get(links(timed)["Later lines"])).text
    assert "data-at=" in earlier
    assert re.match(r"\d{4}-\d\d-\d\dT[0-9:.]{12}Z line 1\n", (await member.get(links(timed)["Text"])).text)
    assert "data-at=" not in (await member.get(links(timed)["Hide times"])).text


async def test_log_of_an_older_release_says_that_it_has_no_times(
    here: Installation, member: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"one\n")
    os.unlink(os.path.join(here.logs.path(run.name), moments.NAME))
    page = (await member.get("/runs/1?times=1")).text
    assert "No times are kept of this log." in page
    assert lines(page) == ["one"]
