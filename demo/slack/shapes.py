"""Objects as Slack writes them: messages, views, people. https://docs.slack.dev/reference/objects"""

import hashlib

from demo.slack.workspace import Channel, Json, Message, Person, View, Workspace


def message_shape(workspace: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """A message as methods and interactions show it."""
    shape: Json = {"type": "message", "ts": message.ts, "text": message.text, "team": workspace.team_id}
    if message.user is not None:
        shape |= {"user": message.user, "client_msg_id": _number(message.ts)}
    else:
        shape |= {
            "subtype": "bot_message",
            "user": workspace.bot_user,
            "bot_id": message.bot_id,
            "app_id": workspace.app_id,
        }
    shape["blocks"] = message.blocks
    if message.thread_ts is not None:
        shape |= {"thread_ts": message.thread_ts, "parent_user_id": workspace.bot_user}
    if len(message.history) > 1:
        shape["edited"] = {"user": workspace.bot_id, "ts": message.ts}
    if metadata and message.metadata is not None:
        shape["metadata"] = message.metadata
    return shape


def with_block_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with the ids that Slack gives to those that have none."""
    return [
        block if block.get("block_id") else {**block, "block_id": _number(f"{index}{block}")[:5]}
        for index, block in enumerate(blocks)
    ]


def view_shape(workspace: Workspace, view: View) -> Json:
    """A view as methods and interactions show it. https://docs.slack.dev/reference/views"""
    content = view.content
    modal = content["type"] == "modal"
    return {
        "id": view.id,
        "team_id": workspace.team_id,
        "type": content["type"],
        "blocks": with_block_ids(view.blocks),
        "private_metadata": content.get("private_metadata", ""),
        "callback_id": content.get("callback_id", ""),
        "state": {"values": view.values},
        "hash": view.hash,
        "title": content["title"] if modal else {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": content.get("clear_on_close", False),
        "notify_on_close": content.get("notify_on_close", False),
        "close": content.get("close"),
        "submit": content.get("submit"),
        "previous_view_id": view.previous,
        "root_view_id": view.root or view.id,
        "app_id": workspace.app_id,
        "external_id": content.get("external_id", ""),
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
    }


def person_shape(workspace: Workspace, person: Person, *, email: bool) -> Json:
    """Somebody as `users.info` shows them; strangers without what only their own workspace knows."""
    profile: Json = {"real_name": person.name, "display_name": person.name, "team": person.team}
    if email and person.email is not None and not person.stranger:
        profile["email"] = person.email
    shape: Json = {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "deleted": person.deleted,
        "profile": profile,
        "is_bot": person.bot,
        "is_app_user": False,
        "updated": int(workspace.clock()),
    }
    if person.deleted:
        return shape
    shape |= {
        "real_name": person.name,
        "tz": person.tz,
        "tz_label": "",
        "tz_offset": person.tz_offset,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.guest is not None,
        "is_ultra_restricted": person.guest == "ultra_restricted",
        "is_email_confirmed": person.email is not None,
    }
    return shape | ({"is_stranger": True} if person.stranger else {})


def channel_shape(channel: Channel) -> Json:
    """A channel as `conversations.info` shows it."""
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.member,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
    }


def _number(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
