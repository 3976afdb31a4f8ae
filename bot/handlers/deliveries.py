"""Turns a stored delivery into decisions: network first, then one short transaction.

The transaction enqueues what was asked for and the answers, and marks the delivery handled, so a bot
that is killed anywhere does all of it again or nothing; keys forbid that anything is done twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bot import events
from bot.errors import RetryLater
from bot.handlers.chains import ChainHandler
from bot.handlers.checks import CheckHandler
from bot.handlers.comments import CommentHandler
from bot.handlers.decisions import Decision
from bot.handlers.head_changes import HeadChanges
from bot.handlers.locks import LockHandler
from bot.handlers.occurrences import OccurrenceHandler
from bot.handlers.pushes import PushHandler
from bot.handlers.repository_files import RepositoryFileHandler
from bot.handlers.repository_identity import RepositoryIdentityHandler
from bot.handlers.settlement import Settled, Settlement
from bot.handlers.slack.apologies import SlackApologies
from bot.handlers.slack.deliveries import SlackDeliveryHandler
from bot.repositories import Stranger
from bot.store import Session, chains
from bot.store.leases import LeaseLost
from bot.tables import Delivery, Post

log = structlog.get_logger()

SMALL = 64 * 1024
"""Bytes of a delivery that is read at once."""


@dataclass(frozen=True, slots=True)
class EventHandlers:
    """One for each kind of delivery."""

    pushes: PushHandler
    comments: CommentHandler
    checks: CheckHandler
    occurrences: OccurrenceHandler
    files: RepositoryFileHandler
    locks: LockHandler
    heads: HeadChanges
    slack: SlackDeliveryHandler
    slack_apologies: SlackApologies
    chains: ChainHandler


class DeliveryHandler:
    """Decides what becomes of a delivery."""

    def __init__(
        self, identities: RepositoryIdentityHandler, handlers: EventHandlers, settlement: Settlement
    ) -> None:
        self._identities = identities
        self._handlers = handlers
        self._settlement = settlement

    async def handle(self, delivery: Delivery) -> None:
        """Decide one claimed delivery; raises `RetryLater` when somebody has to be asked again."""
        if delivery.source == "slack":
            await self._handlers.slack.handle(delivery)
            return
        if delivery.source == chains.SOURCE:
            await self._handlers.chains.handle(delivery)
            return
        event = await _read(delivery)
        if isinstance(event, events.InRepository):
            try:
                event = replace(event, repository=await self._identities.admit(event))
            except Stranger as stranger:
                await self._identities.turn_away(delivery, event, stranger)
                return
        match event:
            case events.Push() as push:
                await self._push(delivery, push)
            case events.Comment() as comment:
                await self._handlers.comments.handle(delivery, comment)
            case events.CheckRequest() as request:
                await self._handlers.checks.handle(delivery, request)
            case events.Occurrence() as happened:
                decisions = [await self._handlers.occurrences.decide(delivery, happened)]
                if happened.event == "pull_request":
                    decisions.append(await self._handlers.files.proposed(happened))
                    decisions.append(self._handlers.locks.merged(happened))
                    decisions.append(self._handlers.heads.moved(happened))
                await self._carry(delivery, decisions)
            case events.RepositoryChanged() as changed:
                await self._carry(delivery, [await self._handlers.files.changed(changed)])
            case events.RepositoryMoved() as moved:
                await self._handlers.files.again(moved.number)
                await self._identities.renamed(delivery, moved)
            case events.Ignored(why):
                await self._settlement.settle(delivery, "ignored", why)

    async def give_up(self, delivery: Delivery, error: Exception) -> None:
        """Close a delivery that cannot be handled and say so where it was asked."""
        reference = str(error) if isinstance(error, RetryLater) else type(error).__name__
        try:
            apology = await self._apology(delivery)
            await self._settlement.settle(delivery, "failed", reference[:500], apology)
        except (RetryLater, LeaseLost):
            raise
        except Exception:  # then without words, which are what may have failed
            log.exception("delivery.failed", key=delivery.key)
            await self._settlement.settle(delivery, "failed", reference[:500])

    async def _apology(self, delivery: Delivery) -> list[Post]:
        if delivery.source == "slack":
            return await self._handlers.slack_apologies.of(delivery)
        if delivery.source == chains.SOURCE:
            await self._handlers.chains.give_up(delivery, "It could not be found out whether it may start.")
            return []
        event = await _read(delivery)
        return self._handlers.comments.apology(event) if isinstance(event, events.Comment) else []

    async def _push(self, delivery: Delivery, push: events.Push) -> None:
        decisions = [await asyncio.to_thread(self._handlers.pushes.decide, delivery, push)]
        decisions.append(self._handlers.files.pushed(push))
        decisions.append(self._handlers.heads.pushed(push))
        if push.tag and not push.deleted:
            decisions.append(await self._handlers.occurrences.decide(delivery, events.of_tag(push)))
        await self._carry(delivery, decisions)

    async def _carry(self, delivery: Delivery, decisions: Sequence[Decision]) -> None:
        """Do all that was decided in one transaction."""
        state: Settled = "handled" if any(each.concerns for each in decisions) else "ignored"

        def note() -> str:
            relevant = [each for each in decisions if each.concerns] or decisions[:1]
            return "\n".join(each.note() for each in relevant)

        def decide(session: Session) -> None:
            for each in decisions:
                each.effect(session)
            self._settlement.close(session, delivery, state, note())

        await self._settlement.write(decide)
        refused = any(each.refused() for each in decisions)
        self._settlement.log(delivery, state, note(), problem=refused)


async def _read(delivery: Delivery) -> events.Event:
    """What happened; a large delivery is read in a thread, since a form of 25 MB takes seconds."""
    if len(delivery.body) <= SMALL:
        return events.read(delivery)
    return await asyncio.to_thread(events.read, delivery)
