"""The GitHub Action, run by its own steps in bash as a runner would, against a served Errand."""

import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from demo.installation import Installation, Where
from tests.flows.api.runner import METADATA, Runner

HERE = Path(__file__).parent


@pytest.fixture
def where() -> Where:
    return Where(config=HERE / "actions.yaml", sample=HERE.parent / "repository")


Made = Callable[..., Runner]


@pytest.fixture
def runner(errand: Installation, tmp_path: Path) -> Made:
    """Makes a runner of a job that may ask for tokens with these claims, unless a token is given."""

    def make(job: str, claims: dict[str, Any] | None = None, **inputs: str) -> Runner:
        environ = {} if "token" in inputs else errand.beside.github.actions.grant(**(claims or {}))
        given = {
            "url": errand.url,
            "job": job,
            **{name.replace("_", "-"): text for name, text in inputs.items()},
        }
        return Runner(tmp_path / "runner", given, environ)

    return make


def _left(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.name.startswith("errand.")]


async def _run(errand: Installation, number: str) -> dict[str, Any]:
    token = await errand.token(f"look-{number}")
    answer = await errand.get(f"/api/runs/{number}", token=token)
    found: dict[str, Any] = answer.json()
    return found


async def test_job_that_succeeds(errand: Installation, runner: Made) -> None:
    step = await runner("hello", parameters='NAME=Ada "Lovelace" \\ $(id) äö\n').run()
    assert step.code == 0
    assert 'Hello, Ada "Lovelace" \\ $(id) äö' in step.text
    assert step.errors == []
    assert step.outputs == {
        "run": "1",
        "log-url": f"{errand.url}/runs/1",
        "result": "succeeded",
        "exit-code": "0",
        "outputs": "{}",
    }
    assert f"[run \\#1]({errand.url}/runs/1) succeeded" in step.summary
    run = await _run(errand, "1")
    assert (run["actor"], run["cause"]) == ("actions:acme/shop@refs/heads/main", "actions")


async def test_nothing_secret_is_shown_and_nothing_is_left(errand: Installation, runner: Made) -> None:
    here = runner("noisy")
    step = await here.run()
    (token,) = set(step.masked)
    assert token.count(".") == 2
    assert token not in step.text
    assert token not in step.summary
    assert _left(here.home) == []


async def test_job_that_fails_fails_the_step_with_its_exit_code(runner: Made) -> None:
    step = await runner("exit", parameters="CODE=17").run()
    assert (step.code, step.outputs["result"], step.outputs["exit-code"]) == (17, "failed", "17")
    assert step.errors == ["Run #1 of exit: failed, exit code 17"]
    assert "about to exit" in step.lines


async def test_summary_shows_the_end_of_a_log_that_failed_as_plain_text(runner: Made) -> None:
    step = await runner("noisy").run()
    assert step.code == 5
    assert "line 29 of &lt;b&gt;29&lt;/b&gt; `x`" in step.summary
    assert "line 9 of" not in step.summary
    assert "<b>" not in step.summary


async def test_job_that_is_tried_again_shows_the_logs_of_all_attempts(runner: Made, tmp_path: Path) -> None:
    step = await runner("again", parameters=f"MARKS={tmp_path / 'marks'}").run()
    assert (step.code, step.outputs["result"]) == (0, "succeeded")
    assert [line for line in step.lines if "number" in line] == ["this is number 1", "this is number 2"]


async def test_workflow_commands_in_a_log_are_only_text(runner: Made) -> None:
    step = await runner("commands").run()
    assert step.code == 0
    assert {name for name, _ in step.commands} == {"add-mask"}
    assert "hello" not in step.masked
    assert {"::error::made up", "::abc::", "##[error]made up"} <= set(step.lines)


async def test_step_that_does_not_wait_only_starts(
    runner: Made, errand: Installation, tmp_path: Path
) -> None:
    step = await runner("wait", parameters=f"GATE={tmp_path / 'gate'}", wait="false").run()
    assert (step.code, step.outputs) == (0, {"run": "1", "log-url": f"{errand.url}/runs/1"})
    assert "was started" in step.summary
    (tmp_path / "gate").touch()
    await errand.wait_for(lambda: errand.ended([1]))


async def test_run_that_takes_too_long_is_cancelled(
    runner: Made, errand: Installation, tmp_path: Path
) -> None:
    step = await runner("wait", parameters=f"GATE={tmp_path / 'gate'}", timeout="4s").run()
    assert (step.code, step.outputs["exit-code"]) == (124, "124")
    assert step.errors == ["The run did not end within 4s."]
    await errand.wait_for(lambda: errand.ended([1]))
    assert (await _run(errand, "1"))["result"] == "cancelled"


async def test_cancelled_workflow_cancels_the_run(runner: Made, errand: Installation, tmp_path: Path) -> None:
    here = runner("wait", parameters=f"GATE={tmp_path / 'gate'}")
    await here.start()
    await here.wait_for(lambda step: "started" in step.lines)
    here.cancel()
    step = await here.end(7.5)
    assert (step.code, step.outputs["result"]) == (130, "cancelled")
    assert step.errors == ["The workflow was cancelled."]
    await errand.wait_for(lambda: errand.ended([1]))
    run = await _run(errand, "1")
    assert (run["result"], run["exit_code"]) == ("cancelled", 42)
    assert _left(here.home) == []


