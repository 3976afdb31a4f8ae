"""Where somebody goes on to who has logged in."""


def local_target(path: str) -> str:
    """`path` if that is a page here and none of the login's own, else the first page."""
    return path if is_local_path(path) and not path.startswith(("/login", "/logout")) else "/"


def is_local_path(path: str) -> bool:
    """Whether a browser that is sent to `path` stays here: not to `//host`, `/\\host` or `javascript:`."""
    return (
        len(path) <= 512
        and path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
        and path.isascii()
        and "\\" not in path
        and " " not in path
    )
