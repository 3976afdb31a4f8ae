"""One Errand over its API: where it is, who asks, what it answers. Blocking; one connection per request."""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from bot.errors import ProblemType
from terminal import places
from terminal.discovery import Door, doors
from terminal.failures import Failure, Problem, Unreachable, Usage
from terminal.keeping import Logins
from terminal.places import Place
from terminal.speech import spoken

URL = "http://127.0.0.1:8000"
TIMEOUT = 30.0
"""Seconds for one answer."""
_ANSWER = 64 << 20
"""Bytes of one answer that is no stream."""
_CHUNK = 65536
_LINE = 1 << 20
"""Bytes of a line that is a document."""
PASSING = (502, 503, 504)
"""Statuses of Errand, or a proxy before it, that may be another in a while, as when it is updated."""
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds of silence, between questions, and how many: a log may be silent for hours; the dead are found."""

Document = dict[str, Any]


_OFFSET = re.compile(r"\d{1,18}", re.ASCII)

_PAGE = re.compile(r"/runs/\d+$", re.ASCII)
"""What a job finds behind the address: there the variable names the page of its run."""


@dataclass(frozen=True, slots=True)
class Where:
    """The address of an Errand and the token to come with; `local`: found in this directory.

    `login`: the token is that of who logged in there.
    """

    address: str
    token: str
    local: bool = False
    login: str | None = None


def where(environ: Mapping[str, str], directory: Path) -> Where:
    """What ERRAND_URL and ERRAND_TOKEN say, else the Errand whose database is in `directory`, else a login.

    A variable that is empty is one that is not set. Raises `Failure` that says what to set.
    """
    url, token = (
        _PAGE.sub("", environ.get("ERRAND_URL", "").rstrip("/")),
        environ.get("ERRAND_TOKEN", "").strip(),
    )
    if token:
        if not token.isascii() or not token.isprintable() or " " in token:
            raise Usage("ERRAND_TOKEN: expected a token as `errand token create NAME` prints it.")
        return Where(checked_address(url or URL), token)
    services = [door for door in doors(directory) if not url or url in (door.url.rstrip("/"), door.address)]
    if len(services) == 1:
        return Where(checked_address(services[0].address), services[0].token, local=True)
    if services:
        raise Failure(
            "More than one Errand serves from this directory; ERRAND_URL says which is meant:\n"
            + _list(services)
        )
    return _logged_in(environ, url)


def meant(environ: Mapping[str, str]) -> str:
    """The address of ERRAND_URL, else of the Errand of this directory, else where one logged in last."""
    url = _PAGE.sub("", environ.get("ERRAND_URL", "").rstrip("/"))
    if url:
        return checked_address(url)
    services, kept = doors(Path.cwd()), Logins(environ).newest()
    if len(services) == 1:
        return checked_address(services[0].address)
    if kept is not None and not services:
        return kept.address
    raise Usage("Which Errand? Name its address, as in `errand login https://errand.example.com`.")


def _logged_in(environ: Mapping[str, str], url: str) -> Where:
    logins = Logins(environ)
    kept = logins.at(url) if url else logins.newest()
    token = None if kept is None else logins.token(kept)
    if kept is not None and token is not None:
        return Where(checked_address(kept.address), token, login=kept.login)
    place = (
        f"ERRAND_URL is {url}, but ERRAND_TOKEN is not set" if url else "No Errand serves from this directory"
    )
    if kept is not None:
        place = f"The token of your login at {kept.address} is not in the keyring, or that is locked"
    raise Failure(
        f"{place}.\n`errand login {url or 'ADDRESS'}` logs you in with GitHub. Or set ERRAND_URL and"
        " ERRAND_TOKEN (`errand token create NAME` makes a token), or start `errand serve` here."
    )


def _list(services: list[Door]) -> str:
    return "\n".join(f"  {door.address}" for door in services)


def checked_address(url: str) -> str:
    """The address of an Errand; `Usage` for what is none."""
    try:
        parts = urlsplit(url)
        more = parts.username is not None or parts.path or parts.query or parts.fragment
        right = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) and not more
    except ValueError:
        right = False
    if not right or " " in url or not url.isprintable():
        shown = "" if "@" in url else f", not {url}"  # which may have a password
        raise Usage(
            f"ERRAND_URL: expected an address without a path, such as https://errand.example.com{shown}"
        )
    return url


def segment(name: str) -> str:
    """`name` as one segment of a path."""
    return quote(name, safe="") if name.strip(".") else quote(name, safe="").replace(".", "%2E")


class Remote:
    """One Errand. Methods raise `Unreachable` and `Problem`, with texts for whoever typed the command."""

    def __init__(self, place: Where, *, timeout: float = TIMEOUT) -> None:
        self.place = place
        self._timeout = timeout

    @classmethod
    def found(cls, environ: Mapping[str, str], *, timeout: float = TIMEOUT) -> Self:
        """The one that `where` finds from the working directory."""
        return cls(where(environ, Path.cwd()), timeout=timeout)

    def again(self, environ: Mapping[str, str]) -> None:
        """Look again where it is: a local one that was started anew has another token."""
        if self.place.local:
            self.place = where(environ, Path.cwd())

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Document:
        """The document that is answered, empty where there is none; what of `query` is None is left out."""
        with self._answer(method, _address(path, query), body, headers or {}) as answer:
            content = answer.read(_ANSWER)
        if not content:
            return {}
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Unreachable(
                f"What answers at {self.place.address} is no Errand: {method} {path} gave no document."
            )
        return document

    def pages(self, path: str, key: str, query: Mapping[str, object], limit: int) -> Iterator[Document]:
        """The documents of a list, page after page, at most `limit`."""
        address, left = _address(path, query), limit
        while left > 0:
            document = self.ask("GET", address)
            for each in document.get(key, [])[:left]:
                left -= 1
                yield each
            if not document.get("next"):
                return
            following = urlsplit(str(document["next"]))
            address = f"{following.path}?{following.query}"

    def log(self, path: str, query: Mapping[str, object]) -> Iterator[tuple[int, bytes]]:
        """A log as it comes, each piece with the offset behind it, first an empty one.

        `Unreachable` where it breaks off. Offsets are right where `query` has a `tail` or an `offset`.
        """
        with self._answer("GET", _address(path, query), None, {}, endless=True) as answer:
            place = answer.headers.get("Log-Offset", "0")
            if answer.headers.get_content_type() != "text/plain" or not _OFFSET.fullmatch(place):
                raise Unreachable(
                    f"What answers at {self.place.address} is no Errand: GET {path} gave no log."
                )
            end = int(place)
            yield end, b""
            while chunk := answer.read1(_CHUNK):
                end += len(chunk)
                yield end, chunk

    def lines(
        self, path: str, query: Mapping[str, object], *, most: int | None = None, endless: bool = False
    ) -> Iterator[Document]:
        """The documents of an answer that has one on each line, as they come, at most `most`.

        `endless`: it may be silent for hours. `Unreachable` where it breaks off or is none.
        """
        with self._answer("GET", _address(path, query), None, {}, endless=endless) as answer:
            if answer.headers.get_content_type() != "application/jsonl":
                raise Unreachable(
                    f"What answers at {self.place.address} is no Errand: GET {path} gave no lines."
                )
            for line in islice(iter(partial(answer.readline, _LINE), b""), most):
                if not line.endswith(b"\n"):
                    raise Unreachable(f"The answer of {self.place.address} broke off.")
                yield json.loads(line)

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        endless: bool = False,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._connection()
        sent = {
            **({"Authorization": f"Bearer {self.place.token}"} if self.place.token else {}),
            "Accept": "*/*",
            "User-Agent": "errand",
            **headers,
        }
        content = None
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            if endless and connection.sock is not None:
                _patient(connection.sock)
            if answer.status >= 300:
                raise _problem(answer, self.place)
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise _unanswered(error, self.place.address) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.place.address)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(host, port, timeout=self._timeout)


_HERE = ("127.0.0.1", "localhost", "::1")


def _unanswered(error: OSError | http.client.HTTPException, address: str) -> Failure:
    """What is told of a connection that gave no answer; `Unreachable` where there may be one later."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(
            f"The certificate of {address} is not trusted: {error.verify_message}."
            " SSL_CERT_FILE may name a file with that of its authority."
        )
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return Failure(
            f"What answers at {address} does not speak https. Does its address begin with http://?"
        )
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, OSError):
        return Unreachable(f"What answers at {address} is no Errand: it does not speak HTTP.")
    hint = " Is `errand serve` running?" if urlsplit(address).hostname in _HERE else ""
    if isinstance(error, http.client.HTTPException):
        return Unreachable(f"The connection to {address} broke.{hint}")
    what = error.strerror or str(error) or type(error).__name__
    return Unreachable(f"Errand does not answer at {address}: {what}.{hint}")


