"""What a job says of itself, and what people give to it, is what runs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from demo.installation import Installation, installation
from tests.flows.test_commands import card
from tests.flows.test_versions import finished

HERE = Path(__file__).parent


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A service with these jobs, running."""
    async with installation(tmp_path, config=HERE / "definitions.yaml", sample=HERE / "repository") as made:
        made.on_event = print  # shown when a test fails
        await made.commit(
            {
                "deep/down/note": "found\n",
                "words.sh": "WORD='two words'; greet() { echo hi from bash; }\n",
            }
        )
        yield made


async def ended(errand: Installation, count: int) -> list[tuple[dict[str, Any], str]]:
    """The first runs as the API tells them, each with its log, once they have ended."""
    token = await errand.token("reader")
    found = []
    for number in range(1, count + 1):
        run = await finished(errand, number, token)
        log = await errand.get(f"/api/runs/{number}/logs", token=token)
        found.append((run, log.text))
    return found


async def test_commands_run_in_both_forms_with_directory_setup_env_and_defaults(errand: Installation) -> None:
    told = {
        "shell": (0, None, "SH DEFAULTS RED AND GREEN FALSE\n"),
        "words": (0, None, "$HOME|a  b|*|"),
        "there": (0, None, "down\nfound\n"),
        "prepared": (3, None, "two words two hi from bash\n"),
        "prepared-exec": (4, None, "two words\n"),
        "unprepared": (1, None, "broken\n"),
        "nowhere": (None, "WorkdirInvalid", "The working directory deep/er: No such file or directory.\n"),
    }
    await errand.comment("\n".join(f"/job run {name} --ref main" for name in told))
    runs = await ended(errand, len(told))
    assert {run["job"]: (run["exit_code"], run["reason"], log) for run, log in runs} == told


async def test_arguments_reach_a_job_as_words(errand: Installation) -> None:
    words = "a 'b  c' '$HOME' '*' --ref"
    names = ("arguments", "prepared-arguments", "words")
    await errand.comment("\n".join(f"/job run {name} --ref main -- {words}" for name in names))
    first, second, third = (log for _, log in await ended(errand, 3))
    assert first == "5 b  c\n<a>\n<b  c>\n<$HOME>\n<*>\n<--ref>\n"
    assert second == first
    assert third == "$HOME|a  b|*|a|b  c|$HOME|*|--ref|"


async def test_parameters_reach_the_job_in_their_normal_form(errand: Installation) -> None:
    long = "é" * 2048
    await errand.comment(
        "/job run given --ref main REGION=us BATCH=+007 RATIO=1.50 DRY_RUN=Yes NOTE='$(id); \"x\" *'"
        "\n/job run given --ref main REGION=eu NOTE=\n/job run given --ref main REGION=eu"
        f"\n/job run given --ref main REGION=eu NOTE={long}"
    )
    (first, log), *others = await ended(errand, 4)
    assert log == '2024-01-01\n7\n1.5\ntrue\nus\n$(id); "x" *\n'
    assert first["parameters"]["BATCH"] == "7"
    usual = "2024-01-01\n500\n0.5\nfalse\neu\n"
    assert [log for _, log in others] == [f"{usual}{note}\n" for note in ("", "unset", long)]


async def test_help_shows_what_may_be_given(errand: Installation) -> None:
    await errand.comment("/job help given")
    reply = await card(errand, "`/job run given`")
    for line in (
        "Shows \\*all\\* that it is given\\, to \\@\u200beverybody",
        "- `VERBOSE`: `true` or `false`, default `false`",
        "- `SINCE` (First \\<b\\>): text that matches `\\d{4}-\\d{2}-\\d{2}`, default `2024-01-01`",
        "- `BATCH`: an integer from 1 up to 10000000, default `500`",
        "- `RATIO`: a number, default `0.5`",
        "- `REGION`: one of `eu`, `us`, required",
        "- `NOTE`: text",
    ):
        assert f"{line}\n" in reply.body


async def test_all_mistakes_are_told_in_one_answer_and_nothing_starts(errand: Installation) -> None:
    await errand.comment("/job run given REGON=eu BATCH=0 SINCE=today DRY_RUN=maybe RATIO=x PATH=/tmp")
    reply = await card(errand, "cannot start")
    for line in (
        "- `REGON` is no parameter of this job. Did you mean `REGION`?",
        "- `PATH` is no parameter of this job.",
        "- `SINCE`: expected text that matches `\\d{4}-\\d{2}-\\d{2}`, not `today`.",
        "- `BATCH`: expected an integer from 1 up to 10000000, not `0`.",
        "- `RATIO`: expected a number such as 2 or 0.5, not `x`.",
        "- `DRY_RUN`: expected `true` or `false`, not `maybe`.",
        "- `REGION` is required: one of `eu`, `us`",
        "Parameters of `given`: `VERBOSE`, `SINCE`, `BATCH`, `RATIO`, `DRY_RUN`, `REGION`, `NOTE`.",
    ):
        assert line in reply.body
    for given, words in (
        ("REGION=uss", "Did you mean `us`?"),
        (f"NOTE={'x' * 4097}", "longer than 4096 bytes"),
        (f"NOTE={'x' * 9_000}", "longer than 8192 bytes"),
        ("NOTE=a\0b", "is invisible"),
        ("REGION=eu REGION=us", "`REGION` is given twice"),
    ):
        await errand.comment(f"/job run given {given}")
        await card(errand, words)
    assert not any(event.get("event") in ("run.starting", "build.building") for event in errand.events)
