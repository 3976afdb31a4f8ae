"""Secrets that people put where none belongs, known by the name beside them or by how they look. Pure.

A net below what is kept out for certain: what is masked here was written by somebody as a parameter, a
reason or a name.
"""

import re

MASK = "***"

_NAME = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|credential|authorization"
    r"|(?:api|private|access|signing|encryption)[_-]?key"
    r"|(?:^|[^a-z])(?:pass|pwd|cookie|dsn)(?:$|[^a-z])",
    re.IGNORECASE,
)
"""Names of what is secret as a whole: DB_PASSWORD, api_key, GITHUB_TOKEN."""
_LOOKS = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{20,}"  # https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
    r"|\bgithub_pat_\w{20,}"
    r"|\bxox[a-z]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}"  # https://docs.slack.dev/authentication/tokens
    r"|\berrand_[A-Za-z0-9_-]{20,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)?"  # JSON Web Tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
    r"|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{16,}"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user and password of a URL
)


def masked(text: str, name: str = "") -> str:
    """`text` without what looks like a secret; nothing of it where its `name` says that it is one."""
    if name and text and _NAME.search(name):
        return MASK
    return _LOOKS.sub(MASK, text)
