"""How much waits in each queue, for `/metrics`."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.states import State
from bot.store import posts
from bot.store.columns import DELIVERY, POST, table_of
from bot.tables import Build, Delivery, Post, Run


@dataclass(frozen=True, slots=True)
class Depths:
    """Rows that are not yet done with: deliveries, posts, and runs and builds by state."""

    deliveries: int
    posts: int
    runs: dict[str, int]
    builds: dict[str, int]


def depths(session: Session) -> Depths:
    """Count what waits; one query per table, each over an index of open rows."""
    stored = select(func.count()).select_from(Delivery).where(DELIVERY.state == "stored")
    unsent = select(func.count()).select_from(Post).where(POST.state == "open", POST.sent < POST.wanted)
    unsent = unsent.where(~posts.TELLS_TIME)
    return Depths(
        session.scalar(stored) or 0,
        session.scalar(unsent) or 0,
        _by_state(session, Run),
        _by_state(session, Build),
    )


def _by_state(session: Session, table: type[Run] | type[Build]) -> dict[str, int]:
    open_ = [state for state in State if state is not State.FINISHED]
    state = table_of(table).c.state
    query = select(state, func.count()).where(state.in_(open_)).group_by(state)
    return {row[0]: row[1] for row in session.execute(query)}
