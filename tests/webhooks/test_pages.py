"""Pages over real HTTP: what they show, and the stream that goes on where it was."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot import links
from bot.errors import RetryLater
from bot.runs import State
from bot.store import Session, Store, attempts, builds, runs, tokens
from bot.tables import Build, Run
from executor.logfile import LogWriter
from executor.logs import LogStore
from executor.spec import Secret
from webhooks import live, streams
from webhooks.access import new_token, token_hash
from webhooks.site import Site

KEYS = links.derive([Secret("s3cret")])
NOW = 1_700_000_000.0
LIMIT = 64 * 2**20


class Installation:
    """The pages on a loopback port, and hands to make things happen."""

    def __init__(self, store: Store, logs: LogStore) -> None:
        self.store = store
        self.logs = logs
        self.now = NOW
        jobs = {"migrate": "Apply the database migrations", "report": ""}
        self.site = Site(store, logs, KEYS, "http://127.0.0.1", lambda: self.now, jobs)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        app = Starlette(routes=self.site.routes())
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        self.serving: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start_run(self, **values: object) -> Run:
        run = Run(
            key=f"k{values}", name="", job="migrate", cause="comment", actor="github:octocat", created_at=0.0
        )
        for name, value in values.items():
            setattr(run, name, value)
        stored, _ = await self.store.write(
            lambda session: runs.enqueue(session, run, [], now=self.now, nonce="abc")
        )
        await self.store.write(
            lambda session: runs.claim(session, owner="one", now=self.now, lease=60.0, limit=10)
        )
        await self.move(stored, State.STARTING)
        return await self.move(stored, State.RUNNING)

    async def move(self, run: Run, to: State, **facts: object) -> Run:
        moved = await self.store.write(
            lambda session: runs.move(session, run.identity, to, owner="one", now=self.now, **facts)  # type: ignore[arg-type]
        )
        assert moved is not None
        return moved

    async def finish(self, run: Run, **facts: object) -> Run:
        return await self.move(run, State.FINISHED, **{"result": "succeeded", "exit_code": 0, **facts})

    def writer(self, run: Run | Build) -> LogWriter:
        return LogWriter(self.logs.path(run.name), LIMIT)

    async def log(self, run: Run | Build, data: bytes) -> None:
        writer = self.writer(run)
        writer.write(data)
        writer.finish()
        self.logs.wake(run.name)

    def link(self, run: Run, beneath: str = "") -> str:
        path = f"/runs/{run.number}"
        return f"{path}{beneath}?{links.sign(path, expires=int(self.now) + 600, keys=KEYS)}"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    async with await Store.open(f"sqlite:///{tmp_path / 'errand.db'}", owner="one") as store:
        installation = Installation(store, LogStore(tmp_path / "logs", LIMIT))
        installation.serving = asyncio.ensure_future(installation.server.serve([installation.socket]))
        yield installation
        installation.site.streams.close()
        installation.server.should_exit = True
        await installation.serving


@pytest.fixture
async def client(here: Installation) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=here.address, timeout=10) as client:
        yield client


@pytest.fixture
async def member(here: Installation, client: httpx.AsyncClient) -> httpx.AsyncClient:
    text = new_token()
    await here.store.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=NOW))
    client.headers["authorization"] = f"Bearer {text}"
    return client


class Events:
    """A reader of server-sent events that keeps the last id, as browsers do."""

    def __init__(self, response: httpx.Response) -> None:
        self._blocks = self._read(response.aiter_text())
        self.last_id = ""

    async def _read(self, texts: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
        left = ""
        async for text in texts:
            left += text
            while "\n\n" in left:
                block, _, left = left.partition("\n\n")
                yield dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))

    async def next(self, name: str) -> dict[str, Any]:
        """The data of the next event of this name; `end` is an event as well."""
        async with asyncio.timeout(10):
            async for block in self._blocks:
                self.last_id = block.get("id", self.last_id)
                if block.get("event") == name:
                    data: dict[str, Any] = json.loads(block["data"])
                    return data
        raise AssertionError(f"the stream ended without {name}")

    async def shown(self) -> str:
        """All lines until the end, with what was open last."""
        done, rest = "", ""
        async with asyncio.timeout(10):
            async for block in self._blocks:
                self.last_id = block.get("id", self.last_id)
                if block.get("event") == "log":
                    data = json.loads(block["data"])
                    done, rest = done + data["done"], data["open"]
        return done + rest


def lines(html: str) -> list[str]:
    """The text of the log's lines, without its markup."""
    found = re.findall(r'<div id="L(\d+)" data-n="\1">(.*?)\n</div>', html, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", text) for _, text in found]


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

    for word in ("migrate", "#1", "Failed", "octocat on GitHub", "in a pull request", "ffffffffff", "main",
                 "acme/shop", "SINCE", "2024-01-01", "-v", "/job rerun #1", "1 m 15 s", "It said no.",
                 ">3<"):  # fmt: skip
        assert word in page
    assert '<span class="f2">ok</span> &lt;b&gt;' in page
    assert lines(page) == ["ok &lt;b&gt;", "last"]
    assert "data-events" not in page


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
    assert "Nothing was written." in (await client.get(here.link(run))).text
    assert (await client.get(here.link(run, "/log"))).text == ""


async def test_overview_shows_jobs_and_what_ran(here: Installation, member: httpx.AsyncClient) -> None:
    await here.start_run()

    page = (await member.get("/")).text

    for word in (
        "migrate",
        "Apply the database migrations",
        "report",
        "has not run yet",
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


async def test_stream_tells_log_states_and_the_end(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    writer = here.writer(run)
    async with client.stream("GET", here.link(run, "/events")) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        assert "Running" in (await events.next("state"))["head"]
        writer.write(b"\x1b[31mone\ntw")
        here.logs.wake(run.name)
        data = await events.next("log")
        assert lines(data["done"]) == ["one"]
        assert lines(data["open"]) == ["tw"]
        assert events.last_id == "9:2:38;5;1"

        writer.write(b"o\n")
        writer.finish()
        here.logs.wake(run.name)
        assert lines((await events.next("log"))["done"]) == ["two"]
        await here.finish(run)
        assert "Succeeded" in (await events.next("state"))["head"]
        await events.next("end")
    await nobody_listens(here)


async def nobody_listens(here: Installation) -> None:
    async with asyncio.timeout(10):
        await here.site.streams.drained()
    assert here.store.changes.listeners == 0


async def test_stream_goes_on_without_a_lost_or_doubled_byte(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    writer = here.writer(run)
    whole, last_id, at = b"", "", 0
    done = ""
    for piece in (b"a\x1b[1mb\nc", b"d\xe2\x82", b"\xac\nlast", b" line\x1b[0m\n", b"end"):
        headers = {"last-event-id": last_id} if last_id else {}
        writer.write(piece)
        here.logs.wake(run.name)
        whole += piece
        at += len(piece)
        async with client.stream("GET", here.link(run, "/events"), headers=headers) as response:
            events = Events(response)
            data = await events.next("log")
            assert data["size"] == at
            done, last_id = done + data["done"], events.last_id
    writer.finish()
    await here.finish(run)

    page = (await client.get(here.link(run))).text

    assert done + data["open"] in page
    assert lines(done + data["open"]) == ["ab", "cd€", "last line", "end"]


async def test_stream_of_a_finished_run_tells_all_and_ends(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"x" * 100_000 + b"\nlast\n")
    await here.finish(run)

    async with client.stream("GET", here.link(run, "/events")) as response:
        assert lines(await Events(response).shown())[1:] == ["last"]


async def test_stream_of_a_log_that_nobody_ended_ends_with_its_run(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOG_END_S", 0.05)
    run = await here.start_run()
    here.writer(run).write(b"one\ntwo")

    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("log")
        await here.finish(run, result="error", reason="SupervisorLost")
        assert lines(await events.shown()) == ["one", "two"] or events.last_id == "4:2:"


async def test_stream_starts_before_there_is_a_log(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()

    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("state")
        await here.log(run, b"late\n")
        assert lines((await events.next("log"))["done"]) == ["late"]


@pytest.mark.parametrize("point", ["x", "-1", "1:0:", "1:1:;<b>", "9" * 40, "1:1:1:1", "1:2:" + "1" * 99])
async def test_stream_refuses_what_is_no_event_id(
    here: Installation, client: httpx.AsyncClient, point: str
) -> None:
    run = await here.start_run()

    answer = await client.get(here.link(run, "/events"), headers={"last-event-id": point})

    assert answer.status_code == 400


async def test_quiet_stream_beats_and_ends_with_the_right_to_see(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    run = await here.start_run()

    async with client.stream("GET", here.link(run, "/events")) as response:
        texts = response.aiter_text()
        seen = ""
        async with asyncio.timeout(10):
            while ": still here\n\n" not in seen:
                seen += await anext(texts)
            here.now += 601
            async for text in texts:
                seen += text
    assert "event: end" not in seen


async def test_streams_are_counted_and_bounded(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here.site.streams, "_most_per_visitor", 2)
    run = await here.start_run()
    address = here.link(run, "/events")

    async with client.stream("GET", address) as one, client.stream("GET", address) as two:
        readers = Events(one), Events(two)  # a reader that is let go would end its stream
        for reader in readers:
            await reader.next("state")
        third = await client.get(address)
        assert (third.status_code, third.headers["retry-after"]) == (503, "5")
        assert (await client.get(here.link(run))).status_code == 200
    await nobody_listens(here)
    async with client.stream("GET", address) as again:
        assert again.status_code == 200


async def test_client_that_does_not_read_is_let_go(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SLOW_CLIENT_S", 0.1)
    run = await here.start_run()
    await here.log(run, b"x" * 30 * 2**20)
    host, port = here.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(f"GET {here.link(run, '/log')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    assert here.site.streams.open == 1

    await nobody_listens(here)

    writer.transport.abort()


async def test_shutdown_is_not_held_up_by_streams(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("state")

        here.site.streams.close()

        assert await events.shown() == ""
    assert (await client.get(here.link(run, "/events"))).status_code == 503
    here.server.should_exit = True
    async with asyncio.timeout(10):
        await here.serving


async def test_head_of_a_stream_does_not_go_on(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()

    assert (await client.head(here.link(run, "/events"))).status_code == 200
    assert (await client.head(here.link(run, "/log"))).headers["content-type"].startswith("text/plain")


async def test_static_files_are_kept_for_good(here: Installation, client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    names = re.findall(r'"(/static/[^"]+)"', page)

    assert len(set(names)) == 3
    for name in names:
        answer = await client.get(name)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/static/errand.css")).status_code == 404
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)


class Away:
    """Takes the place of a store's `read` for some calls, as a database that is away for a moment."""

    def __init__(self, here: Installation, *, after: int = 0, calls: int = 10**6) -> None:
        self._read = here.store.read
        self._away = range(after, after + calls)
        self._calls = 0

    async def __call__(self, work: Callable[[Session], object]) -> object:
        self._calls += 1
        if self._calls - 1 in self._away:
            raise RetryLater("The database does not take it now")
        return await self._read(work)


async def test_pages_say_when_the_database_is_away(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.store, "read", Away(here))

    answer = await client.get(here.link(run))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "does not answer" in answer.text


async def test_stream_outlives_a_moment_without_the_database(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.store, "read", Away(here, after=2, calls=1))
    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("state")

        here.store.changes.publish(run)
        await here.log(run, b"last\n")
        await here.finish(run)

        await events.next("end")


async def test_stream_that_begins_without_the_database_ends(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.store, "read", Away(here, after=1))

    async with client.stream("GET", here.link(run, "/events")) as response:
        assert await Events(response).shown() == ""


async def test_log_that_cannot_be_read_ends_its_stream(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise OSError("input/output error")

    run = await here.start_run()
    monkeypatch.setattr(here.logs, "read", broken)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)

    async with client.stream("GET", here.link(run, "/events")) as response:
        with pytest.raises(httpx.RemoteProtocolError):
            await Events(response).shown()
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(here.link(run, "/log"))
    await nobody_listens(here)


async def test_downloads_are_bounded_as_well(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.site.streams, "_most", 0)

    assert (await client.get(here.link(run, "/log"))).status_code == 503


async def test_page_lists_attempts_and_shows_the_log_of_each(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run(definition={"retries": 2})
    await here.log(run, b"from the first\n")
    end = partial(attempts.end, number=run.identity, attempt=1, owner="one", now=here.now + 2, again=True)
    await here.store.write(partial(end, result="failed", exit_code=3))
    writer = LogWriter(here.logs.path(f"{run.name}.2"), LIMIT)
    writer.write(b"from the second\n")
    writer.finish()

    page = (await client.get(here.link(run))).text
    assert "attempt 2 of 3" in page
    assert "from the second" in page
    assert "from the first" not in page
    assert "exit 3" in page
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
