"""The door that Errand opens itself: what Slack sends over Socket Mode is stored as what comes over HTTP is.

Imported where there is an `app_token` only, for the SDK that comes with it.
"""

import random
from collections.abc import Callable

from bot.config.settings import Slack as Settings
from bot.slack.socket_mode import SocketMode
from executor.spec import Secret
from webhooks.deliveries.intake import AddDelivery, Intake
from webhooks.deliveries.slack import LIMIT, PATIENCE_S
from webhooks.deliveries.slack_requests import Instant, SlackRequests
from webhooks.server.unverified import Unverified


def socket_mode(
    settings: Settings, add_delivery: AddDelivery, clock: Callable[[], float], instant: Instant
) -> SocketMode:
    """Socket Mode with the `app_token` of the settings; nothing is verified, the connection is Slack's."""
    intake = Intake("slack", add_delivery, limit=LIMIT, patience=PATIENCE_S, unverified=Unverified())
    return SocketMode(
        api_url=settings.api_url,
        app_token=settings.app_token or Secret(""),
        take=SlackRequests(intake, clock, instant).take_envelope,
        clock=clock,
        jitter=random.random,
    )
