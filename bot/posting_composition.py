"""Puts the outbox together, with a sender for each kind of post."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from bot.github import GitHub
from bot.posting.addresses import PageAddresses
from bot.posting.annotations import LogAnnotations
from bot.posting.audience import Audience
from bot.posting.callees import Callees
from bot.posting.channel_notes import ChannelNotes
from bot.posting.deployments import DeploymentPosts
from bot.posting.digest_posts import DigestPosts
from bot.posting.facing import Facing
from bot.posting.file_posts import FilePosts
from bot.posting.github_posts import GitHubPosts
from bot.posting.outbox import Outbox
from bot.posting.pace import Pace
from bot.posting.slack_addresses import SlackAddresses
from bot.posting.slack_members import SlackMembers
from bot.posting.slack_pictures import SlackPictures
from bot.posting.slack_posts import SlackPosts
from bot.posting.storms import ChannelTurns
from bot.registry import Registry
from bot.slack import Slack
from bot.slack.directory import SlackGroups, SlackPeople
from bot.store import Store
from bot.store.holder import LeaseHolder
from executor.logs.store import LogStore

CHANNEL_PACE = 1.0
"""Seconds between two messages or edits in one channel: https://docs.slack.dev/apis/web-api/rate-limits."""


@dataclass(frozen=True, slots=True)
class PostingParts:
    """What its classes need of the others; taken whole by nobody but this."""

    registry: Registry
    store: Store
    logs: LogStore
    github: GitHub | None
    slack: Slack | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    holder: LeaseHolder
    addresses: PageAddresses
    audience: Audience
    people: SlackPeople | None
    groups: SlackGroups | None


def outbox(parts: PostingParts) -> Outbox:
    """What sends posts."""
    members = SlackMembers(parts.registry, parts.people)
    notes = ChannelNotes(parts.store, members, parts.addresses, parts.clock)
    slack_addresses = SlackAddresses(parts.store, parts.slack)
    facing = Facing(parts.store, parts.addresses, parts.audience, slack_addresses, notes)
    github = GitHubPosts(parts.github, facing, LogAnnotations(parts.logs), parts.registry, parts.clock)
    deployments = DeploymentPosts(parts.github, facing, parts.store)
    slack = SlackPosts(parts.slack, facing, SlackPictures(parts.store, parts.clock), parts.clock)
    digests = DigestPosts(parts.slack, facing, parts.store, Callees(members, parts.groups))
    section = parts.registry.config.github
    pace = Pace(section.pace if section else 0.0, monotonic)
    channels = ChannelTurns(parts.holder, Pace(CHANNEL_PACE, monotonic, burst=1), parts.nonce)
    files = FilePosts(parts.github, parts.registry, parts.clock)
    return Outbox(parts.holder, (github, deployments, files, slack, digests), pace, channels)
