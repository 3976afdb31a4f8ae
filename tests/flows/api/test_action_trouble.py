"""The GitHub Action where things go wrong on the way: proxies, restarts, tokens that end, odd logs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo.installation import Installation, Where
from tests.flows.api.between import Between, between, page
from tests.flows.api.runner import Runner

HERE = Path(__file__).parent

CLOCK = """\
later() { if [ -e "$LATER" ]; then SECONDS=$((SECONDS + $(<"$LATER"))); rm "$LATER"; fi; }
wait() { local code=0; builtin wait "$@" || code=$?; later; return "$code"; }
"""
"""What bash reads first: as many seconds pass at once as the file `$LATER` says, when a wait has ended."""


@pytest.fixture
def where() -> Where:
    return Where(config=HERE / "actions.yaml", sample=HERE.parent / "repository")


@pytest.fixture
async def proxy(errand: Installation) -> AsyncIterator[Between]:
    async with between(errand.url) as made:
        yield made


Behind = Callable[..., Runner]


@pytest.fixture
async def behind(errand: Installation, proxy: Between, tmp_path: Path) -> Behind:
    """Makes a runner of a job that reaches Errand through the proxy, with a token of its own."""
    token = await errand.token("runner", "run:*")

    def make(job: str, **inputs: str) -> Runner:
        given = {"url": proxy.url, "job": job, "token": token, **inputs}
        return Runner(tmp_path / "runner", given, clock(tmp_path))

    return make


def clock(tmp_path: Path) -> dict[str, str]:
    """An environment in which `pass_time` works."""
    (tmp_path / "clock.sh").write_text(CLOCK)
    return {"BASH_ENV": str(tmp_path / "clock.sh"), "LATER": str(tmp_path / "later")}


def pass_time(tmp_path: Path, seconds: int) -> None:
    """Let so many seconds pass for the action."""
    (tmp_path / "new").write_text(str(seconds))
    (tmp_path / "new").rename(tmp_path / "later")


async def gated(runner: Runner) -> None:
    """Start it, and wait until its job has begun."""
    await runner.start()
    await runner.wait_for(lambda step: "started" in step.lines)


async def test_new_token_is_hidden_although_commands_are_stopped(
    errand: Installation, tmp_path: Path
) -> None:
    actions, gate = errand.beside.github.actions, tmp_path / "gate"
    inputs = {"url": errand.url, "job": "wait", "parameters": f"GATE={gate}"}
    here = Runner(tmp_path / "runner", inputs, actions.grant())
    await gated(here)
    actions.rotate(forget=True)
    await errand.stop()
    await errand.start()  # which knows the new key alone
    gate.touch()
    step = await here.end()
    assert (step.code, len(set(step.masked))) == (0, 2), step.text
    assert not any(token in step.text for token in step.masked)
    assert [line for line in step.lines if line in ("started", "done")] == ["started", "done"]


async def test_token_that_is_old_is_replaced_before_it_ends(errand: Installation, tmp_path: Path) -> None:
    actions, gate = errand.beside.github.actions, tmp_path / "gate"
    inputs = {"url": errand.url, "job": "wait", "parameters": f"GATE={gate}"}
    here = Runner(tmp_path / "runner", inputs, actions.grant() | clock(tmp_path))
    await gated(here)
    pass_time(tmp_path, 241)
    gate.touch()
    step = await here.end()
    assert (step.code, len(set(step.masked))) == (0, 2), step.text
    assert not any("ey" + "J" in line for line in step.lines)


async def test_patience_begins_when_errand_falls_silent(
    behind: Behind, errand: Installation, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    here = behind("wait", parameters=f"GATE={gate}")
    await gated(here)
    pass_time(tmp_path, 3600)  # for as long the job has said nothing
    await errand.stop()
    await errand.start()
    gate.touch()
    step = await here.end()
    assert (step.code, step.errors) == (0, [])


async def test_log_that_breaks_off_again_and_again_goes_on(
    behind: Behind, proxy: Between, tmp_path: Path
) -> None:
    proxy.cuts = [900, 1100, 1300]
    here = behind("noisy")
    step = await here.run()
    assert (step.code, proxy.cuts) == (5, [])
    assert [line for line in step.lines if line.startswith("line ")] == [
        f"line {n} of <b>{n}</b> `x`" for n in range(30)
    ]


async def test_proxy_that_refuses_the_log_is_an_error_of_the_step(behind: Behind, proxy: Between) -> None:
    async def refuse(method: str, target: str) -> bytes | None:
        return page(403) if "/logs" in target else None

    proxy.rule = refuse
    step = await behind("hello").run()
    assert step.code == 1
    (error,) = step.errors
    assert "The log cannot be read from Errand (HTTP status 403)" in error


async def test_page_of_a_proxy_is_no_answer(behind: Behind, proxy: Between) -> None:
    for status in (200, 302, 403, 404):

        async def answer(method: str, target: str, status: int = status) -> bytes | None:
            return page(status)

        proxy.rule = answer
        step = await behind("hello").run()
        assert (step.code, step.outputs) == (1, {})
        (error,) = step.errors
        assert f"no answer of Errand (HTTP status {status})" in error
        assert "`url`" in error


async def test_run_is_remembered_when_a_proxy_answers_with_a_page(
    behind: Behind, proxy: Between, tmp_path: Path
) -> None:
    pages = 0

    async def once(method: str, target: str) -> bytes | None:
        nonlocal pages
        pages += target == "/api/runs/1"
        return page(200) if target == "/api/runs/1" and pages == 1 else None

    proxy.rule = once
    step = await behind("hello").run()
    assert (step.code, step.outputs["run"], step.outputs["result"]) == (0, "1", "succeeded")
    assert pages > 1


async def test_every_mistake_of_the_inputs_is_told(behind: Behind) -> None:
    parameters = f"NAME={'x' * 5000}\nWHAT=x"
    step = await behind("hello", parameters=parameters, **{"image-tag": "x" * 200}).run()
    (error,) = step.errors
    assert (step.code, "(422)" in error) == (1, True)
    assert "NAME: expected at most 4096" in error
    assert "parameters/" not in error
    assert "image_tag: expected at most 128" in error


async def test_token_that_does_not_open_the_job_is_told_what_to_do(
    behind: Behind, errand: Installation
) -> None:
    reader = await errand.token("reader", "read")
    other = await errand.token("other", "run:exit")
    unknown = "errand_" + "x" * 43
    for token, said in (
        (reader, "run:JOB"),
        (other, "run:JOB"),
        (unknown, "`token` of this step is not known"),
    ):
        step = await behind("hello", token=token).run()
        (error,) = step.errors
        assert (step.code, said in error) == (1, True), error


async def test_run_that_ended_before_it_could_be_cancelled_is_told_as_it_ended(
    behind: Behind, proxy: Between, errand: Installation
) -> None:
    async def silent(method: str, target: str) -> bytes | None:
        if "follow=1" in target:
            await asyncio.Event().wait()
        return None

    proxy.rule = silent
    here = behind("exit", parameters="CODE=7", timeout="5s")
    await here.start()
    await errand.wait_for(lambda: errand.ended([1]))
    step = await here.end()
    assert (step.code, step.outputs["result"], step.outputs["exit-code"]) == (7, "failed", "7")
    assert step.errors == ["Run #1 of exit: failed, exit code 7"]


async def test_workflow_that_is_cancelled_while_the_log_is_asked_for_again_cancels_the_run(
    behind: Behind, proxy: Between, tmp_path: Path
) -> None:
    """Between two children there is none that a signal could end."""
    here = behind("wait", parameters=f"GATE={tmp_path / 'gate'}")
    (tmp_path / "clock.sh").write_text(CLOCK + 'mkfifo() { command mkfifo "$@"; kill -INT $$; }\n')
    await gated(here)
    proxy.drop()
    step = await here.end()
    assert (step.code, step.outputs["result"]) == (130, "cancelled")


async def test_log_of_any_bytes_is_shown_as_it_is(behind: Behind, proxy: Between, tmp_path: Path) -> None:
    """Also where it broke off in the middle of them."""
    proxy.cuts = [150_000, 1_400_000]
    here = behind("odd")
    step = await here.run(120)
    assert step.code == 0
    assert step.lines.count("y" * 999_999) == 1
    assert [line for line in step.lines if line.startswith("a\0b")] == ["a\0b\0\0c"]
    assert [line for line in step.lines if line.startswith("n:")] == [f"n:{n}" for n in range(100_000)]
    assert {name for name, _ in step.commands} == {"add-mask"}


async def test_exit_code_of_the_job_is_that_of_the_step(behind: Behind) -> None:
    for code in (1, 2, 126, 127, 130, 255):
        step = await behind("exit", parameters=f"CODE={code}").run()
        assert (step.code, step.outputs["exit-code"]) == (code, str(code))
