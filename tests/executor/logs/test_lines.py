"""The index leaves nothing out."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.logs.lines import LineMask
from executor.logs.redaction import masked

SECRETS = [
    "Zk3vQ9xW2mN7pL5tR8yB",
    "s3cret",
    'it\'s "q" & é',
    "ä-ö:ü",
    "postgres://u:pass%2Fword@h/db",
    "a\nline4",
    "abc",
]
PIECES = [
    *SECRETS,
    *(base64.b64encode(secret.encode()).decode() for secret in SECRETS),
    *(secret.encode().hex() for secret in SECRETS),
    *(
        "\x1b[31m",
        "\x1b[0m",
        "\b",
        "é\b",
        "\x00",
        "\u200b",
        "\n",
        "\r\n",
        " ",
        "=",
        "order 4711",
        "'",
        "pass/word",
    ),
    *(part for secret in SECRETS for part in (secret[:3], secret[3:])),
]


@settings(deadline=None)
@given(
    secrets=st.lists(st.sampled_from(SECRETS), unique=True),
    gone=st.lists(st.sampled_from(SECRETS), unique=True),
    text=st.lists(st.sampled_from(PIECES), max_size=20),
)
def test_text_is_masked_as_it_is_without_an_index(
    secrets: list[str], gone: list[str], text: list[str]
) -> None:
    lines = LineMask()
    for secret in secrets + gone:
        lines.add(secret.encode())
    for secret in gone:
        lines.remove(secret.encode())
    left = [secret.encode() for secret in secrets if secret not in gone]
    assert lines.masked("".join(text)) == masked("".join(text), left)
    assert bool(left) == bool(lines.size)
