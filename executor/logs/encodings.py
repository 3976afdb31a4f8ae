"""The ways in which programs write a secret: what a log is searched for. Pure.

`docs/engines.md` lists what is covered, in the order of this file.
Imports next to nothing, because every supervisor of the process engine carries it.
"""

import binascii
import re
from collections.abc import Callable, Iterator

SHORTEST = 4
"""Bytes. Lines and encoded forms shorter than this would mask half of every log, so they stay."""

_SHORTEST_PASSWORD = 6
"""Bytes of a password that is looked for without its URL: `app` or `1234` stand in every log."""

_SHORTEST_SEGMENT = 16
"""Bytes of a part of a token that is looked for without the others."""

_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/@\s:]*):([^/@\s]+)@(.*)", re.DOTALL)
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}")
"""A JSON Web Token in compact form, signed (RFC 7515) or encrypted (RFC 7516)."""

_WORDS = re.compile(rb"[A-Za-z0-9_]+")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")

_ALWAYS_SAFE = "A-Za-z0-9_.\\-"
_SAFE = (
    "",  # PHP's urlencode
    "~",  # RFC 3986, Go's QueryEscape
    "~/",  # Python's quote
    "*",  # Java's URLEncoder and HTML forms
    "~!*'()",  # JavaScript's encodeURIComponent
    "~!*'();,/?:@&=+$#",  # JavaScript's encodeURI
    "~!*'();,/?:@&=+$#\\[\\]",  # curl and others that take an address as it is
    "~$&+=:@",  # Go's PathEscape
    "~$&+,/:;=@",  # a path of Go's URL
    "~$&+,;=",  # who logs in, in Go's URL
    "~!$&'()*+,;=:@/",  # a path as RFC 3986 allows it
    "~!$&'()*+,;=",  # who logs in, in a browser's
)
_UNSAFE = tuple(re.compile(f"[^{_ALWAYS_SAFE}{more}]".encode()) for more in _SAFE)

_BACKSLASHED = re.compile(rb"[ \t'\"\\|&;()<>!{}*\[\]?^$`,]|\A[~#]|(?<=[:=])~")
_IN_DOUBLE_QUOTES = re.compile(rb"[\"\\$`]")
_ANSI_C = re.compile(rb"[\\'\x00-\x1f\x7f-\xff]")
_ANSI_C_NAMES = {
    7: b"a",
    8: b"b",
    9: b"t",
    10: b"n",
    11: b"v",
    12: b"f",
    13: b"r",
    27: b"E",
    39: b"'",
    92: b"\\",
}

_JSON_NAMES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_JSON_ESCAPED = tuple(
    (re.compile(f'["\\\\\x00-\x1f{more}]'), names)
    for more, names in (
        ("\x7f-\U0010ffff", _JSON_NAMES),
        ("", _JSON_NAMES),
        ("<>&\u2028\u2029", _JSON_NAMES),  # as Go writes it
        ("\x7f-\U0010ffff/", _JSON_NAMES | {"/": "\\/"}),  # as PHP does
    )
)

_HTML: tuple[dict[str, str], ...] = tuple(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | quotes
    for quotes in (
        {},
        {'"': "&quot;"},
        {'"': "&quot;", "'": "&#x27;"},  # Python's html.escape
        {'"': "&quot;", "'": "&#39;"},  # lodash, Django before 3
        {'"': "&quot;", "'": "&#039;"},  # PHP
        {'"': "&quot;", "'": "&apos;"},  # XML
        {'"': "&#34;", "'": "&#39;"},  # Go, Jinja
        {'"': "&quot;", "'": "&#39;", "/": "&#x2F;", "`": "&#x60;", "=": "&#x3D;"},  # Mustache
    )
)


def forms(secret: bytes) -> set[bytes]:
    """Every way in which `secret` is looked for; nothing for one of white space only."""
    bare = secret.strip()
    if not bare:
        return set()
    variants = {secret, bare}
    variants.update(line for line in map(bytes.strip, bare.splitlines()) if len(line) >= SHORTEST)
    for part in {bare, *_parts(bare)}:
        variants.add(part)
        if len(part) >= SHORTEST:
            for encoding in _ENCODINGS:
                variants.update(encoding(part))
    return {form for form in variants if form}


def _parts(secret: bytes) -> Iterator[bytes]:
    """What is a secret without the rest: the password of a URL, the segments of a token."""
    if url := _URL.fullmatch(secret):
        user, password, rest = url.groups()
        common = {user, *_WORDS.findall(rest)}  # a password that is also the database's name hides nothing
        decoded = _PERCENT.sub(lambda digits: binascii.unhexlify(digits[1]), password)
        if password not in common:
            yield from (form for form in (password, decoded) if len(form) >= _SHORTEST_PASSWORD)
    for token in _TOKEN.findall(secret):
        yield from (segment for segment in token.split(b".") if len(segment) >= _SHORTEST_SEGMENT)


