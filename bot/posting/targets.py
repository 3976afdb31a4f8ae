"""Where a run or a build is told about: pure, one `Post` per place.

A post's key says what it is about and where, so nothing is ever told twice in one place; the store
puts the number of its run or build in front when that is known.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.tables import OccurrenceSeen, Post


@dataclass(frozen=True, slots=True)
class PullPlace:
    """A pull request, or (`thread`) the comments on a line of its code, of which that is the first."""

    repository: str
    issue: int
    thread: int | None = None

    @property
    def fields(self) -> dict[str, object]:
        """As a post keeps it."""
        thread = {} if self.thread is None else {"thread": self.thread}
        return {"repository": self.repository, "issue": self.issue, **thread}

    def topic(self, what: str) -> str:
        """By which the posts are known of which the newest takes the place of the others."""
        return f"{self.repository.casefold()}#{self.issue}:{what}"


@dataclass(frozen=True, slots=True)
class ChannelPlace:
    """A Slack channel by name or id, or (`thread`) what is said below a message of it, by its `ts`.

    `is_origin`: it was asked for there.
    """

    channel: str
    thread: str | None = None
    is_origin: bool = False

    @property
    def fields(self) -> dict[str, object]:
        """As a post keeps it."""
        thread = {} if self.thread is None else {"thread": self.thread}
        origin = {"asked": True} if self.is_origin else {}
        return {"channel": self.channel, **thread, **origin}

    @property
    def key(self) -> str:
        """Of the cards there: a thread is a place of its own."""
        return self.channel if self.thread is None else f"{self.channel}:{self.thread}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which check of which commit is answered without a run; `conclusion` is `neutral` or `failure`.

    `title` is one sentence, `app` whether it is told as a check run, else as a status. `key` is why.
    """

    repository: str
    commit: str
    job: str
    conclusion: str
    title: str
    app: bool
    key: str


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A commit of a repository that may define jobs; `prefix` is what its names begin with, if it has one."""

    repository: str
    number: int
    commit: str
    prefix: str = ""


FILES = ("github_file", "github_file_plan")
"""Kinds of posts that are checks of files."""
ANSWERS = "answers"
"""The topic of what was only asked to be shown."""


def comment(place: PullPlace, subject: str, line: str = "", *, now: float, nonce: str) -> Post:
    """A card on a pull request; a later one of the same `subject` (`run:migrate`) takes its place.

    `line` is the command as it was typed there.
    """
    fields = {**place.fields, **({"line": line} if line else {})}
    card = _card("github_comment", f"{place.repository}#{place.issue}", fields, now, nonce)
    card.topic = place.topic(subject)
    return card


def commit(repository: str, sha: str, *, app: bool, now: float, nonce: str) -> Post:
    """A check run (as an App) or a commit status (with a token)."""
    place: dict[str, object] = {"repository": repository, "commit": sha}
    kind = "github_check" if app else "github_status"
    return _card(kind, f"{repository}@{sha}", place, now, nonce)


def deployment(row: OccurrenceSeen, repository: str, *, now: float, nonce: str) -> Post:
    """The status of a deployment that GitHub told of."""
    place: dict[str, object] = {
        "repository": repository,
        "deployment": row.deployment,
        "occurrence": row.identity,
    }
    return _card("github_deployment", f"{repository}:{row.deployment}", place, now, nonce)


def review(row: OccurrenceSeen, repository: str, *, now: float, nonce: str) -> Post:
    """The answer to a protection rule, for which a run of a workflow waits."""
    place: dict[str, object] = {
        "repository": repository,
        "review": row.review,
        "environment": row.environment,
        "occurrence": row.identity,
    }
    return _card("github_review", f"{repository}:{row.review}:{row.environment}", place, now, nonce)


def verdict(place: Verdict, text: str, *, now: float, nonce: str) -> Post:
    """A check of a job that has no run: why nothing runs, with its conclusion."""
    key = f"verdict:{place.repository}@{place.commit}:{place.job}:{place.key}"
    return Post(
        kind="github_verdict",
        key=key,
        place=asdict(place),
        text=text,
        nonce=nonce,
        due_at=now,
        created_at=now,
    )


def told_again(post: Post, key: str, *, now: float) -> Post:
    """The same check of a file as another post; `key` is why."""
    first = post.key.partition(":again:")[0]
    return Post(
        kind=post.kind,
        key=f"{first}:again:{key}",
        place=dict(post.place),
        nonce=post.nonce,
        due_at=now,
        created_at=now,
    )


def file_report(place: FilePlace, report: Mapping[str, Any], *, now: float, nonce: str) -> Post:
    """The check of a commit of the default branch: what came of its file; said once of each commit."""
    digest = hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()
    return Post(
        kind="github_file",
        key=f"file:{place.number}@{place.commit}:{digest}",
        place={**asdict(place), "report": dict(report)},
        nonce=nonce,
        due_at=now,
        created_at=now,
    )


def file_plan(place: FilePlace, pull: int, branch: str, *, now: float, nonce: str) -> Post:
    """The check of the head of a pull request to `branch`, if it changes the file."""
    return Post(
        kind="github_file_plan",
        key=f"file-plan:{place.number}#{pull}@{place.commit}",
        place={**asdict(place), "pull": pull, "branch": branch},
        nonce=nonce,
        due_at=now,
        created_at=now,
    )


def channel(
    place: ChannelPlace, *, url: str | None = None, quiet: bool = False, now: float, nonce: str
) -> Post:
    """A message in a Slack channel; `url` reaches who asked where the bot may not post.

    `quiet`: nothing is said before there is an occasion.
    """
    fields = place.fields if url is None else {**place.fields, "url": url}
    card = _card("slack_message", place.key, fields, now, nonce)
    card.state = "quiet" if quiet else card.state
    return card


def thread(card: Post, channel: str, ts: str, *, now: float) -> Post:
    """What hangs below a card of Slack, which is at `ts` of the channel (its id).

    A card that is itself in a thread has it beside it: Slack knows no threads in threads.
    """
    return Post(
        kind="slack_thread",
        key=f"{card.key}:thread",
        place={"channel": channel, "thread": card.place.get("thread", ts)},
        run_number=card.run_number,
        build_number=card.build_number,
        nonce=f"{card.nonce}-thread",
        due_at=now,
        created_at=now,
    )


def comment_reply(
    key: str, place: PullPlace, text: str, *, public: bool = False, now: float, nonce: str
) -> Post:
    """Words said once on a pull request; `public`: they were written for everybody to read."""
    fields = {**place.fields, "public": public}
    return Post(
        kind="github_comment", key=key, place=fields, text=text, nonce=nonce, due_at=now, created_at=now
    )


def reaction(
    key: str, repository: str, comment: int, content: str, *, on_line: bool = False, now: float, nonce: str
) -> Post:
    """A reaction to a comment, perhaps `on_line` of the code; `content` is one of GitHub's eight."""
    place = {"repository": repository, "comment": comment, "content": content}
    place |= {"on_line": True} if on_line else {}
    return Post(kind="github_reaction", key=key, place=place, nonce=nonce, due_at=now, created_at=now)


