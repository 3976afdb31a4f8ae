"""Where the command line keeps logins: tokens in the keyring where there is one, else in a file of one's own.

The keyring is what the library `keyring` finds, which may be installed beside Errand. The file says which
logins there are, and which is the one that is meant; it holds tokens only where no keyring does.
"""

import importlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SERVICE = "errand"
"""What the entries of the keyring are called; each has the address as its name."""
_LIMIT = 1 << 20
"""Bytes of the file."""
_MOST = 100
"""Logins that are kept; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login at an Errand; `expires_at` in seconds since the epoch. `token` None: the keyring has it."""

    address: str
    login: str
    expires_at: float
    token: str | None = None


class Logins:
    """The logins of this user. `environ` says where the file is, as XDG has it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        home = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        self.path = Path(home) / "errand" / "logins.json"

    def newest(self) -> Login | None:
        """The one that was made last, which is meant where nobody names an address."""
        kept = self._read()
        return kept[-1] if kept else None

    def at(self, address: str) -> Login | None:
        """The one at an address."""
        return next((each for each in self._read() if each.address == address), None)

    def token(self, login: Login) -> str | None:
        """With which it comes; None where the keyring has it no more, or is locked."""
        if login.token is not None:
            return login.token
        ring = _keyring()
        if ring is None:
            return None
        with suppress(Exception):  # whatever a backend raises, it gives no token
            found = ring.get_password(SERVICE, login.address)
            return str(found) if found else None
        return None

    def keep(self, address: str, login: str, expires_at: float, token: str) -> bool:
        """Keep it as the newest; True: its token is in the keyring. `OSError` where the file cannot be."""
        is_ringed = False
        ring = _keyring()
        if ring is not None:
            with suppress(Exception):
                ring.set_password(SERVICE, address, token)
                is_ringed = True
        others = [each for each in self._read() if each.address != address]
        made = Login(address, login, expires_at, None if is_ringed else token)
        self._write([*others, made][-_MOST:])
        return is_ringed

    def forget(self, address: str) -> None:
        """Keep it no more; `OSError` where the file cannot be written."""
        ring = _keyring()
        if ring is not None:
            with suppress(Exception):
                ring.delete_password(SERVICE, address)
        kept = self._read()
        left = [each for each in kept if each.address != address]
        if left != kept:
            self._write(left)

    def _read(self) -> list[Login]:
        """Those of a file that nobody else may read; none of another."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o077:
                    return []
                content = json.loads(file.read(_LIMIT))
        except (OSError, ValueError, RecursionError):
            return []
        found = content if isinstance(content, list) else []
        return [login for each in found if (login := _login(each)) is not None]

    def _write(self, logins: list[Login]) -> None:
        """Made under another name, so that nobody reads half of it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump([asdict(each) for each in logins], file)
            draft.replace(self.path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def _login(content: object) -> Login | None:
    match content:
        case {"address": str(address), "login": str(login), "expires_at": float(at) | int(at), **more}:
            token = more.get("token")
            return Login(address, login, float(at), token if isinstance(token, str) else None)
    return None


def _keyring() -> Any | None:
    """The library, where it is installed and finds a keyring that keeps anything."""
    try:
        ring = importlib.import_module("keyring")
        return ring if ring.get_keyring().priority >= 1 else None
    except Exception:  # one that is not there, or whose backends fail, is none
        return None
