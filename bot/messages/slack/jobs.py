"""Jobs as Slack lists them: one below the other, each with the button that runs it, in pages."""

from collections.abc import Iterator

from bot.messages.mrkdwn import cut, date, escaped, literal, span
from bot.messages.slack.actions import Action
from bot.messages.slack.cards import headline
from bot.messages.slack.elements import TEXT_CHARACTERS, Block, actions, button, context, section, size
from bot.messages.slack.lines import schedule_text
from bot.messages.slack.overviews import JobLine, JobPage, RunLine
from bot.text import vocabulary

LIST_CHARACTERS = 11_000
"""Of all blocks of a list, as JSON: somewhat less than a message takes."""
JOB_CHARACTERS = (1500, 700, 300)
"""Of each job in a list: fewer where they would not fit."""
NOBODY = (
    "There is no job here that you may run. Writing to a repository on GitHub is the right to run its jobs:"
    " ask whoever owns yours."
)
"""What somebody hears who may run nothing; whom to ask."""


def job_list(page: JobPage, *, command: str) -> tuple[str, list[Block]]:
    """The answer to who asks what they may run: its text, and its blocks with buttons."""
    if not page.total:
        return _unknown(page) or NOBODY, job_blocks(page)
    title = f"{page.total} {'job' if page.total == 1 else 'jobs'} that you may run"
    run, more = span(f"{command} run NAME"), span(f"{command} help")
    how = f"{run} runs one as well, {more} tells what else there is."
    for most in JOB_CHARACTERS:
        blocks = [section(f"*{title}*"), *job_blocks(page, most), context(how)]
        if size(blocks) <= LIST_CHARACTERS:
            break
    return title, blocks


def job_blocks(page: JobPage, most: int = TEXT_CHARACTERS) -> list[Block]:
    """One block for each job, and what leads to the other pages; where there is none, whom to ask.

    `most`: so many characters of each job.
    """
    if not page.total:
        return [section(_unknown(page) or NOBODY)]
    blocks = [section(cut(_job(line), most), accessory=_run(line)) for line in page.lines]
    if page.pages > 1:
        blocks.append(actions(*_turns(page)))
    notes = [f"Page {page.number} of {page.pages}, {page.total} jobs."] if page.pages > 1 else []
    notes += [note] if (note := _unknown(page)) else []
    return [*blocks, *([context(" ".join(notes))] if notes else [])]


def _job(line: JobLine) -> str:
    about = f": {literal(line.description, 200)}" if line.description.strip() else ""
    facts: list[str] = []
    if line.last is not None:
        facts.append(_last(line.last))
    if line.schedule is not None:
        facts.append(schedule_text(line.schedule))
    if line.locked_by is not None:
        facts.append(f"🔒 locked by {span(vocabulary.who(line.locked_by), 80)}")
    return f"*{literal(line.name, 100)}*{about}" + (f"\n{' · '.join(facts)}" if facts else "")


def _last(line: RunLine) -> str:
    """How the newest run stands, without the name that stands above it."""
    at = line.view.finished_at if line.view.finished_at is not None else line.view.started_at
    return headline(line.view, line.page, named=False) + (f", {date(at)}" if at is not None else "")


def _run(line: JobLine) -> Block:
    return button("Run", Action.JOB_RUN, line.name)


def _turns(page: JobPage) -> Iterator[Block]:
    if page.number > 1:
        yield button("Previous page", Action.LIST_BACK, str(page.number - 1))
    if page.number < page.pages:
        yield button("Next page", Action.LIST_PAGE, str(page.number + 1))
    yield button("Find a job", Action.JOB_RUN)


def _unknown(page: JobPage) -> str:
    if not page.unknown:
        return ""
    some = "one repository" if page.unknown == 1 else f"{page.unknown} repositories"
    return escaped(f"GitHub does not say now whether you may run the jobs of {some}.")
