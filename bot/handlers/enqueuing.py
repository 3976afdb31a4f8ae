"""What it takes to start: the commit that is meant, who may, the build it needs, the places to tell.

Asks GitHub, then gives drafts to the transaction; nothing here writes outside of one.
"""

import shlex
from collections.abc import Iterable
from dataclasses import replace

from bot import messages
from bot.access import policy
from bot.catalog.catalog import ownerless
from bot.catalog.images import Image
from bot.commands.reader import split
from bot.context import Context
from bot.errors import AskerError, NotAllowed, NotAlone, Unfit
from bot.github import PullRequest
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.orders import OF_FORK, Order, Seen, Source, Target, with_tag
from bot.posting import targets
from bot.states import State
from bot.store import Session, admission, builds, posts, runs, versions
from bot.tables import Build, Post, Run
from bot.text import refs
from bot.text.wording import quoted


def _closed(asked: RequestContext, pull: PullRequest) -> str:
    """Why a command that would take the code of a pull request which is over starts nothing (Markdown)."""
    words, option = split(asked.line), f"--ref {shlex.quote(pull.base_ref)}"
    end = words.index("--") if "--" in words else len(words)
    named = f"{shlex.join(words[:end])} {option} {shlex.join(words[end:])}".rstrip()
    line = f"`{words[0]} run NAME {option}`" if "rerun" in words[1:2] else messages.code(named, 500)
    state = "merged" if pull.merged else "closed"
    return (
        f"This pull request is {state}, so its branch is not taken any more, and nothing was started."
        f" Name what is to be taken instead: {line}"
    )


