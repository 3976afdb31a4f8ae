"""Jobs have versions: the file is read again on SIGHUP, jobs come and go through the API."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.installation import ROOT, Installation, installation
from demo.watched import PATIENCE
from tests.changing import changing
from tests.forkserver import SERVER

HERE = Path(__file__).parent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that may be changed."""
    copy = tmp_path / "app.yaml"
    copy.write_text((HERE / "versions.yaml").read_text())
    return copy


@pytest.fixture
async def errand(tmp_path: Path, file: Path) -> AsyncIterator[Installation]:
    """A service with that file, running."""
    async with installation(tmp_path, config=file, sample=HERE / "repository") as made:
        made.on_event = print  # shown when a test fails
        yield made


def text(file: Path) -> str:
    """What stands in the file."""
    return file.read_text()


def write(file: Path, content: str) -> None:
    """Put it into the file."""
    file.write_text(content)


async def hang_up(errand: Installation) -> dict[str, Any]:
    """SIGHUP; gives what the log said came of it."""
    before = len(errand.events)
    os.kill(errand.pid, signal.SIGHUP)
    told = ("config.applied", "config.refused")
    return await errand.wait_for(
        lambda: next((each for each in errand.events[before:] if each.get("event") in told), None)
    )


async def finished(errand: Installation, number: int, token: str) -> dict[str, Any]:
    """The run as the API tells it, once it has ended."""
    await errand.wait_for(lambda: errand.has_logged("run.finished", number))
    run: dict[str, Any] = (await errand.get(f"/api/runs/{number}", token=token)).json()
    return run


async def test_file_is_read_again_while_a_run_goes_on(errand: Installation, file: Path) -> None:
    token, gate = await errand.token("ci"), errand.home / "gate"
    await errand.comment(f"/job run gated GATE={gate}")
    await errand.wait_for(lambda: errand.has_logged("run.running", 1) or None)
    async for line in errand.log_lines(1, token):
        if line == "ready":
            break
    good = text(file)
    with changing(file) as app:
        gated = app["jobs"]["gated"]
        gated["command"] = gated["command"].replace("first", "second")
        app["jobs"]["world"] = app["jobs"].pop("hello")
    assert (await hang_up(errand))["changed"] == ["gated", "world", "-hello"]

    write(file, good)
    with changing(file) as app:
        app["jobs"]["hello"] = {"image": "shp", "timeout": 0}
    mistakes = (await hang_up(errand))["mistakes"]
    assert len(mistakes) == 3
    assert any("there is no image shp; did you mean shop?" in each for each in mistakes)
    assert all(f"{file}:" in each for each in mistakes)

    gate.touch()
    first = await finished(errand, 1, token)
    assert (first["result"], first["version"]) == ("succeeded", 1)
    assert (await errand.get("/api/runs/1/logs", token=token)).text == "ready\nfirst\n"
    await errand.comment(f"/job run gated GATE={gate}\n/job rerun #1\n/job run world")
    assert [(await finished(errand, number, token))["version"] for number in (2, 3, 4)] == [2, 1, 1]
    assert (await errand.get("/api/runs/2/logs", token=token)).text == "ready\nsecond\n"
    assert (await errand.get("/api/runs/3/logs", token=token)).text == "ready\nfirst\n"
    assert "<dt>Version</dt><dd>2</dd>" in (await errand.get("/runs/2", token=token)).text


async def test_what_only_a_start_can_change_is_said(errand: Installation, file: Path) -> None:
    write(file, text(file) + "command: /do\nlimits: {runs: 3}\n")
    assert (await hang_up(errand))["changed"] == []
    kept = [each for each in errand.events if each.get("event") == "config.kept"]
    assert kept[0]["sections"] == ["command", "limits"]


async def test_restart_makes_no_new_version(errand: Installation) -> None:
    token = await errand.token("ci")
    await errand.stop()
    await errand.start()
    await errand.comment("/job run hello")
    assert (await finished(errand, 1, token))["version"] == 1


async def ask(
    errand: Installation, method: str, path: str, token: str, *, body: str | None = None, **headers: str
) -> httpx.Response:
    """One request to the API."""
    sent = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(base_url=errand.url, trust_env=False, timeout=PATIENCE) as client:
        return await client.request(method, path, content=body, headers=sent)


async def cli(errand: Installation, token: str, *arguments: str) -> tuple[int | None, str]:
    """The exit code of `errand ARGUMENTS` and all that it says."""
    command = [str(ROOT / "errand.py"), *arguments]
    environ = errand.environ | {"ERRAND_TOKEN": token}
    done = await asyncio.to_thread(SERVER.run, command, errand.home, environ, seconds=PATIENCE)
    return done.returncode, done.stdout + done.stderr


