"""Events as Slack wraps and sends them. https://docs.slack.dev/apis/events-api"""

import secrets
from urllib.parse import urlsplit

from demo.slack.interactions import TOKEN
from demo.slack.shapes import view_shape
from demo.slack.workspace import Channel, Json, Message, Person, Workspace


class Events:
    """Makes events; nothing is sent."""

    def __init__(self, workspace: Workspace) -> None:
        self._in = workspace

    def callback(self, event: Json, *, shared: bool = False) -> Json:
        """An event in its envelope. https://docs.slack.dev/apis/events-api/#callback-field"""
        installed = {
            "enterprise_id": None,
            "team_id": self._in.team_id,
            "user_id": self._in.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": TOKEN,
            "team_id": self._in.team_id,
            "context_team_id": self._in.team_id,
            "context_enterprise_id": None,
            "api_app_id": self._in.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(self._in.clock()),
            "authorizations": [installed],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{secrets.token_hex(16)}",
        }

    def verification(self) -> Json:
        """https://docs.slack.dev/reference/events/url_verification"""
        return {"token": TOKEN, "challenge": secrets.token_hex(20), "type": "url_verification"}

    def app_mention(self, message: Message, user: Person) -> Json:
        """https://docs.slack.dev/reference/events/app_mention"""
        event: Json = {
            "user": user.id,
            "type": "app_mention",
            "ts": message.ts,
            "client_msg_id": secrets.token_hex(16),
            "text": message.text,
            "team": user.team,
            "blocks": message.blocks,
            "channel": message.channel,
            "event_ts": message.ts,
        }
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def app_home_opened(self, user: Person, tab: str) -> Json:
        """https://docs.slack.dev/reference/events/app_home_opened"""
        home = self._in.homes.get(user.id)
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": f"D{user.id[1:]}",
            "tab": tab,
            "event_ts": self._in.stamp(),
        }
        return event | ({"view": view_shape(self._in, home)} if home and tab == "home" else {})

    def link_shared(self, message: Message, user: Person, links: list[str], channel: Channel) -> Json:
        """https://docs.slack.dev/reference/events/link_shared"""
        event: Json = {
            "type": "link_shared",
            "channel": message.channel,
            "is_bot_user_member": channel.member,
            "user": user.id,
            "message_ts": message.ts,
            "unfurl_id": f"{message.channel}.{message.ts}.{secrets.token_hex(16)}",
            "source": "conversations_history",
            "links": [{"url": each, "domain": urlsplit(each).hostname} for each in links],
            "event_ts": message.ts,
        }
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def tokens_revoked(self) -> Json:
        """https://docs.slack.dev/reference/events/tokens_revoked"""
        bot = {"oauth": [], "bot": [self._in.bot_user]}
        return {"type": "tokens_revoked", "tokens": bot, "event_ts": self._in.stamp()}

    def app_uninstalled(self) -> Json:
        """https://docs.slack.dev/reference/events/app_uninstalled"""
        return {"type": "app_uninstalled", "event_ts": self._in.stamp()}

    def channel_event(self, kind: str, channel: Channel, user: Person) -> Json:
        """`channel_archive` or `channel_left`; those of private channels begin with `group_`."""
        name = kind.replace("channel_", "group_", 1) if channel.private else kind
        archived: Json = {"user": user.id, "is_moved": 0}
        who = {"actor_id": user.id} if kind == "channel_left" else archived
        return {"type": name, "channel": channel.id, **who, "event_ts": self._in.stamp()}
