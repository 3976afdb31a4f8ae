"""Runs and builds as Slack messages. Limits: https://docs.slack.dev/reference/block-kit/blocks"""

from collections.abc import Sequence

from bot.messages import reports
from bot.messages.comments import parameters
from bot.messages.mrkdwn import escaped, fitted, span
from bot.messages.slack.elements import Block, context, preformatted, section
from bot.messages.text import ELLIPSIS, clean, url
from bot.messages.view import View

# A text takes 3,000 characters, all blocks together about 12,000, their JSON counted.
WHY_CHARACTERS = 1500
PARAMETERS_CHARACTERS = 1500
TAIL_CHARACTERS = 2400
SUMMARY_CHARACTERS = 2400


def blocks(view: View, link: str | None, *, command: str = "/job") -> tuple[str, list[Block]]:
    """The notification's text and the blocks of a card."""
    title = f"{view.icon} {clean(view.name, 100)} {view.label}#{view.number} {view.verdict}"
    shown = [section(_headline(view, link)), context(_facts(view))]
    given = parameters(view)
    if view.result is not None and view.why:
        shown.append(section(fitted(view.why, WHY_CHARACTERS)))
    if view.differs:
        shown.append(context(f"other than #{view.rerun_of}: {_spans(view.differs)}"))
    if given:
        shown.append(context(_spans(given)))
    if view.shows_tail:
        shown.append(preformatted(view.tail, limit=TAIL_CHARACTERS))
    if view.summary:
        shown.append(section(reports.slack(view.summary, SUMMARY_CHARACTERS)))
    footer = _footer(view, link, command)
    if footer:
        shown.append(context(footer))
    return escaped(title), shown


def _headline(view: View, link: str | None) -> str:
    number = f"<{escaped(url(link))}|#{view.number}>" if link else f"#{view.number}"
    line = f"{view.icon} *{fitted(view.name, 100)}* {view.label}{number} {view.verdict}"
    if view.result is None and view.why:
        line += f"{view.before_why}{fitted(view.why, 300)}"
    return f"{line}, {view.bar}" if view.bar else line


def _facts(view: View) -> str:
    facts = [f"{label} {span(value, 100)}{after}" for label, value, after in (view.person, *view.facts)]
    if view.commit:
        where = f"{view.repository}@" if view.repository else ""
        facts.append(f"commit {span(where + view.commit[:12], 160)}")
    if view.pull is not None and view.beside.pull_link:
        facts.append(f"pull request <{escaped(url(view.beside.pull_link))}|#{view.pull}>")
    if view.rerun_of is not None:
        facts.append(f"again from #{view.rerun_of}{'' if view.differs != () else ', exactly'}")
    return " · ".join(facts)


def _footer(view: View, link: str | None, command: str) -> str:
    parts = [f"<{escaped(url(link))}|Log>"] if link else []
    if view.build_number is not None and view.build_link:
        parts = [f"<{escaped(url(view.build_link))}|Log of build {view.build_number}>"]
    if view.noun == "run":
        verb = "rerun" if view.result is not None else "cancel"
        parts.append(span(f"{command} {verb} #{view.number}", 100))
    return " · ".join(parts)


def _spans(given: Sequence[str]) -> str:
    """As many of the parameters as fit."""
    spans = [span(each, 190) for each in given]
    while sum(len(each) + 1 for each in spans) > PARAMETERS_CHARACTERS:
        spans.pop()
    return " ".join(spans) + (f" {ELLIPSIS}" if len(spans) < len(given) else "")
