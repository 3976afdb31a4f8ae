"""Answers that Slack draws: how long the last runs took, and the jobs as a table.

Whatever is drawn is said in text as well, for workspaces that do not know a block yet.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple, Protocol

from bot.messages.mrkdwn import slack_text
from bot.messages.replies import JobListing, listing, status_reply
from bot.messages.slack.elements import (
    MESSAGE_CHARACTERS,
    TABLE_ROWS,
    Block,
    bar_chart,
    context,
    data_table,
    section,
    size,
)
from bot.messages.text import ZERO_WIDTH
from bot.tables import Run
from bot.text.bars import cells
from bot.text.vocabulary import RESULTS, duration, result_of
from executor.spec import Result

RUNS = 20
"""How many of the last runs are drawn, at most what a chart takes."""
LEAST = 2
"""So many are worth a picture."""
_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


class Illustrated(str):
    """An answer in Markdown, and the blocks by which Slack says the same."""

    __slots__ = ("blocks",)
    blocks: Sequence[Block]

    def __new__(cls, text: str, blocks: Sequence[Block]) -> "Illustrated":
        """Both of them."""
        made = super().__new__(cls, text)
        made.blocks = blocks
        return made


class EndedRun(Protocol):
    """What a picture needs of a run that is over; one that never began took no `seconds`."""

    @property
    def number(self) -> int:
        """By which people know it."""

    @property
    def result(self) -> str | None:
        """How it ended."""

    @property
    def seconds(self) -> float | None:
        """How long it took."""


class _Bar(NamedTuple):
    number: int
    result: Result
    seconds: float


class DescribedJob(JobListing, Protocol):
    """What a table needs of a job."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """By name."""
        ...


def durations(latest: Run, rows: Sequence[EndedRun], link: str) -> str:
    """How a job's `latest` run stands, how long those took that are over and how they ended, newest first."""
    head = status_reply([latest], links={latest.identity: link})
    began = [_Bar(row.number, result_of(row.result), row.seconds) for row in rows if row.seconds is not None]
    ended = began[:RUNS]
    if len(ended) < LEAST:
        return head
    summary = _summary(ended)
    shown = [section(slack_text(head)), context(summary), _chart(latest.job, ended[::-1])]
    return Illustrated(f"{head}\n\n{summary}\n\n{_bars(ended)}", shown)


def job_table(jobs: Mapping[str, DescribedJob], command: str, page: int) -> str:
    """The jobs as `listing` tells them; the first page of not too many is also a table."""
    text = listing(jobs, command=command, page=page)
    if page != 1 or not 1 <= len(jobs) <= TABLE_ROWS:
        return text
    rows = [
        (name, job.description or "", ", ".join(job.starters), len(job.parameters))
        for name, job in sorted(jobs.items())
    ]
    table = data_table("Jobs", ("Job", "What it does", "Starts by itself with", "Parameters"), rows)
    intro = section(slack_text(f"Start one with `{command} run NAME`:"))
    shown = [intro, table]
    return Illustrated(text, shown) if size(shown) <= MESSAGE_CHARACTERS else text


def _summary(ended: Sequence[_Bar]) -> str:
    """`The last 20 runs: 18 succeeded, 2 failed; one takes about 1m 10s.`"""
    words = {result: word.label for result, word in RESULTS.items()}
    counts = {result: sum(bar.result is result for bar in ended) for result in Result}
    tally = ", ".join(f"{count} {words[result]}" for result, count in counts.items() if count)
    took = [bar.seconds for bar in ended if bar.result is Result.SUCCEEDED]
    usual = f"; one takes about {duration(median(took))}" if took else ""
    return f"The last {len(ended)} runs: {tally}{usual}."


def _bars(ended: Sequence[_Bar]) -> str:
    """A line for each, in Markdown."""
    took = [bar.seconds for bar in ended]
    longest = max(took) or 1.0
    return "\n".join(
        f"- {RESULTS[bar.result].emoji} #{ZERO_WIDTH}{bar.number} {cells(each, longest)} {duration(each)}"
        for bar, each in zip(ended, took, strict=True)
    )


def _chart(job: str, ended: Sequence[_Bar]) -> Block:
    """A bar for each, in a colour for each result."""
    longest = max(bar.seconds for bar in ended)
    per, unit = next((each for each in _UNITS if longest >= 2 * each[0]), _UNITS[-1])
    took = [round(bar.seconds / per, 2) for bar in ended]
    series = {
        RESULTS[result].label: [
            value if bar.result is result else 0.0 for bar, value in zip(ended, took, strict=True)
        ]
        for result in Result
        if any(bar.result is result for bar in ended)
    }
    return bar_chart(f"How long {job} took", series, [f"#{bar.number}" for bar in ended], unit)
