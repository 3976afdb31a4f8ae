"""Puts together what decides about deliveries: of GitHub and Slack, and of what follows a run."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.handlers.answers import Answers
from bot.handlers.askers import Askers
from bot.handlers.cards import CardTargets
from bot.handlers.chains import ChainHandler, ChainTargets
from bot.handlers.checks import CheckHandler
from bot.handlers.comments import CommentHandler
from bot.handlers.conversation import Conversation
from bot.handlers.deliveries import DeliveryHandler, EventHandlers
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.head_changes import HeadChanges
from bot.handlers.locks import LockHandler
from bot.handlers.occurrence_commits import OccurrenceCommits
from bot.handlers.occurrences import OccurrenceHandler
from bot.handlers.pushes import PushHandler
from bot.handlers.repository_files import RepositoryFileHandler
from bot.handlers.repository_identity import RepositoryIdentityHandler
from bot.handlers.requirements import RequirementHandler
from bot.handlers.resolution import TargetResolver
from bot.handlers.settlement import Settlement
from bot.handlers.slack.apologies import SlackApologies
from bot.handlers.slack.deliveries import Dispatch, SlackDeliveryHandler
from bot.posting.audience import Audience
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.store import Store


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """What its classes need of the others; taken whole by nobody but this."""

    registry: Registry
    store: Store
    clock: Callable[[], float]
    host: CodeHost
    settlement: Settlement
    answers: Answers
    audience: Audience
    conversation: Conversation
    resolver: TargetResolver
    enqueuer: Enqueuer
    cards: CardTargets
    askers: Askers
    files: RepositoryFileHandler
    locks: LockHandler
    slack: Dispatch | None


def delivery_handler(parts: DeliveryParts) -> DeliveryHandler:
    """Of what GitHub and Slack send, and of what follows a run."""
    registry, host, settlement, answers = parts.registry, parts.host, parts.settlement, parts.answers
    commits = OccurrenceCommits(registry, host, parts.resolver)
    follow = ChainTargets(registry, parts.askers, parts.resolver, RequirementHandler(host), host)
    return DeliveryHandler(
        RepositoryIdentityHandler(registry, host, settlement, answers),
        EventHandlers(
            PushHandler(registry, parts.enqueuer, parts.cards, parts.clock),
            CommentHandler(registry, host, parts.conversation, answers, parts.audience),
            CheckHandler(registry, host, parts.conversation, answers, parts.store),
            OccurrenceHandler(registry, commits, parts.enqueuer, parts.cards),
            parts.files,
            parts.locks,
            HeadChanges(parts.clock),
            SlackDeliveryHandler(parts.slack, settlement),
            SlackApologies(answers),
            ChainHandler(follow, parts.enqueuer, parts.store, settlement, parts.clock),
        ),
        settlement,
    )
