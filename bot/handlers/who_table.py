"""Who may what, as a table: what every door would say to one person, and by which entry of a rule."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.access.people import is_member_id
from bot.access.principals import Kind, member
from bot.catalog.catalog import Job
from bot.errors import AskerError, Refused, RetryLater
from bot.events.slack_facts import SlackAsker
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.places import PagePlace
from bot.handlers.slack.identities import SlackIdentities
from bot.handlers.visibility import Visibility
from bot.states import ActorKind, Cause


@dataclass(frozen=True, slots=True)
class WhoRow:
    """One job. `may` is None where it is not known now; `by` the entry that decided, `why` not (Markdown)."""

    job: str
    may: bool | None
    by: str = ""
    why: str = ""


class WhoTable:
    """Asks GitHub and Slack once for all jobs alike, and decides each as its doors do."""

    def __init__(
        self, authorization: Authorization, visibility: Visibility, identities: SlackIdentities
    ) -> None:
        self._authorization = authorization
        self._visibility = visibility
        self._identities = identities

    async def person(self, context: RequestContext) -> RequestContext:
        """The same as Slack and `slack.people` know them: an account of GitHub, a member, a guest.

        `RetryLater` where that is not known now.
        """
        for user in context.users:
            found = await self._identities.of(SlackAsker(user))
            context = replace(context, login=found.login, membership=found.membership)
        return context

    async def rows(self, context: RequestContext, jobs: Iterable[Job]) -> list[WhoRow]:
        """A row for each of these jobs, in order."""
        context.facts.update((await self._visibility.known(context)).facts)
        return [await self._row(context, job) for job in jobs]

    async def _row(self, context: RequestContext, job: Job) -> WhoRow:
        try:
            verdict = await self._authorization.verdict(context, job)
        except AskerError as refusal:
            return WhoRow(job.name, False, "", str(refusal))
        except (RetryLater, Refused) as away:
            return WhoRow(job.name, None, "", str(away))
        return WhoRow(job.name, verdict.allowed, verdict.by, verdict.sentence)


def asking(who: str) -> RequestContext:
    """Somebody on a page, or in Slack by their id: where no repository is asked from.

    `ValueError` for what names nobody.
    """
    kind, sign, name = who.partition(":")
    if kind == ActorKind.SLACK and is_member_id(name):
        return RequestContext(f"who:{who}", Cause.SLACK, who, None, PagePlace(), users=frozenset([name]))
    login = name if sign and kind == ActorKind.GITHUB else who
    try:
        fits = member(ActorKind.GITHUB.named(login)).kind is Kind.LOGIN
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("expected the login of an account of GitHub, or slack:U012AB3CD")
    return RequestContext(f"who:{login}", Cause.PAGE, ActorKind.GITHUB.named(login), login, PagePlace())
