"""Pages over real HTTP: what they show."""

import asyncio
import html
import re
from functools import partial

import httpx
import pytest

from bot.store import attempts, builds, runs
from bot.tables import Build, Run
from executor.logs.logfile import LogWriter
from tests.webhooks.installation import LIMIT, NOW, Away, Events, Installation, client, here, lines, member
from webhooks.view import run_summary

__all__ = ["client", "here", "member"]


async def test_run_page_shows_the_run_and_its_log(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run(
        commit="f" * 40,
        ref="main",
        repository="acme/shop",
        parameters={"SINCE": "2024-01-01"},
        arguments=["-v"],
    )
    await here.log(run, b"\x1b[32mok\x1b[0m <b>\nlast")
    here.now += 75
    await here.finish(run, result="failed", exit_code=3, message="It said no.")

    page = (await client.get(here.link(run))).text

    for word in ("migrate", "#1", "Failed", "Asked by <b>octocat</b> in a comment", "ffffffffff", "main",
                 "acme/shop", "SINCE", "2024-01-01", "-v", "/job rerun #1", "1m 15s", "It said no.",
                 ">3<"):  # fmt: skip
        assert word in page
    assert '<span class="f2">ok</span> &lt;b&gt;' in page
    assert lines(page) == ["ok &lt;b&gt;", "last"]
    assert "data-events" not in page


async def test_page_shows_what_the_job_reported(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.store.write(lambda s: runs.advance(s, 1, owner="one", done=2, total=5))
    page = (await client.get(here.link(run))).text
    assert '<progress value="2" max="5"></progress> <code>▰▰▱▱▱ 2/5</code>' in page

    summary = (
        "# Rows\n\n1,200 of *them* <b>\n\n- a\n- `b`\n\n| n | m |\n|---|---|\n| 1 | <i> |\n\n"
        '[log](https://ci.example.com/?a="b) ![x](https://evil.example.com/x.png) [y](javascript:alert(1))\n'
    )
    await here.finish(run, outputs={"rows": "<1200>"}, summary=summary, progress=None)
    page = (await client.get(here.link(run))).text

    for part in (
        '<ul class="parameters outputs" aria-label="Outputs">',
        "<span>rows</span><code>&lt;1200&gt;</code>",
        "<h3>Rows</h3><p>1,200 of <em>them</em> &lt;b&gt;</p>",
        '<ul><li class="deep0">a</li><li class="deep0"><code>b</code></li></ul>',
        "<tr><th>n</th><th>m</th></tr></thead><tbody><tr><td>1</td><td>&lt;i&gt;</td></tr>",
        '<a href="https://evil.example.com/x.png" rel="nofollow noopener noreferrer">x</a>',
    ):
        assert part in page
    assert 'src="https' not in page
    assert 'href="javascript' not in page


async def test_everything_from_outside_is_escaped(here: Installation, client: httpx.AsyncClient) -> None:
    evil = '"><script>alert(1)</script>'
    run = await here.start_run(
        actor=f"github:{evil}", cause=evil, ref=evil, repository=evil, image=evil, commit=evil,
        parameters={evil: evil}, arguments=[evil],
    )  # fmt: skip
    await here.finish(run, message=evil, reason=evil)

    page = (await client.get(here.link(run))).text

    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 8


async def test_running_run_says_where_it_goes_on(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    here.writer(run).write(b"one\ntwo\nthr")

    page = (await client.get(here.link(run))).text

    assert 'data-cursor="8:3:"' in page
    assert 'data-events="/runs/1/events?expires=' in page
    assert lines(page) == ["one", "two", "thr"]


async def test_page_of_a_run_without_a_log_says_so(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    assert "Nothing is written yet." in (await client.get(here.link(run))).text
    await here.finish(run)
    assert "nothing was written, or it is no longer kept." in (await client.get(here.link(run))).text
    assert (await client.get(here.link(run, "/log"))).text == ""


async def test_overview_shows_jobs_and_what_ran(here: Installation, member: httpx.AsyncClient) -> None:
    await here.start_run()

    page = (await member.get("/")).text

    for word in (
        "migrate",
        '<a href="/jobs">2 jobs</a>',
        "Running",
        "/runs/1",
    ):
        assert word in page


async def test_history_is_paged(here: Installation, member: httpx.AsyncClient) -> None:
    for number in range(35):
        run = Run(key=str(number), name="", job="report", cause="push", actor="slack:U01", created_at=0.0)
        await here.store.write(partial(runs.enqueue, run=run, cards=[], now=NOW, nonce="abc"))

    first = (await member.get("/jobs/report")).text
    older = re.search(r'href="(/jobs/report\?before=\d+)"', first)
    assert older is not None
    second = (await member.get(older[1])).text

    shown = re.findall(r'href="/runs/(\d+)"', first) + re.findall(r'href="/runs/(\d+)"', second)
    assert shown == [str(number) for number in range(35, 0, -1)]
    assert (await member.get("/jobs/report?before=x")).status_code == 200
    assert (await member.get("/jobs/none")).status_code == 404


@pytest.mark.parametrize("number", ["0", "01", "-1", "x", "9" * 30, "1e3", "%00", "٣", "9223372036854775807"])
async def test_numbers_that_cannot_be_are_not_there(member: httpx.AsyncClient, number: str) -> None:
    for path in (f"/runs/{number}", f"/builds/{number}", f"/runs/{number}/log", f"/runs/{number}/events"):
        assert (await member.get(path)).status_code == 404


async def test_build_page_opens_from_a_link_to_its_run(here: Installation, client: httpx.AsyncClient) -> None:
    build = Build(
        key="", name="", image="shop", repository="acme/shop", commit="a" * 40, cause="push",
        actor="github:octocat", created_at=0.0,
    )  # fmt: skip
    stored = await here.store.write(lambda session: builds.need(session, build, now=NOW, nonce="abc"))
    await here.log(stored, b"compiling\n")
    run = Run(key="k", name="", job="migrate", cause="push", actor="github:octocat", created_at=0.0)
    run.build_number = stored.number
    waiting, _ = await here.store.write(lambda session: runs.enqueue(session, run, [], now=NOW, nonce="abc"))

    page = (await client.get(here.link(waiting))).text
    address = re.search(r'href="(/builds/1\?[^"]+)"', page)
    assert address is not None
    assert "compiling" in (await client.get(address[1].replace("&amp;", "&"))).text
    assert (await client.get("/builds/1")).status_code == 401


async def test_static_files_are_kept_for_good(here: Installation, client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    names = re.findall(r'"(/static/[^"]+)"', page)

    assert len(set(names)) >= 4
    for name in names:
        answer = await client.get(name)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/static/errand.css")).status_code == 404
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)


async def test_pages_say_when_the_database_is_away(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.store, "read", Away(here))

    answer = await client.get(here.link(run))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "does not answer" in answer.text


async def test_page_lists_attempts_and_shows_the_log_of_each(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run(definition={"retries": 2})
    await here.log(run, b"from the first\n")
    end = partial(attempts.end, number=run.identity, attempt=1, owner="one", now=here.now + 2, pause=1.0)
    await here.store.write(partial(end, result="failed", exit_code=3))
    paused = (await client.get(here.link(run))).text
    assert "attempt 2 of 3 to begin 1s after the one before" in paused
    assert "from the first" in paused
    later = here.now + 3
    await here.store.write(lambda s: runs.claim(s, owner="one", now=later, lease=60.0, limit=1))
    begin = partial(attempts.begin, number=run.identity, owner="one")
    assert await here.store.write(begin) is not None
    writer = LogWriter(here.logs.path(f"{run.name}.2"), LIMIT)
    writer.write(b"from the second\n")
    writer.finish()

    page = (await client.get(here.link(run))).text
    assert "attempt 2 of 3" in page
    assert "from the second" in page
    assert "from the first" not in page
    assert "exit 3" in page
    assert "tried again: <code>failed</code> is in <code>on</code>" in page
    (address,) = re.findall(r'<a href="(/runs/1[^"]+)">Attempt 1</a>', page)
    assert "attempt=1" in address
    earlier = (await client.get(address.replace("&amp;", "&"))).text
    assert "from the first" in earlier
    assert "Log of attempt 1" in earlier
    text = await client.get(here.link(run, "/log") + "&attempt=1")
    assert text.text == "from the first\n"
    assert (await client.get(here.link(run) + "&attempt=3")).status_code == 404
    assert (await client.get(here.link(run) + "&attempt=x")).status_code == 404
    await here.finish(run)
    events = await client.get(here.link(run, "/events") + "&attempt=1")
    assert "from the first" in events.text


async def test_lists_are_told_when_anything_changes(here: Installation, member: httpx.AsyncClient) -> None:
    async with member.stream("GET", "/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in response.headers
        events = Events(response)
        while here.store.changes.listeners == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        run = await here.start_run()
        assert await events.next("changed") == 1
    link = here.link(run).replace(f"/runs/{run.number}", "/events")
    member.headers.pop("authorization")
    assert (await member.get(link)).status_code == 401


async def test_log_has_a_name_to_be_kept_under(here: Installation, member: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.log(run, b"one\n")
    answer = await member.get(f"/runs/{run.number}/log")
    assert answer.headers["content-disposition"] == f'inline; filename="migrate-{run.number}.log"'
    assert f'download="migrate-{run.number}.log"' in (await member.get(f"/runs/{run.number}")).text


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../etc/x", "etc-x-7.log"), ('a"b\r\nc', "a-b-c-7.log"), ("größe", "gr-e-7.log"), ("…", "run-7.log")],
)
def test_name_of_a_log_is_one_of_a_file_and_no_more(name: str, kept: str) -> None:
    run = Run(key="k", name="n", job=name, cause="comment", actor="x", created_at=0.0, number=7)
    assert run_summary(run).file_name == kept


async def test_pages_are_compressed_where_no_secret_is_in_them(
    here: Installation, member: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"a line\n" * 200)
    static = re.findall(r'"(/static/[^"]+)"', (await member.get("/")).text)
    for path in ("/", "/jobs/migrate", f"/runs/{run.number}", "/api/", static[1]):
        plain = await member.get(path, headers={"accept-encoding": "identity, gzip;q=0"})
        packed = await member.get(path, headers={"accept-encoding": "br, gzip;q=0.5"})
        assert "content-encoding" not in plain.headers, path
        assert packed.headers["content-encoding"] == "gzip", path
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.text == plain.text, path
    assert "content-encoding" not in (await member.get(f"/runs/{run.number}/log")).headers
    member.headers.pop("authorization")
    for path in (here.link(run), "/"):  # a page whose own address is a secret; a form
        assert "content-encoding" not in (await member.get(path)).headers


async def test_tables_of_the_api_page_name_their_columns(member: httpx.AsyncClient) -> None:
    assert "<th></th>" not in (await member.get("/api/")).text


async def test_missing_pages_lead_home(member: httpx.AsyncClient) -> None:
    answer = await member.get("/jobs/none")
    assert (answer.status_code, answer.text.count('href="/"') > 1) == (404, True)


async def test_logs_of_sidecars_are_chosen_on_the_page(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    await here.log(run, b"of the job\n")
    assert 'aria-label="Logs"' not in (await client.get(here.link(run))).text
    LogWriter(here.logs.beside(run.name).path("mesh"), LIMIT).write(b"of the mesh\n")

    page = (await client.get(here.link(run))).text
    assert lines(page) == ["of the job"]
    link = html.unescape(re.findall(r'href="(/runs/1\?container=mesh&amp;[^"]+)"', page)[0])
    other = (await client.get(link)).text
    assert lines(other) == ["of the mesh"]
    assert "Log of mesh" in other
    assert 'data-events="/runs/1/events?container=mesh&amp;' in other

    whole = await client.get(link.replace("?", "/log?", 1))
    assert whole.text == "of the mesh\n"
    assert 'filename="migrate-1-mesh.log"' in whole.headers["content-disposition"]
    for wrong in ("job", "../1", "none"):
        assert (await client.get(f"{here.link(run)}&container={wrong}")).status_code == 404
