"""`conversations.*`, `users.*`, `usergroups.*`: who and where. https://docs.slack.dev/reference/methods"""

from demo.slack.calls import Method
from demo.slack.content import flag_of, page_of
from demo.slack.errors import SlackError
from demo.slack.shapes import channel_shape, person_shape
from demo.slack.workspace import Channel, Group, Json, Person, Workspace

READ = ("channels:read", "groups:read")
EMAIL = "users:read.email"

_KINDS = {False: "public_channel", True: "private_channel"}


class People:
    """Shows channels, people and groups; `scopes` are those that the bot has now."""

    def __init__(self, workspace: Workspace, scopes: set[str]) -> None:
        self._in = workspace
        self._scopes = scopes
        groups = ("usergroups:read",)
        self.methods = {
            "conversations.list": Method(self._list, READ),
            "conversations.info": Method(self._info, READ),
            "conversations.members": Method(self._members, READ),
            "users.info": Method(self._user, ("users:read",)),
            "users.lookupByEmail": Method(self._by_email, (EMAIL,)),
            "usergroups.list": Method(self._groups, groups),
            "usergroups.users.list": Method(self._group_people, groups),
            "bots.info": Method(self._bot, ("users:read",)),
        }

    def _list(self, arguments: Json) -> Json:
        kinds = str(arguments.get("types") or "public_channel").split(",")
        for kind, scope in (("public_channel", "channels:read"), ("private_channel", "groups:read")):
            if kind in kinds:
                self._need(scope)
        channels = [each for each in self._in.channels if each.member or not each.private]
        channels = [each for each in channels if _KINDS[each.private] in kinds]
        if flag_of(arguments, "exclude_archived"):
            channels = [each for each in channels if not each.archived]
        page, cursor = page_of(channels, arguments)
        shapes = [channel_shape(each) for each in page]
        return {"channels": shapes, "response_metadata": {"next_cursor": cursor}}

    def _info(self, arguments: Json) -> Json:
        return {"channel": channel_shape(self._channel(arguments))}

    def _members(self, arguments: Json) -> Json:
        channel = self._channel(arguments)
        if channel.private and not channel.member:
            raise SlackError("channel_not_found")
        everybody = [each for each in self._in.people if self._in.member_of(channel, each.id)]
        ids = [each.id for each in everybody if channel.member or each.id != self._in.bot_user]
        page, cursor = page_of(ids, arguments)
        return {"members": page, "response_metadata": {"next_cursor": cursor}}

    def _channel(self, arguments: Json) -> Channel:
        channel = self._in.channel(arguments.get("channel"))
        self._need("groups:read" if channel.private else "channels:read")
        return channel

    def _need(self, scope: str) -> None:
        if scope not in self._scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self._scopes)))

    def _user(self, arguments: Json) -> Json:
        person = self._in.who(arguments.get("user"))
        if person is None:
            raise SlackError("user_not_found")
        return {"user": self._shape(person)}

    def _by_email(self, arguments: Json) -> Json:
        email = str(arguments.get("email") or "").lower()
        known = (each for each in self._in.people if not each.deleted and not each.stranger)
        person = next((each for each in known if each.email and each.email.lower() == email), None)
        if person is None:
            raise SlackError("users_not_found")
        return {"user": self._shape(person)}

    def _shape(self, person: Person) -> Json:
        return person_shape(self._in, person, email=EMAIL in self._scopes)

    def _groups(self, arguments: Json) -> Json:
        disabled = flag_of(arguments, "include_disabled")
        groups = [each for each in self._in.groups if disabled or not each.disabled]
        users = flag_of(arguments, "include_users")
        return {"usergroups": [self._group(each, users=users) for each in groups]}

    def _group(self, group: Group, *, users: bool) -> Json:
        shape: Json = {
            "id": group.id,
            "team_id": self._in.team_id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": group.handle.title(),
            "description": "",
            "handle": group.handle,
            "is_external": False,
            "date_create": 1,
            "date_update": 1,
            "date_delete": 1 if group.disabled else 0,
            "user_count": len(group.people),
        }
        return shape | ({"users": list(group.people)} if users else {})

    def _group_people(self, arguments: Json) -> Json:
        usergroup = arguments.get("usergroup")
        group = next((each for each in self._in.groups if each.id == usergroup), None)
        if group is None:
            raise SlackError("no_such_subteam")
        if group.disabled and not flag_of(arguments, "include_disabled"):
            raise SlackError("subteam_disabled")
        return {"users": list(group.people)}

    def _bot(self, arguments: Json) -> Json:
        if arguments.get("bot") not in (None, "", self._in.bot_id):
            raise SlackError("bot_not_found")
        about = {"id": self._in.bot_id, "deleted": False, "name": "errand", "app_id": self._in.app_id}
        return {"bot": {**about, "user_id": self._in.bot_user, "updated": 1, "icons": {}}}
