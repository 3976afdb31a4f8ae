"""Runs git so that only its arguments decide what it does, and only the host learns the token."""

import os
import re
import subprocess
import time
from collections.abc import Mapping

from executor.checkout.echo import echoed
from executor.logs.redaction import Redactor

_ORIGIN = re.compile(r"(https?)://(?:([^@/?#]*)@)?([^@/?#]+)")
_URL = re.compile(r"(?:https?|ssh|file)://[!-~]+|/[^\0\n]+|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:[!-~]+", re.ASCII)
_PASSWORD = re.compile(r"(https?://[^:@/?#]*):([^@/?#]*)@")

_PASSED = ("PATH", "LD_LIBRARY_PATH", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
ENVIRONMENT = (*_PASSED, *_PROXIES, *(name.upper() for name in _PROXIES))
"""What of Errand's own environment git is given."""

_TOKEN = "ERRAND_GIT_TOKEN"  # noqa: S105
_USER = "ERRAND_GIT_USER"
_HELPER = (
    '!f() {{ test "$1" = get && '
    f'printf "username=%s\\npassword=%s\\n" "${_USER}" "{{token}}"; '
    "return 0; }}; f"
)
"""A credential helper as gitcredentials(7) describes it; git asks it for one origin only."""

_CONFIG = {
    "advice.detachedHead": "false",
    "core.askPass": "",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",
    "http.lowSpeedLimit": "1000",  # bytes a second,
    "http.lowSpeedTime": "60",  # seconds below which a transfer is given up
    "init.defaultBranch": "main",
    "maintenance.autoDetach": "false",
    "safe.directory": "*",  # the operator named the repository
    "submodule.recurse": "false",
}

_FINAL = re.compile(
    r"authentication failed|could not read (username|password)|not found|does not exist|permission denied"
    r"|not our ref|unadvertised object|couldn't find remote ref|not appear to be a git repository"
    r"|transport .* not allowed|redirect|error: (400|401|403|404)",
    re.IGNORECASE,
)
"""What trying again does not help against."""

_STALE = re.compile(r"(?:Unable to create '(.+)\.lock'|could not lock config file (.+)): File exists")
_BROKEN = re.compile(
    r"not a git repository|bad object|object .* is (empty|corrupt)|corrupt loose object|unable to read"
    r"|did not send all necessary objects",
    re.IGNORECASE,
)
"""What git says of a mirror that lost something, as in a power cut."""

_STALE_LOCKS = 5
"""How often git is tried again after a lock that a killed one left was removed."""

_WORDS = 500
"""Characters of git's last words."""


class GitFailed(Exception):
    """git's last words, with the token masked."""

    @property
    def mirror_is_broken(self) -> bool:
        """Whether fetching everything anew may help."""
        return _BROKEN.search(str(self)) is not None


class Git:
    """git on the bare repository `mirror` of `url`, which gets `token` if it asks for one."""

    def __init__(self, mirror: str, url: str, token: str, environ: Mapping[str, str]) -> None:
        self._mirror = mirror
        self._secrets = [token.encode()] if token else []
        self._env = _environment(url, token, environ)

    def run(self, *arguments: str, **variables: str) -> None:
        """Run one command with its output copied to this process's own; raises GitFailed.

        `variables` of the environment are for this command only.
        """
        env = self._env | variables
        lines = self._attempt(arguments, env)
        for _ in range(_STALE_LOCKS):
            stale = {path for line in lines or () for path in _locks(line) if self._owns(path)}
            if not stale:
                break
            for path in stale:
                os.unlink(path)  # of a git that was killed: only who locked the mirror gets here
            lines = self._attempt(arguments, env)
        if lines is not None:
            raise GitFailed(self._masked(lines))

    def reach(self, *arguments: str) -> None:
        """`run` something that uses the network, which is tried once more after a moment."""
        try:
            self.run(*arguments)
        except GitFailed as failure:
            if _FINAL.search(str(failure)):
                raise
            time.sleep(1.0)
            self.run(*arguments)

    def succeeds(self, *arguments: str) -> bool:
        """Run one command silently and tell how it went."""
        command = ["git", *arguments]
        return subprocess.run(command, env=self._env, capture_output=True, check=False).returncode == 0

    def answer(self, *arguments: str) -> str | None:
        """Run one command silently; gives what it prints, None if it fails."""
        done = subprocess.run(["git", *arguments], env=self._env, capture_output=True, check=False)
        return None if done.returncode else done.stdout.decode(errors="replace").strip()

    def _attempt(self, arguments: tuple[str, ...], env: dict[str, str]) -> list[str] | None:
        """Give the last lines that git said if it fails."""
        code, last = echoed(["git", *arguments], env)
        return [line.strip() for line in last] if code else None

    def _owns(self, path: str) -> bool:
        return os.path.realpath(path).startswith(self._mirror + "/") and os.path.isfile(path)

    def _masked(self, lines: list[str]) -> str:
        redactor = Redactor(self._secrets)
        telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
        data = " ".join((telling or lines)[-3:]).encode(errors="replace")
        return (redactor.feed(data) + redactor.flush()).decode(errors="replace")[-_WORDS:]


def _locks(line: str) -> list[str]:
    return [f"{file or config}.lock" for file, config in _STALE.findall(line)]


def split_url(url: str, token: str) -> tuple[str, str]:
    """Give a URL without the password in it, and the token: that password if there is no other.

    Raises ValueError for what git does not fetch from. In the URL all would see it in git's arguments.
    """
    if not _URL.fullmatch(url):
        raise ValueError("The repository's URL is none of http, https, ssh, file or a path.")
    if password := _PASSWORD.match(url):
        from urllib.parse import unquote  # seldom needed, and slow to import for every builder

        url = _PASSWORD.sub(r"\1@", url)
        token = token or unquote(password[2])
    return url, token


def environment(url: str, token: str | None) -> dict[str, str]:
    """Give the variables with which git on `url` does what its arguments say.

    `token` is what a shell has to read between double quotes to have the token: a variable or a command.
    """
    config = dict(_CONFIG)
    env = {
        "LANG": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15",
        "GIT_ALLOW_PROTOCOL": _protocols(url),
    }
    origin = _ORIGIN.match(url)
    if token and origin:
        scheme, user, host = origin.groups()
        # Bound to the origin: wherever a redirect leads, git asks anew, and this helper is not asked.
        config[f"credential.{scheme}://{host}.helper"] = _HELPER.format(token=token)
        env[_USER] = user or "x-access-token"
    env["GIT_CONFIG_COUNT"] = str(len(config))
    for number, (name, value) in enumerate(config.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = name
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _environment(url: str, token: str, environ: Mapping[str, str]) -> dict[str, str]:
    env = {name: environ[name] for name in ENVIRONMENT if name in environ}
    env["HOME"] = "/dev/null"  # no ~/.netrc; ssh looks in the password file for its own
    if token and _ORIGIN.match(url):
        env[_TOKEN] = token
    return env | environment(url, f"${_TOKEN}" if token else None)


def _protocols(url: str) -> str:
    scheme = url.partition("://")[0] if "://" in url else "file" if url.startswith("/") else "ssh"
    return {"http": "http:https"}.get(scheme, scheme)
