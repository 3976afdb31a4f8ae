"""Whether a request is Slack's, by slack_sdk's `SignatureVerifier`.

Not by Bolt's middleware: that parses the body before it verifies it, and raises on what anybody may send
(malformed JSON, a timestamp that is no number, a signature that is not ASCII).

https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

from collections.abc import Callable, Sequence

from slack_sdk.signature import Clock, SignatureVerifier


class _Clock(Clock):
    """The door's clock in the shape that slack_sdk asks for."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class Signatures:
    """Those that one of `secrets` makes, not older than five minutes by `clock` (epoch seconds)."""

    def __init__(self, secrets: Sequence[bytes], clock: Callable[[], float]) -> None:
        now = _Clock(clock)
        self._verifiers = [SignatureVerifier(secret.decode(), now) for secret in secrets]

    def fit(self, body: bytes, timestamp: bytes, signature: bytes) -> bool:
        """Whether one of the secrets signed `body`; how long it takes does not tell which."""
        try:
            sent = body, timestamp.decode(), signature.decode()
            valid = [each.is_valid(*sent) for each in self._verifiers]
            return any(valid)
        except UnicodeDecodeError:
            return False  # Slack sends UTF-8, so this is not from Slack
