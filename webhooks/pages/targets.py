"""Where somebody goes on to who has logged in."""

from webhooks.access import is_local_path


def local_target(path: str) -> str:
    """`path` if that is a page here and none of the login's own, else the first page."""
    return path if is_local_path(path) and not path.startswith(("/login", "/logout")) else "/"
