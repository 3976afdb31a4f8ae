"""A house where code of forks is run, in containers, once somebody has looked at it."""

from bot.store import Session, forks
from bot.tables import ForkCommit
from tests.bot.house import SHOP, House


def with_forks(home: House, *, kind: str = "container", allowed: bool = True) -> House:
    """The same house with `forks`, on an engine of this kind."""
    config = home.tools.registry.config
    assert config.github is not None
    changes = {
        "github": config.github.model_copy(update={"forks": allowed}),
        "engine": config.engine.model_copy(update={"kind": kind}),
    }
    return home.without(config=config.model_copy(update=changes))


async def looked_at(home: House, commit: str, pull: int) -> None:
    """Somebody has approved a commit."""

    def add(session: Session) -> None:
        row = ForkCommit(repository=SHOP, commit=commit, pull=pull, actor="github:octocat", at=home.now)
        forks.add(session, row)

    await home.write(add)
