"""Who changes things on pages that only admins change: asked anew each time, as the API asks it."""

from bot.access import scopes
from bot.errors import NotAllowed
from webhooks.access import Visitor
from webhooks.api.operation import Needs
from webhooks.api.problems import forbidden
from webhooks.pages.parts import Pages


async def require_admin(pages: Pages, visitor: Visitor) -> None:
    """Raise `NotAllowed`, in the words of the API, unless they are one as it is now; may `RetryLater`."""
    may = scopes.may_change(visitor.scopes)
    if may and visitor.login is not None:
        may = await pages.is_admin(visitor.login)
    if not may:
        raise NotAllowed(forbidden(Needs.ADMIN.value, visitor.login).detail, "pages.admins")
