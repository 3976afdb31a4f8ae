"""Which commit or image a request means: asks GitHub. Whether the asker may was asked before."""

from dataclasses import replace

from bot.access import policy
from bot.catalog.images import Image
from bot.errors import AskerError, NotAllowed, Unfit
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.forks import ForkGuard
from bot.handlers.heads import HeadGuard, closed
from bot.handlers.orders import Source, Target, with_tag
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.store import Store, builds
from bot.tables import Run
from bot.text import refs
from bot.text.refs import OF_FORK
from bot.text.wording import quoted


class TargetResolver:
    """Finds the target of everything that is built or run."""

    def __init__(
        self, authorization: Authorization, registry: Registry, host: CodeHost, store: Store
    ) -> None:
        self._authorization = authorization
        self._registry = registry
        self._host = host
        self._store = store
        self._heads = HeadGuard(host)
        self.forks = ForkGuard(registry, host, store)
        """Which commits of forks are run."""

    async def target(
        self, context: RequestContext, image_name: str | None, ref: str | None, tag: str | None = None
    ) -> Target:
        """The commit of `ref`, else of the pull request, else of the default branch; `AskerError` if none.

        With `tag` it is that tag of the image's own repository in a registry instead.
        """
        image = None if image_name is None else self._authorization.catalog(context).image(image_name)
        if tag is not None:
            return await self._tagged(context, image, ref, tag)
        if image is None or image.repository is None:
            return await self._unbuilt(context, image, ref)
        repository = self._registry.catalog.spelling(image.repository)
        self._authorization.require_place(context, repository)
        if ref is None and context.pull is not None and context.repository == repository:
            pull = context.pull
            if pull.state != "open":
                raise AskerError(closed(context, pull))
            if pull.is_fork:
                await self.forks.require(repository, pull.head_sha)
            await self._heads.require_unmoved(context, pull)
            ref = pull.head_ref
            if pull.is_fork:
                ref = f"{pull.head_repository or 'a fork'}{OF_FORK}{ref}"
            return Target(repository, context.public, Source(image, pull.head_sha, ref))
        return await self.head(image, repository, ref)

    async def _unbuilt(self, context: RequestContext, image: Image | None, ref: str | None) -> Target:
        if context.repository is not None:
            self._authorization.require_place(context, context.repository)
        if ref is not None:
            which = "This job has no image" if image is None else f"{quoted(image.name)} is not built here"
            sentence = f"{which}, so `--ref` has no commit to choose."
            raise Unfit(sentence, [(("ref",), sentence)])
        return Target(context.repository, context.public, ready=image, follows=True)

    async def _tagged(
        self, context: RequestContext, image: Image | None, ref: str | None, tag: str
    ) -> Target:
        """That tag of `image`; whoever may have what it is built of may have what was pushed for it."""
        if ref is not None:
            sentence = "Either a commit or a tag: the image comes from one of them."
            raise Unfit(sentence, [(("ref",), sentence)])
        chosen = with_tag(image, tag)
        if image is None or image.repository is None:
            target = await self._unbuilt(context, chosen, None)
            return replace(target, follows=False)
        repository = self._registry.catalog.spelling(image.repository)
        self._authorization.require_place(context, repository)
        about = await self._host.about(repository)
        return Target(repository, not about.private, ready=chosen)

    async def _require_foreign(self, ref: str, repository: str, commit: str) -> None:
        """Raise `NotAllowed` where a commit that is on no branch and no tag is not run."""
        verdict = policy.may_build_foreign(ref=ref, repository=repository, forks=self._registry.config.forks)
        if not verdict.allowed:
            raise NotAllowed(verdict.sentence, "forks")
        await self.forks.require(repository, commit)

    async def head(self, image: Image, repository: str, ref: str | None = None) -> Target:
        """The commit of `ref`, else of the default branch; `AskerError` if none. Asks for nobody's rights."""
        github = self._host.required
        about = await self._host.about(repository)
        if ref is None:
            named = await github.branch(repository, about.default_branch)
            return Target(repository, not about.private, Source(image, named.sha, named.ref), follows=True)
        named, note = await github.commit(repository, ref), None
        shown = named.ref
        if named.kind == "commit" and not await github.owns(repository, named.sha, about.default_branch):
            await self._require_foreign(ref, repository, named.sha)
            shown = f"a fork{OF_FORK}{ref}"
        if named.also_tag:
            tag = quoted(f"--ref tags/{ref}")
            note = f"{quoted(ref)} is a branch and a tag: this is the branch; {tag} takes the tag."
        return Target(repository, not about.private, Source(image, named.sha, shown), note=note)

    async def same_target(self, context: RequestContext, run: Run, repository: str | None) -> Target:
        """What `run`, which is of `repository`, worked on, with its image as it was defined then."""
        public = context.public
        if repository is not None and repository != context.repository:
            # It may have become private, or public, since.
            public = not (await self._host.about(repository)).private
        if run.image_definition is not None:
            ready = Image.model_validate(run.image_definition)
            return Target(repository, public, ready=ready, digest=run.digest)
        if run.build_number is None:
            return Target(repository, public)
        number = run.build_number
        build = await self._store.read(lambda s: builds.get(s, number))
        if build is None:
            latest = self._authorization.latest_word(context)
            raise AskerError(f"The build of #{run.number} is no longer kept; {latest} takes today's image.")
        await self._require_own_still(run.ref, repository or build.repository, build.commit)
        image = Image.model_validate(build.definition)
        return Target(repository, public, Source(image, build.commit, run.ref))

    async def _require_own_still(self, ref: str | None, repository: str, commit: str) -> None:
        """Raise `NotAllowed` where a fork's code would run again of which that is not said (any more)."""
        if ref is None:
            return
        _, of_fork, name = ref.partition(OF_FORK)
        if of_fork and not refs.is_sha(name):
            await self.forks.require(repository, commit)
        elif of_fork or refs.is_sha(ref) or refs.is_pull(ref):
            about = await self._host.about(repository)
            if not await self._host.required.owns(repository, commit, about.default_branch):
                await self._require_foreign(name or ref, repository, commit)