def _base64(secret: bytes) -> Iterator[bytes]:
    """Give what of the encoding depends on `secret` alone, whatever stands before and after it."""
    for before, touched in ((0, 0), (1, 2), (2, 3)):
        encoded = binascii.b2a_base64(bytes(before) + secret, newline=False)
        core = encoded[touched : (before + len(secret)) * 8 // 6]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


def _hex(secret: bytes) -> Iterator[bytes]:
    digits = binascii.hexlify(secret)
    yield from (digits, digits.upper())


def _url(secret: bytes) -> Iterator[bytes]:
    for unsafe in _UNSAFE:
        for digits in (b"%%%02X", b"%%%02x"):
            quoted = unsafe.sub(lambda one, digits=digits: digits % one[0][0], secret)  # type: ignore[misc]
            yield quoted
            yield quoted.replace(b"%20", b"+")


def _shell(secret: bytes) -> Iterator[bytes]:
    yield secret.replace(b"'", b"'\\''")  # bash's `set` and `set -x`
    yield secret.replace(b"'", b"'\"'\"'")  # Python's shlex.quote
    quoted = re.sub(
        rb"'+", rb"""'"\g<0>"'""", secret
    )  # dash's `set`, which opens no quote at the end for nothing
    yield quoted.removesuffix(b"'") if secret.endswith(b"'") else quoted
    yield _BACKSLASHED.sub(rb"\\\g<0>", secret)  # bash's `printf %q`
    yield _IN_DOUBLE_QUOTES.sub(rb"\\\g<0>", secret)  # bash's `declare -p`
    for plain in (b"", bytes(range(128, 256))):  # $'…', of both, where something cannot be printed
        yield _ANSI_C.sub(lambda one, plain=plain: _ansi_c(one[0], plain), secret)  # type: ignore[misc]


def _ansi_c(byte: bytes, plain: bytes) -> bytes:
    if byte in plain:
        return byte
    return b"\\" + (_ANSI_C_NAMES.get(byte[0]) or b"%03o" % byte[0])


def _json(secret: bytes) -> Iterator[bytes]:
    """As a text in JSON, and as one in JSON that is a text in JSON."""
    try:
        once = _json_texts({secret.decode()})
    except UnicodeDecodeError:
        return
    yield from (text.encode() for text in once | _json_texts(once))


def _json_texts(texts: set[str]) -> set[str]:
    return {
        escaped.sub(lambda one, names=names: names.get(one[0]) or _units(one[0]), text)  # type: ignore[misc]
        for text in texts
        for escaped, names in _JSON_ESCAPED
    }


def _units(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _doubled(secret: bytes) -> Iterator[bytes]:
    """Where a sign is written twice to mean itself."""
    for sign in (
        b"'",
        b'"',
        b"$",
        b"%",
        b"\\",
    ):  # YAML and SQL; CSV; Compose and make; printf; what else quotes
        yield secret.replace(sign, sign * 2)
    yield secret.replace(b"${", b"$${").replace(b"%{", b"%%{")  # Terraform


def _workflow_command(secret: bytes) -> Iterator[bytes]:
    """As `::command NAME=VALUE::VALUE` of GitHub Actions has it."""
    data = secret.replace(b"%", b"%25").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
    yield from (data, data.replace(b":", b"%3A").replace(b",", b"%2C"))


def _python(secret: bytes) -> Iterator[bytes]:
    """As a traceback shows it, also within a longer text that has quotes of both kinds."""
    text = secret.decode(errors="surrogateescape")
    yield repr(secret)[2:-1].encode()
    yield repr(b"'\"" + secret)[5:-1].encode()
    yield from (ascii(text)[1:-1].encode(), repr(text)[1:-1].encode())
    yield from (ascii("'\"" + text)[4:-1].encode(), repr("'\"" + text)[4:-1].encode())


def _html(secret: bytes) -> Iterator[bytes]:
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    for names in _HTML:
        escaped = text.translate({ord(char): name for char, name in names.items()})
        yield escaped.encode()
        yield escaped.encode("ascii", "xmlcharrefreplace")


_ENCODINGS: tuple[Callable[[bytes], Iterator[bytes]], ...] = (
    _base64,
    _hex,
    _url,
    _shell,
    _json,
    _python,
    _html,
    _doubled,
    _workflow_command,
)