class Enqueuer:
    """Resolves and enqueues for everything that starts builds or runs."""

    def __init__(self, tools: Context, people: Authorization) -> None:
        self._tools = tools
        self._authorization = people

    async def target(
        self, asked: RequestContext, image_name: str | None, ref: str | None, tag: str | None = None
    ) -> Target:
        """The commit of `ref`, else of the pull request, else of the default branch; `AskerError` if none.

        With `tag` it is that tag of the image's own repository in a registry instead. Who may have an image
        that is not built is said by the repository that is asked from, as without one.
        """
        image = None if image_name is None else self._authorization.catalog(asked).image(image_name)
        if tag is not None:
            return await self._tagged(asked, image, ref, tag)
        if image is None or image.repository is None:
            return await self._unbuilt(asked, image, ref)
        repository = self._tools.registry.catalog.spelling(image.repository)
        await self._authorization.require(asked, repository)
        if ref is None and asked.pull is not None and asked.repository == repository:
            pull = asked.pull
            if pull.state != "open":
                raise AskerError(_closed(asked, pull))
            self._require_own(fork=pull.is_fork)
            ref = pull.head_ref
            if pull.is_fork:
                ref = f"{pull.head_repository or 'a fork'}{OF_FORK}{ref}"
            return Target(repository, asked.public, Source(image, pull.head_sha, ref))
        return await self.head(image, repository, ref)

    async def _unbuilt(self, asked: RequestContext, image: Image | None, ref: str | None) -> Target:
        if asked.repository is None and asked.caller is None:
            name = None if image is None else image.name
            raise AskerError(f"{ownerless(name)} says who may run it; ask in a pull request.")
        if asked.repository is not None:
            await self._authorization.require(asked, asked.repository)
        if ref is not None:
            which = "This job has no image" if image is None else f"{quoted(image.name)} is not built here"
            told = f"{which}, so `--ref` has no commit to choose."
            raise Unfit(told, [(("ref",), told)])
        return Target(asked.repository, asked.public, ready=image, follows=True)

    async def _tagged(self, asked: RequestContext, image: Image | None, ref: str | None, tag: str) -> Target:
        """That tag of `image`; whoever may have what it is built of may have what was pushed for it."""
        if ref is not None:
            told = "Either a commit or a tag: the image comes from one of them."
            raise Unfit(told, [(("ref",), told)])
        chosen = with_tag(image, tag)
        if image is None or image.repository is None:
            target = await self._unbuilt(asked, chosen, None)
            return replace(target, follows=False)
        repository = self._tools.registry.catalog.spelling(image.repository)
        await self._authorization.require(asked, repository)
        about = await self._tools.about(repository)
        return Target(repository, not about.private, ready=chosen)

    def _require_own(self, *, fork: bool) -> None:
        """Raise `NotAllowed` where the code is a fork's and forks are not allowed."""
        verdict = policy.may_build(fork=fork, forks=self._tools.config.forks)
        if not verdict.allowed:
            raise NotAllowed(verdict.sentence)

    def _require_own_commit(self, ref: str, repository: str) -> None:
        """Raise `NotAllowed` where a commit that is on no branch and no tag is not run."""
        verdict = policy.may_build_foreign(ref=ref, repository=repository, forks=self._tools.config.forks)
        if not verdict.allowed:
            raise NotAllowed(verdict.sentence)

    async def head(self, image: Image, repository: str, ref: str | None = None) -> Target:
        """The commit of `ref`, else of the default branch; `AskerError` if none. Asks for nobody's rights."""
        github = self._tools.required_github
        about = await self._tools.about(repository)
        if ref is None:
            named = await github.branch(repository, about.default_branch)
            return Target(repository, not about.private, Source(image, named.sha, named.ref), follows=True)
        named, note = await github.commit(repository, ref), None
        shown = named.ref
        if named.kind == "commit" and not await github.owns(repository, named.sha, about.default_branch):
            self._require_own_commit(ref, repository)
            shown = f"a fork{OF_FORK}{ref}"
        if named.also_tag:
            tag = quoted(f"--ref tags/{ref}")
            note = f"{quoted(ref)} is a branch and a tag: this is the branch; {tag} takes the tag."
        return Target(repository, not about.private, Source(image, named.sha, shown), note=note)

    async def same_target(self, asked: RequestContext, run: Run, repository: str | None) -> Target:
        """What `run`, which is of `repository`, worked on, with its image as it was defined then."""
        public = asked.public
        if (
            repository is not None and repository != asked.repository
        ):  # it may have become private, or public, since
            public = not (await self._tools.about(repository)).private
        if run.image_definition is not None:
            ready = Image.model_validate(run.image_definition)
            return Target(repository, public, ready=ready, digest=run.digest)
        if run.build_number is None:
            return Target(repository, public)
        number = run.build_number
        build = await self._tools.store.read(lambda s: builds.get(s, number))
        if build is None:
            raise AskerError(f"The build of #{run.number} is no longer kept; `--latest` takes today's image.")
        await self._require_own_still(run.ref, repository or build.repository, build.commit)
        image = Image.model_validate(build.definition)
        return Target(repository, public, Source(image, build.commit, run.ref))

    async def _require_own_still(self, ref: str | None, repository: str, commit: str) -> None:
        """Raise `NotAllowed` where a fork's code would run again and forks are not allowed (any more)."""
        if ref is None or self._tools.config.forks:
            return
        _, of_fork, name = ref.partition(OF_FORK)
        if of_fork and not refs.is_sha(name):
            self._require_own(fork=True)
        if of_fork or refs.is_sha(ref) or refs.is_pull(ref):
            about = await self._tools.about(repository)
            if not await self._tools.required_github.owns(repository, commit, about.default_branch):
                self._require_own_commit(name or ref, repository)

    def enqueue(self, session: Session, order: Order) -> Run:
        """Store the run, the build it needs and its cards; gives the run, also if it was stored before.

        Raises `NotAlone` where the job wants to be alone and is under way.
        """
        why = admission.refusal(session, order.job.name, order.overlap.concurrency)
        if why is not None and not runs.is_known(session, order.key):
            raise NotAlone(messages.reason(why), why)
        draft = self.draft(session, order, Seen())
        stored, _ = runs.enqueue(session, draft.run, draft.cards, now=self._tools.clock(), nonce=draft.nonce)
        return stored

    def draft(self, session: Session, order: Order, seen: "Seen") -> runs.Draft:
        """The run of `order` and its cards, not stored yet, and the build it needs, which is.

        `seen` is for this transaction: made anew for every one, since one that fails may be run again.
        """
        asked, job, built = order.asked, order.job, seen.builds
        target = order.target
        if target.follows and target.image is not None:
            target = target.chosen(seen.tag(session, job.name))
        source = target.source
        run = Run(
            key=order.key,
            name="",
            job=job.name,
            definition=job.model_dump(mode="json"),
            parameters=dict(order.parameters),
            arguments=list(order.arguments),
            repository=target.repository,
            public=target.public,
            cause=asked.cause,
            actor=asked.actor,
            rerun_of=order.rerun_of,
            tick_at=order.tick_at,
            tail=[],  # pydantic takes a third of all this time to make an empty list of its own
            lock=order.overlap.lock,
            concurrency=order.overlap.concurrency,
            version=self._version(session, order),
            created_at=self._tools.clock(),
        )
        if source is not None:
            needed = f"{source.image.name}@{source.commit}"
            if needed not in built:
                built[needed] = self._build_for(session, order, target, source)
            build = built[needed]
            run.image, run.ref, run.commit = source.image.name, source.ref, source.commit
            run.build_number, run.digest = build.number, build.digest
        elif target.ready is not None:
            run.image, run.image_definition, run.digest = target.ready.name, target.definition, target.digest
        cards = self._cards(asked, target, github=job.notify.github, channels=[job.notify.slack])
        return runs.Draft(run, cards, self._tools.nonce())

    def _version(self, session: Session, order: Order) -> int | None:
        if order.version is not None:
            return order.version
        job = order.job
        known = self._tools.registry.version(job)  # which has turned a page since, perhaps
        return known or versions.find(session, job.name, job.model_dump(mode="json"))

    def need_build(self, session: Session, asked: RequestContext, target: Target) -> Build:
        """Store that the image is wanted from that commit, unless it is built, and tell how it goes."""
        source = target.source
        if source is None:
            raise ValueError("only an image can be built")
        jobs = self._tools.registry.catalog.jobs_of_image(source.image.name)
        github = not jobs or any(job.notify.github for job in jobs)
        build = self._build(session, asked, target, source)
        cards = self._cards(asked, target, github=github, channels=(job.notify.slack for job in jobs))
        posts.add_cards(session, cards, build=build.identity)
        return build

    def _build_for(self, session: Session, order: Order, target: Target, source: Source) -> Build:
        """The build that a run needs, told on the commit while it is not done: its end may be the run's."""
        build, tools = self._build(session, order.asked, target, source), self._tools
        if build.state != State.FINISHED and order.job.notify.github and tools.github and target.repository:
            app, now, nonce = tools.github.is_app, tools.clock(), tools.nonce()
            card = targets.commit(target.repository, source.commit, app=app, now=now, nonce=nonce)
            posts.add_cards(session, [card], build=build.identity)
        return build

    def _build(self, session: Session, asked: RequestContext, target: Target, source: Source) -> Build:
        now = self._tools.clock()
        build = Build(
            key="",
            name="",
            image=source.image.name,
            repository=target.repository or source.image.repository or "",
            ref=source.ref,
            commit=source.commit,
            definition=source.image.recipe,
            public=target.public,
            cause=asked.cause,
            actor=asked.actor,
            created_at=now,
        )
        return builds.need(session, build, now=now, nonce=self._tools.nonce())

    def _cards(
        self, asked: RequestContext, target: Target, *, github: bool, channels: Iterable[str | None]
    ) -> list[Post]:
        """Where it is told: where it was asked, on the commit, and in the channels that want to know."""
        tools = self._tools
        now, nonce = tools.clock(), tools.nonce
        cards: list[Post] = []
        if asked.repository is not None and asked.number is not None:
            cards.append(targets.comment(asked.repository, asked.number, now=now, nonce=nonce()))
        if github and target.repository and target.source is not None and tools.github is not None:
            where, app = (target.repository, target.source.commit), tools.github.is_app
            cards.append(targets.commit(*where, app=app, now=now, nonce=nonce()))
        if tools.slack is not None:
            told = dict.fromkeys(channel for channel in channels if channel)
            if asked.channel is not None and asked.channel_name not in told:
                told[asked.channel] = None
            here = (asked.channel, asked.channel_name)
            cards += [
                targets.channel(
                    channel, url=asked.response_url if channel in here else None, now=now, nonce=nonce()
                )
                for channel in told
            ]
        return cards