async def test_run_whose_start_was_under_way_is_cancelled_too(
    runner: Made, errand: Installation, tmp_path: Path
) -> None:
    os.kill(errand.pid, signal.SIGSTOP)
    try:
        here = runner("wait", parameters=f"GATE={tmp_path / 'gate'}")
        await here.start()
        await here.wait_for(lambda step: step.masked)  # the next thing is the start
        here.cancel()
        here.cancel(signal.SIGTERM)
    finally:
        os.kill(errand.pid, signal.SIGCONT)
    step = await here.end()
    assert step.code == 130
    if "run" in step.outputs:
        assert (step.outputs["run"], step.outputs["result"]) == ("1", "cancelled")
        async for _ in errand.log_lines(1, await errand.token("follow")):
            pass
        assert (await _run(errand, "1"))["result"] == "cancelled"


async def test_service_that_is_away_at_first_is_asked_again(runner: Made, errand: Installation) -> None:
    await errand.stop()
    here = runner("hello")
    await here.start()
    await here.wait_for(lambda step: step.masked)
    await errand.start()
    step = await here.end()
    assert (step.code, step.outputs["run"]) == (0, "1")


async def test_workflow_that_no_rule_names_is_refused(runner: Made, errand: Installation) -> None:
    step = await runner("hello", {"ref": "refs/heads/other"}).run()
    assert step.code == 1
    (error,) = step.errors
    assert "No rule in `allow` of this job lets actions:acme/shop@refs/heads/other start it" in error
    assert "run" not in step.outputs
    for job in ("closed", "production", "missing"):
        assert (await runner(job).run()).code == 1
    assert not any(event.get("event") == "run.started" for event in errand.events)


async def test_environment_lets_in_what_the_ref_does_not(runner: Made) -> None:
    claims = {"ref": "refs/tags/v1", "environment": "production", "repository": "acme/web"}
    assert (await runner("production", claims).run()).code == 0


async def test_token_serves_where_github_gives_none(runner: Made, errand: Installation) -> None:
    admin = await errand.token("admin", "admin")
    async with httpx.AsyncClient(base_url=errand.url, trust_env=False) as client:
        answer = await client.post(
            "/api/tokens",
            json={"name": "deploys", "scopes": ["run:hello"]},
            headers={"Authorization": f"Bearer {admin}"},
        )
    token = answer.json()["token"]
    step = await runner("hello", token=token).run()
    assert (step.code, step.outputs["result"]) == (0, "succeeded")
    assert step.masked == [token]
    assert (await _run(errand, "1"))["actor"] == "token:deploys"


async def test_job_without_the_permission_is_told_what_to_do(runner: Made) -> None:
    step = await runner("hello", token="").run()
    assert step.code == 1
    assert "id-token: write" in step.errors[0]


async def test_server_that_is_not_there_is_told(errand: Installation, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        inputs = {"url": url, "job": "hello", "timeout": "3s"}
        step = await Runner(tmp_path / "r", inputs, errand.beside.github.actions.grant()).run()
    assert step.code == 1
    assert f"Errand cannot be reached at {url}" in step.errors[0]


async def test_github_that_gives_no_token_is_told(runner: Made, errand: Installation) -> None:
    errand.beside.github.fail("idtoken", 500, times=100)
    step = await runner("hello", timeout="3s").run()
    assert (step.code, step.outputs) == (1, {})
    assert "GitHub gave no token" in step.errors[0]


async def test_service_that_restarts_costs_no_line_and_no_second_run(
    runner: Made, errand: Installation, tmp_path: Path
) -> None:
    marks, gate = tmp_path / "marks", tmp_path / "gate"
    here = runner("wait", parameters=f"GATE={gate}\nMARKS={marks}")
    await here.start()
    await here.wait_for(lambda step: "started" in step.lines)
    await errand.stop()
    await errand.start()
    gate.touch()
    step = await here.end()
    assert (step.code, step.outputs["run"]) == (0, "1")
    assert [line for line in step.lines if line in ("started", "done")] == ["started", "done"]
    assert marks.read_text() == "started\n"


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({"url": "ftp://errand.example.com"}, "url: expected"),
        ({"url": 'https://errand.example.com/x" -o /tmp/x'}, "url: expected"),
        ({"job": "../runs"}, "job: expected"),
        ({"parameters": "no equals sign"}, "parameters: expected KEY=VALUE"),
        ({"parameters": "A=\x1b[31m"}, "parameters: A holds a control character"),
        ({"wait": "maybe"}, "wait: expected true or false"),
        ({"timeout": "soon"}, "timeout: expected a duration"),
        ({"token": 'x"\nheader = "X: y'}, "token: this is no token"),
    ],
)
async def test_wrong_input_is_told_and_nothing_is_sent(
    tmp_path: Path, inputs: dict[str, str], error: str
) -> None:
    given = {"url": "http://127.0.0.1:9", "job": "hello", "token": "x", **inputs}
    step = await Runner(tmp_path / "r", given, {}).run()
    assert step.code == 1
    assert [text for text in step.errors if error in text]


PAGE = (HERE.parents[2] / "docs" / "actions.md").read_text()


def test_workflow_of_the_documentation_uses_the_action_as_it_is() -> None:
    (example,) = re.findall(r"^```yml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    job = YAML(typ="safe").load(example)["jobs"]["migrate"]
    assert job["permissions"]["id-token"] == "write"
    step = next(step for step in job["steps"] if step.get("id") == "migrate")
    assert set(step["with"]) <= set(METADATA["inputs"])
    assert {name for name, each in METADATA["inputs"].items() if each.get("required")} <= set(step["with"])
    used = set(re.findall(r"steps\.migrate\.outputs\.([a-z-]+)", example))
    assert used <= set(METADATA["outputs"])


def test_action_has_the_inputs_and_outputs_that_are_documented() -> None:
    for name in [*METADATA["inputs"], *METADATA["outputs"]]:
        assert f"| `{name}` |" in PAGE