async def test_job_of_the_api_comes_changes_runs_and_goes_with_its_history(errand: Installation) -> None:
    admin = await errand.token("boss", "admin")
    reader, path = await errand.token("ci"), "/api/jobs/greet"
    first = json.dumps({"image": "shop", "command": "echo one", "description": "Say \N{WAVING HAND SIGN}"})
    assert (await ask(errand, "PUT", path, reader, body=first)).status_code == 403
    assert (await ask(errand, "PUT", path, "nobody", body=first)).status_code == 401
    assert (await ask(errand, "PUT", path, admin, body=first, if_match="*")).status_code == 412
    made = await ask(errand, "PUT", path, admin, body=first, if_none_match="*")
    assert (made.status_code, made.headers["etag"], made.json()["changed_by"]) == (201, '"1"', "token:boss")
    assert made.json()["definition"] == json.loads(first)
    again = await ask(errand, "PUT", path, admin, body=json.dumps(made.json()["definition"]))
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    await errand.comment("/job run greet")
    assert (await finished(errand, 1, admin))["version"] == 1

    second = first.replace("one", "two")
    assert (await ask(errand, "PUT", path, admin, body=second, if_match='"7"')).status_code == 412
    assert (await ask(errand, "PUT", path, admin, body=second, if_match='"1"')).headers["etag"] == '"2"'
    await errand.stop()
    await errand.start()
    await errand.comment("/job run greet")
    assert (await finished(errand, 2, admin))["version"] == 2
    names = [each["name"] for each in (await errand.get("/api/jobs", token=reader)).json()["jobs"]]
    assert names == ["gated", "greet", "hello"]

    assert (await ask(errand, "DELETE", "/api/runs/1", reader)).status_code == 403
    assert (await ask(errand, "DELETE", "/api/runs/1", admin)).status_code == 204
    assert (await errand.get("/api/runs/1", token=reader)).status_code == 404
    assert (await ask(errand, "DELETE", path, admin, if_match='"1"')).status_code == 412
    assert (await ask(errand, "DELETE", path, admin)).status_code == 204
    assert (await ask(errand, "DELETE", path, admin)).status_code == 404
    assert (await errand.get(path, token=reader)).status_code == 404
    assert (await errand.get("/api/runs", token=reader)).json()["runs"] == []
    assert not list((errand.home / "logs").glob("greet-*"))


async def test_job_of_the_file_is_read_only_and_one_that_runs_stays(errand: Installation) -> None:
    admin, gate = await errand.token("boss", "admin"), errand.home / "gate"
    body = json.dumps({"image": "shop", "command": f"until test -e {gate}; do sleep 0.05; done"})
    for method in ("PUT", "DELETE"):
        answer = await ask(errand, method, "/api/jobs/hello", admin, body=body)
        assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
        assert "configuration file" in answer.json()["detail"]
    assert (await ask(errand, "PUT", "/api/jobs/held", admin, body=body)).status_code == 201
    await errand.comment("/job run held")
    await errand.wait_for(lambda: errand.has_logged("run.running", 1) or None)
    for path in ("/api/jobs/held", "/api/runs/1"):
        answer = await ask(errand, "DELETE", path, admin)
        assert (answer.status_code, "cancel it first" in answer.json()["detail"]) == (409, True)
    gate.touch()
    assert (await finished(errand, 1, admin))["result"] == "succeeded"


