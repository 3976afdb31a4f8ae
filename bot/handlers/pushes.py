"""What a push starts: builds of the images whose filters let it through, and the jobs that say `on: [push]`.

Nobody's permission is asked: whoever runs the installation wrote down what a push starts. What became of each
image is a row, by which `why` tells it and by which older pushes are known to be old.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bot import messages
from bot.catalog.images import Image
from bot.errors import AskerError
from bot.events import Push
from bot.handlers import push_filters
from bot.handlers.authorization import RequestContext
from bot.handlers.cards import CardTargets
from bot.handlers.decisions import Decision, ignored
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import Source, Target
from bot.handlers.start import default_order
from bot.registry import Registry
from bot.states import ActorKind, Cause, State
from bot.store import Session, builds, image_tags, posts, push_verdicts, pushes
from bot.store.push_verdicts import BUILT, DELETED, FILTERED, OLDER, REPEATED
from bot.tables import Delivery, Post, PushSeen, PushVerdict

_LATE: Mapping[pushes.Order, str] = {"older": OLDER, "same": REPEATED}
"""What becomes of an image that a push does not build any more, or not again."""


class PushHandler:
    """Decides about pushes."""

    def __init__(
        self, registry: Registry, enqueuer: Enqueuer, cards: CardTargets, clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._cards = cards
        self._enqueuer = enqueuer
        self._clock = clock

    def decide(self, delivery: Delivery, push: Push) -> Decision:
        """What the filters say; takes a while for many paths, so call it in a thread."""
        head = f"push of {push.repository}@{push.ref} {push.commit[:12]}: "
        if not self._registry.config.allows(push.repository):
            return ignored(f"{head}the repository may not talk to this installation")
        images = self._registry.catalog.images_of(push.repository)
        filtered = {image.name: push_filters.decide(image.build, push) for image in images if image.build}
        rows: list[PushVerdict] = []

        def effect(session: Session) -> None:
            rows.clear()
            if images:
                rows.extend(self._settle(session, delivery, push, images, filtered))

        def note() -> str:
            return f"{push.whole_ref} was deleted" if push.deleted else messages.push_note(head, rows)

        return Decision(bool(images), effect, note, lambda: any(row.unstarted for row in rows))

    def _settle(
        self,
        session: Session,
        delivery: Delivery,
        push: Push,
        images: Sequence[Image],
        filtered: Mapping[str, push_filters.PushVerdict],
    ) -> list[PushVerdict]:
        """The transaction: the push takes its place, images are built, and what was decided is kept."""
        row = _seen(delivery, push, self._clock())
        order = pushes.place(session, row)
        passed = [image.name for image in images if image.name in filtered and filtered[image.name].builds]
        verdicts = _verdicts(session, row, order, images, [] if push.deleted else passed)
        key = _key(row, again=order == "again")
        unstarted = self._start(
            session, key, push, [image for image in images if image.name in passed], verdicts
        )
        rows = [
            PushVerdict(
                **row.model_dump(
                    include={"delivery_id", "repository", "ref", "before", "after", "pushed_at"}
                ),
                image=name,
                verdict=verdict,
                reason=filtered[name].reason if verdict in (BUILT, FILTERED) and name in filtered else {},
                unstarted=unstarted.get(name, {}),
                received_at=delivery.received_at,
            )
            for name, verdict in verdicts.items()
        ]
        session.add_all(rows)
        posts.add(session, self._skipped(push, images, rows))
        return rows

    def _skipped(self, push: Push, images: Sequence[Image], rows: Sequence[PushVerdict]) -> list[Post]:
        """The checks of the jobs that would have run, had the commit not said that nothing is to."""
        skipped = {row.image: row for row in rows if row.reason.get("kind") == "skip"}
        cards: list[Post] = []
        for image in images:
            row = skipped.get(image.name)
            jobs = self._registry.catalog.jobs_of_image(image.name) if row is not None else ()
            for job in jobs:
                if row is not None and "push" in job.on and job.notify.github:
                    target = Target(push.repository, push.public, Source(image, push.commit, push.ref))
                    title = f"Skipped: {messages.reason(row.reason)}."
                    cards += self._cards.verdict(target, job.name, "neutral", title, "push")
        return cards

    def _start(
        self, session: Session, key: str, push: Push, passed: Sequence[Image], verdicts: Mapping[str, str]
    ) -> dict[str, dict[str, Any]]:
        """Enqueue the builds and what follows them; gives why jobs could not be started, by image and job.

        Jobs of images that are not built count as well, so that one has the same key however late it comes.
        """
        context = RequestContext(
            key=key, cause=Cause.PUSH, actor=ActorKind.GITHUB.named(push.sender), login=push.sender
        )
        unstarted: dict[str, dict[str, Any]] = {}
        index = 0
        for image in passed:
            jobs = [job for job in self._registry.catalog.jobs_of_image(image.name) if "push" in job.on]
            if verdicts[image.name] == BUILT:
                target = Target(push.repository, push.public, Source(image, push.commit, push.ref))
                self._build(session, context, push, image, target)
                for place, job in enumerate(jobs, index):
                    try:
                        self._enqueuer.enqueue(session, default_order(context, job, target, place))
                    except AskerError as refusal:
                        unstarted.setdefault(image.name, {})[job.name] = refusal.reason
            index += len(jobs)
        return unstarted

    def _build(
        self, session: Session, context: RequestContext, push: Push, image: Image, target: Target
    ) -> None:
        build = self._enqueuer.need_build(session, context, target)
        if push.tag:
            return
        builds.supersede(session, build, ref=push.ref, now=self._clock())
        if push.name == push.default_branch:
            image_tags.pushed(session, image.name, push.commit)
            if build.state == State.FINISHED:  # built before, as for a commit that came back
                image_tags.built(session, image.name, push.commit, now=self._clock())


def _verdicts(
    session: Session,
    row: PushSeen,
    order: pushes.Order,
    images: Sequence[Image],
    passed: Collection[str],
) -> dict[str, str]:
    """What becomes of each image; `passed` are those that the filters let through."""
    if row.is_deletion:
        return {image.name: _LATE.get(order, DELETED) for image in images}
    late: Mapping[str, pushes.Order] = {}
    if order == "older":
        late = push_verdicts.orders(session, row, passed)
    elif order == "same":
        late = dict.fromkeys(passed, order)
    return {
        image.name: _LATE.get(late.get(image.name, "new"), BUILT) if image.name in passed else FILTERED
        for image in images
    }


def _seen(delivery: Delivery, push: Push, now: float) -> PushSeen:
    """The push as it is stored."""
    return PushSeen(
        repository=push.repository.casefold() if push.number is None else str(push.number),
        ref=push.whole_ref,
        before=push.before,
        after=push.after,
        pushed_at=push.pushed_at,
        delivery_id=delivery.identity,
        decided_at=now,
    )


def _key(row: PushSeen, *, again: bool) -> str:
    """By which everything that the push starts is known; a branch that came back has another each time."""
    parts = [row.repository, row.ref, row.before, row.after, str(row.pushed_at) if again else ""]
    return "push:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
