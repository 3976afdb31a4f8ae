"""Whoever has no Slack does not pay for it."""

import subprocess
import sys

PROGRAM = """
import sys
import bot.composition, service
from webhooks.deliveries import slack

slack.routes([], add_delivery=None, limit=1, clock=None)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"slack_sdk", "slack_bolt"}))
"""


def test_nothing_of_slack_is_imported_without_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