async def test_apply_sends_what_stands_in_a_file(errand: Installation) -> None:
    admin = await errand.token("boss", "admin")
    several, single = errand.home / "jobs.yaml", errand.home / "job.json"
    write(several, "jobs:\n  one: {command: echo 1, timeout: 5m}\n  two: {command: echo 2}\n")
    write(single, json.dumps({"name": "one", "command": "echo other"}))
    assert await cli(errand, admin, "apply", "-f", str(several)) == (
        0,
        "one: created, version 1\ntwo: created, version 1\n",
    )
    assert (await cli(errand, admin, "apply", "-f", str(several)))[1].count("unchanged") == 2
    assert await cli(errand, admin, "apply", "-f", str(single)) == (0, "one: changed, version 2\n")
    write(
        several, "jobs:\n  one: {command: echo 1, timeout: 0}\n  hello: {command: x}\n  three: {command: x}\n"
    )
    code, said = await cli(errand, admin, "apply", "-f", str(several))
    assert code == 1
    assert f"{several}:2:35: jobs.one.timeout: expected a duration from 1s to 7d" in said
    assert f"{several}:3:3: jobs.hello: hello is defined in the configuration file" in said
    assert "three: created" in said
    assert (
        "one: unchanged" in (await cli(errand, "", "apply", "-f", str(single)))[1]
    )  # from its own directory
    bomb = "a: &a [x]\nb: [" + "*a, " * 101 + "]\n"
    for content, told in (
        ("jobs: [", "not YAML"),
        ("name: one\ncommand: x\ncommand: y\n", ":3:1: command: given twice; first in line 2"),
        ("jobs:\n  ../one: {command: x}\n", ":2:3: jobs.../one: expected a name of small letters"),
        ("name: One\ncommand: x\n", ":1:7: name: expected a name of small letters"),
        ("name: one\ncommand: \0\n", "control character U+0000"),
        (bomb, "more than 100 aliases"),
    ):
        write(several, content)
        code, said = await cli(errand, admin, "apply", "-f", str(several))
        assert (code, f"{several}:" in said, told in said) == (1, True, True), said


BAD = {
    '{"command": "true", "command": "false"}': ("#/command", "given twice"),
    '{"command": "true\\u0000"}': ("#/command", "NUL"),
    '{"command": "true", "timeout": 0}': ("#/timeout", "from 1s to 7d"),
    '{"command": "true", "keep": 0}': ("#/keep", "expected at least 1, not 0"),
    '{"command": "true", "retries": 11}': ("#/retries", "expected at most 10, not 11"),
    '{"command": "true", "schedule": {"cron": "* * *"}}': ("#/schedule/cron", "a schedule is five fields"),
    '{"command": "true", "parameters": {"PATH": {}, "A": {}}}': ("#/parameters/PATH", "choose another name"),
    '{"command": "true", "lock": "a/b"}': ("#/lock", "small letters, digits and -"),
    '{"command": "true", "on": ["push"]}': ("#/on", "needs one"),
    '{"command": "true", "env": {"X": {"secret": "github", "key": "private.key"}}}': (
        "#/env/X",
        "own secret",
    ),
    '{"command": "true", "env": {"a/b": "x"}}': ("#/env/a~1b", ""),
    '{"command": "true", "parameters": {"LD_PRELOAD": {}}}': ("#/parameters/LD_PRELOAD", "LD_PRELOAD"),
    '{"command": "true", "size": "huge"}': ("#/size", "no size huge"),
    '{"command": "true", "workdir": "${HOME}"}': ("#/workdir", "env only"),
    '{"command": "true", "env": {"X": "${GITHUB_PRIVATE_KEY}"}}': ("#/env/X", "installation's own"),
    '{"command": "true", "comand": 1, "retries": 99}': ("#/comand", "did you mean command?"),
    '{"command": "true", "grace": NaN}': ("#/grace", "finite"),
    '{"command": "true", "description": "\\ud83d"}': ("#/description", "half of a pair"),
    "[1]": ("#", "expected an object"),
    "{": ("#", "not JSON"),
    "[" * 5000: ("#", "nested"),
    '{"x": ' * 30 + "1" + "}" * 30: ("#", "levels deep"),
}


async def test_what_is_wrong_is_told_with_a_pointer_and_changes_nothing(errand: Installation) -> None:
    admin = await errand.token("boss", "admin")
    for body, (pointer, words) in BAD.items():
        answer = await ask(errand, "PUT", "/api/jobs/bad", admin, body=body)
        assert answer.status_code == 422, (body[:60], answer.text)
        errors = [(each["pointer"], each["detail"]) for each in answer.json()["errors"]]
        assert any(at == pointer and words in what for at, what in errors), (body[:60], errors)
    for name in ("UPPER", "142", "a" * 41, "a_b", "-a", "%00"):
        answer = await ask(errand, "PUT", f"/api/jobs/{name}", admin, body='{"command": "true"}')
        assert answer.status_code == 422, name
    large = json.dumps({"command": "x" * (1 << 20)})
    assert (await ask(errand, "PUT", "/api/jobs/bad", admin, body=large)).status_code == 413
    wrong = await ask(errand, "PUT", "/api/jobs/bad", admin, body="{}", content_type="text/plain")
    assert wrong.status_code == 415
    assert (await ask(errand, "PUT", "/api/jobs/bad", admin, body="{}", if_match="3")).status_code == 400
    assert (await errand.get("/api/jobs/bad", token=admin)).status_code == 404
