"""Puts the bot together, once: every class gets from here what it needs, and nothing gets the parts whole."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot import posting_composition
from bot.approval_composition import ApprovalComposition, ApprovalParts
from bot.delivery_composition import DeliveryParts, delivery_handler
from bot.handlers.actions import Actions
from bot.handlers.answers import Answers
from bot.handlers.authorization import Authorization
from bot.handlers.backfills import BackfillHandler
from bot.handlers.builds import BuildHandler
from bot.handlers.calls import CallHandler
from bot.handlers.cancel import CancelHandler
from bot.handlers.cards import CardTargets
from bot.handlers.conversation import Conversation
from bot.handlers.deliveries import DeliveryHandler
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.exec import ExecHandler
from bot.handlers.facts import FactFinder
from bot.handlers.forks import ForkHandler
from bot.handlers.freezes import FreezeHandler
from bot.handlers.locks import LockHandler
from bot.handlers.moments import MomentReader
from bot.handlers.pauses import PauseHandler
from bot.handlers.plans import Planner, WhyHandler
from bot.handlers.questions import QueryHandler
from bot.handlers.repeats import Repeats
from bot.handlers.requirements import RequirementHandler
from bot.handlers.rerun import RerunHandler
from bot.handlers.resolution import TargetResolver
from bot.handlers.selection import RunSelection
from bot.handlers.settlement import Settlement
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.identities import SlackIdentities
from bot.handlers.start import StartHandler
from bot.handlers.status import LogHandler, StatusHandler
from bot.handlers.tags import ImageTagHandler
from bot.handlers.ticks import TickHandler
from bot.handlers.verbs import CommandHandlers
from bot.handlers.visibility import Visibility
from bot.handlers.who_table import WhoTable
from bot.page_composition import PageComposition, PageParts
from bot.parts import Parts
from bot.posting.addresses import PageAddresses
from bot.posting.audience import Audience
from bot.posting.outbox import Outbox
from bot.repositories import CodeHost
from bot.repository_composition import RepositoryComposition
from bot.slack.directory import SlackGroups, SlackPeople
from bot.states import State
from bot.store import builds, deliveries, posts, runs
from bot.store.holder import LeaseHolder
from bot.store.transitions import ACTIVE
from bot.tables import Build, Delivery, Post, Run
from bot.workers.build_worker import BuildWorker
from bot.workers.catch_up import CatchUp
from bot.workers.delivery_worker import DeliveryWorker
from bot.workers.engine_access import EngineAccess
from bot.workers.holds import HeldRuns
from bot.workers.locks import LockExpiry
from bot.workers.loops import Duty, Workers
from bot.workers.pools import Work
from bot.workers.pruning import Pruning
from bot.workers.refresh import RegistryRefresh
from bot.workers.retention import Retention
from bot.workers.run_worker import RunWorker
from bot.workers.start_limits import StartLimits
from bot.workers.ticks import TickClock

if TYPE_CHECKING:
    from bot.slack_composition import SlackComposition

DELIVERIES = 16
"""Deliveries decided at the same time; each is a few requests to GitHub."""
POSTS = 256
"""Posts claimed at the same time: most wait for their turn, for which the newest are chosen."""


class Composition:
    """One of each, made when it is first asked for."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    # What the handlers stand on -------------------------------------------------------------------

    @cached_property
    def host(self) -> CodeHost:
        """GitHub, with the numbers of its repositories."""
        return CodeHost(self.parts.github, self.parts.repositories)

    @cached_property
    def authorization(self) -> Authorization:
        """Who may."""
        return Authorization(self.parts.registry, self.facts, self.parts.nonce)

    @cached_property
    def facts(self) -> FactFinder:
        """What GitHub and Slack say of people."""
        return FactFinder(self.host, self.slack_groups, self.parts.clock)

    @cached_property
    def visibility(self) -> Visibility:
        """Which jobs somebody may run."""
        return Visibility(self.parts.registry, self.authorization, self.facts)

    @cached_property
    def who(self) -> WhoTable:
        """What somebody may, as a table."""
        return WhoTable(self.authorization, self.visibility, self.slack_identities)

    @cached_property
    def addresses(self) -> PageAddresses:
        """Where pages are."""
        return PageAddresses(self.parts.registry, self.parts.keys, self.parts.clock)

    @cached_property
    def audience(self) -> Audience:
        """Who reads what is posted."""
        return Audience(self.parts.clock)

    @cached_property
    def resolver(self) -> TargetResolver:
        """Which commit or image is meant."""
        return TargetResolver(self.authorization, self.parts.registry, self.host, self.parts.store)

    @cached_property
    def cards(self) -> CardTargets:
        """Where runs and builds are told."""
        return CardTargets(self.parts.github, self.parts.slack, self.parts.clock, self.parts.nonce)

    @cached_property
    def enqueuer(self) -> Enqueuer:
        """What stores runs and builds."""
        return Enqueuer(self.parts.registry, self.cards, self.parts.clock, self.parts.nonce)

    @cached_property
    def actions(self) -> Actions:
        """One handler each."""
        parts, authorization = self.parts, self.authorization
        requirements = RequirementHandler(self.host)
        starts = StartHandler(
            authorization, self.resolver, requirements, MomentReader(self.slack_people, parts.clock)
        )
        return Actions(
            authorization=authorization,
            selection=RunSelection(authorization, parts.store),
            starts=starts,
            reruns=RerunHandler(authorization, self.resolver, requirements, parts.registry),
            execs=ExecHandler(self.resolver, parts.registry),
            enqueuer=self.enqueuer,
            approvals=self.approvals.handler,
            forks=ForkHandler(authorization, self.resolver.forks, parts.registry, self.host, parts.clock),
            cancels=CancelHandler(authorization, parts.store, parts.clock),
            builds=BuildHandler(authorization, self.resolver, self.enqueuer),
            locks=LockHandler(authorization, parts.clock),
            freezes=FreezeHandler(authorization, parts.registry, parts.clock),
            backfills=BackfillHandler(authorization, self.resolver, self.enqueuer, parts.clock),
            pauses=PauseHandler(authorization, parts.clock),
            plans=Planner(starts, requirements, self.enqueuer, parts.clock),
            reasons=WhyHandler(authorization, parts.repositories, self.enqueuer, parts.clock),
        )

    @cached_property
    def commands(self) -> CommandHandlers:
        """Of comments, Slack and `errand chat`."""
        parts, selection = self.parts, self.actions.selection
        statuses = StatusHandler(self.authorization, selection, self.addresses)
        logs = LogHandler(selection, parts.logs, self.addresses)
        return CommandHandlers(self.actions, statuses, logs)

    @cached_property
    def calls(self) -> CallHandler:
        """Of callers over HTTP who start and stop."""
        parts = self.parts
        tags = ImageTagHandler(parts.registry, parts.store, parts.clock)
        return CallHandler(self.actions, tags, Repeats(parts.store, parts.clock), parts.store)

    @cached_property
    def pages(self) -> PageComposition:
        """What pages need besides."""
        parts = self.parts
        known = (parts.registry, parts.store, parts.slack, parts.clock, parts.nonce)
        shared = (self.host, self.visibility, self.commands, self.actions, self.addresses)
        return PageComposition(PageParts(*known, *shared, self.pruning.remove_run))

    @cached_property
    def queries(self) -> QueryHandler:
        """Of callers over HTTP who ask."""
        return QueryHandler(self.actions, self.parts.store, self.parts.clock)

    @cached_property
    def deliveries(self) -> DeliveryHandler:
        """Of what GitHub and Slack send, and of what follows a run."""
        parts = self.parts
        return delivery_handler(
            DeliveryParts(
                registry=parts.registry,
                store=parts.store,
                clock=parts.clock,
                host=self.host,
                settlement=self.settlement,
                answers=self.answers,
                audience=self.audience,
                conversation=self.conversation,
                resolver=self.resolver,
                enqueuer=self.enqueuer,
                cards=self.cards,
                askers=self.approvals.askers,
                files=self.repository_files.handler,
                locks=self.actions.locks,
                slack=self.slack.dispatch if self.slack else None,
            )
        )

    @cached_property
    def repository_files(self) -> RepositoryComposition:
        """What repositories define."""
        return RepositoryComposition(self.parts.registry, self.host, self.holder, self.parts.nonce)

    @cached_property
    def answers(self) -> Answers:
        """What is said to who asked."""
        return Answers(self.parts.clock, self.parts.nonce)

    @cached_property
    def settlement(self) -> Settlement:
        """What becomes of deliveries."""
        return Settlement(self.parts.registry, self.holder)

    @cached_property
    def conversation(self) -> Conversation:
        """What people type, and press."""
        return Conversation(
            self.commands, self.authorization, self.settlement, self.visibility, self.parts.clock
        )

    @cached_property
    def slack_people(self) -> SlackPeople | None:
        """What Slack says of people."""
        slack = self.parts.slack
        return None if slack is None else SlackPeople(slack, self.parts.clock)

    @cached_property
    def slack_groups(self) -> SlackGroups | None:
        """What Slack says of user groups."""
        slack = self.parts.slack
        return None if slack is None else SlackGroups(slack, self.parts.clock)

    @cached_property
    def slack_identities(self) -> SlackIdentities:
        """Which account of GitHub they are."""
        emails = self.parts.github.emails if self.parts.github is not None else None
        return SlackIdentities(self.parts.registry, self.slack_people, emails)

    @cached_property
    def slack(self) -> "SlackComposition | None":
        """What listens to Slack, where it is configured."""
        parts = self.parts
        if parts.slack is None:
            return None
        from bot.slack_composition import SlackComposition, SlackParts

        return SlackComposition(
            SlackParts(
                slack=parts.slack,
                registry=parts.registry,
                store=parts.store,
                contexts=SlackContexts(self.slack_identities),
                actions=self.actions,
                visibility=self.visibility,
                conversation=self.conversation,
                settlement=self.settlement,
                answers=self.answers,
                addresses=self.addresses,
                audience=self.audience,
                inbox=self.approvals.inbox,
                keys=parts.keys,
                clock=parts.clock,
            )
        )

    @cached_property
    def ticks(self) -> TickHandler:
        """Of schedules."""
        parts = self.parts
        return TickHandler(parts.registry, parts.store, self.resolver, self.enqueuer, parts.clock)

    @cached_property
    def approvals(self) -> ApprovalComposition:
        """Of runs that wait for somebody's yes, or for their time."""
        parts, known = self.parts, (self.host, self.authorization)
        return ApprovalComposition(
            ApprovalParts(parts.registry, parts.store, parts.engine, parts.clock, *known)
        )

    # What moves by itself -------------------------------------------------------------------------

    @cached_property
    def holder(self) -> LeaseHolder:
        """This bot as it claims work."""
        return LeaseHolder(self.parts.store, self.parts.owner, self.parts.clock)

    @cached_property
    def engine(self) -> EngineAccess:
        """The engine with its logs."""
        return EngineAccess(self.parts.engine, self.parts.logs)

    @cached_property
    def builder(self) -> BuildWorker:
        """What carries builds."""
        return BuildWorker(self.holder, self.engine, self.parts.registry, self.parts.github)

    @cached_property
    def runner(self) -> RunWorker:
        """What carries runs."""
        return RunWorker(self.holder, self.engine, self.parts.registry, self.parts.nonce)

    @cached_property
    def outbox(self) -> Outbox:
        """What sends posts."""
        parts = self.parts
        first = (parts.registry, parts.store, parts.logs, parts.github, parts.slack)
        known = (*first, parts.clock, parts.nonce, self.holder, self.addresses, self.audience)
        made = posting_composition.PostingParts(*known, self.slack_people, self.slack_groups)
        return posting_composition.outbox(made)

    @cached_property
    def pruning(self) -> Pruning:
        """What forgets."""
        return Pruning(self.parts.registry, self.parts.store, self.parts.logs, self.parts.clock)

    @cached_property
    def retention(self) -> Retention:
        """When what is forgotten."""
        parts = self.parts
        return Retention(self.pruning, parts.registry, parts.store, self.engine, parts.clock)

    @cached_property
    def work(self) -> tuple[Work[Any], ...]:
        """What is claimed, and who carries it."""
        parts, builder, runner = self.parts, self.builder, self.runner
        limits = parts.registry.config.limits
        decides = DeliveryWorker(self.deliveries, parts.store, parts.clock, parts.owner)
        building = (State.BUILDING,)
        return (
            Work("deliveries", Delivery, deliveries.claim, decides.carry, DELIVERIES),
            Work("builds", Build, builds.claim, builder.carry, limits.builds, building, builder.stop),
            Work("runs", Run, runs.claim, runner.carry, limits.runs, ACTIVE, runner.stop),
            Work("posts", Post, posts.claim, self.outbox.send, POSTS),
            self.repository_files.work,
        )

    @cached_property
    def clock(self) -> TickClock:
        """What looks at schedules."""
        return TickClock(self.ticks, self.parts.store)

    @cached_property
    def duties(self) -> tuple[Duty, ...]:
        """What else comes round again."""
        parts = self.parts
        duties: list[Duty] = [LockExpiry(parts.store, parts.clock), self.retention]
        duties.append(RegistryRefresh(parts.registry, parts.store))
        if parts.github is not None:
            duties.append(self.repository_files.discovery)
        duties.append(StartLimits(parts.store, parts.clock))
        duties.append(HeldRuns(self.approvals.holds, parts.store, parts.clock))
        recorded = parts.github.recorded if parts.github is not None else None
        if recorded is not None:
            config = parts.registry.config
            poll = config.github.poll if config.github else None
            duties.append(CatchUp(recorded, self.holder, config.deliveries, poll))
        if parts.socket_mode is not None:
            duties.append(parts.socket_mode)
        if self.slack is not None:
            duties.append(self.slack.follower)
        return tuple(duties)

    @cached_property
    def workers(self) -> Workers:
        """All that moves."""
        return Workers(self.holder, self.work, self.clock, self.duties)