def _address(path: str, query: Mapping[str, object] | None) -> str:
    values = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(values)}" if values else path


def _patient(sock: socket.socket) -> None:
    """Wait for as long as it takes, but notice when nobody is there any more."""
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _problem(answer: http.client.HTTPResponse, place: Where) -> Problem:
    """What Errand says is wrong, with every mistake in its own line."""
    mistakes: list[tuple[Place, str]] = []
    kind = ""
    try:
        problem = json.loads(answer.read(_ANSWER))
        detail, kind = spoken(str(problem["detail"])), str(problem.get("type", ""))
        # What is said of a body is nothing for whoever typed words: the mistakes say all.
        lines, indent = (
            ([], "") if kind == ProblemType.INVALID and problem.get("errors") else ([detail], "  ")
        )
        for each in problem.get("errors", ()):
            at, mistake = places.place(str(each["pointer"])), spoken(str(each["detail"]))
            mistakes.append((at, mistake))
            if mistake not in detail:
                lines.append(indent + ": ".join(filter(None, (places.words(at), mistake))))
    except (ValueError, KeyError, TypeError):
        lines = [_stranger(answer, place.address)]
    if answer.status == 401 and place.login is not None:
        lines = [f"The login of {place.login} at {place.address} is over; `errand login` begins another one."]
    elif answer.status == 401:
        lines = [
            f"{place.address} does not know this token: it was deleted, has expired, or is another Errand's.",
            "ERRAND_TOKEN takes one that `errand token create NAME` prints.",
        ]
    return Problem(answer.status, "\n".join(lines), mistakes, kind)


def _stranger(answer: http.client.HTTPResponse, address: str) -> str:
    """What is told of an answer that is none of Errand's."""
    sentence = f"{address} answers {answer.status} {answer.reason}"
    if answer.status in PASSING:
        return f"{sentence}: the Errand behind it does not answer."
    if elsewhere := answer.headers.get("Location"):
        return f"{sentence}, which leads to {elsewhere}. ERRAND_URL takes the address of Errand itself."
    return f"{sentence}; is that an Errand?"