def minimizing(post: Post, *, now: float) -> Post:
    """That a comment of ours is folded away, since a later one says it anew."""
    place = {"repository": post.place["repository"], "node": post.remote_note}
    key = f"minimize:{post.identity}"
    return Post(kind="github_minimize", key=key, place=place, nonce="", due_at=now, created_at=now)


def slack_reply(key: str, url: str, text: str, *, now: float, nonce: str) -> Post:
    """Words that only the person who typed the command sees."""
    return Post(
        kind="slack_response", key=key, place={"url": url}, text=text, nonce=nonce, due_at=now, created_at=now
    )


def with_blocks(reply: Post, blocks: Sequence[Mapping[str, object]]) -> Post:
    """An answer in Slack that is also said in these blocks."""
    reply.place = {**reply.place, "blocks": list(blocks)}
    return reply


def replacing(reply: Post) -> Post:
    """An answer to a button, which takes the place of the message that had it."""
    reply.place = {**reply.place, "replaces": True}
    return reply


def slack_ephemeral(key: str, place: ChannelPlace, user: str, text: str, *, now: float, nonce: str) -> Post:
    """Words in a channel or a thread that only this user sees."""
    fields = {**place.fields, "user": user}
    return Post(
        kind="slack_ephemeral", key=key, place=fields, text=text, nonce=nonce, due_at=now, created_at=now
    )


def _card(kind: str, where: str, place: dict[str, object], now: float, nonce: str) -> Post:
    return Post(kind=kind, key=f"{kind}:{where}", place=place, nonce=nonce, due_at=now, created_at=now)
