"""`views.*`: modals and Homes, and what the answer to a submitted form does to them.

https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/surfaces/app-home
"""

import secrets

from demo.slack.calls import Method
from demo.slack.content import view_content
from demo.slack.errors import SlackError
from demo.slack.inputs import initial_values
from demo.slack.shapes import view_shape
from demo.slack.workspace import Json, View, Workspace

DEEPEST = 3


class Surfaces:
    """Opens, changes and stacks modals, and publishes Homes. They need no scope, only a trigger."""

    def __init__(self, workspace: Workspace) -> None:
        self._in = workspace
        self.home_enabled = True
        self.methods = {
            "views.open": Method(self._open),
            "views.push": Method(self._push),
            "views.update": Method(self._update),
            "views.publish": Method(self._publish),
        }

    def _open(self, arguments: Json) -> Json:
        content = self._content(arguments, "modal")
        user, _ = self._in.exchange(arguments.get("trigger_id"))
        return self._shown(self.place(user, content))

    def _push(self, arguments: Json) -> Json:
        content = self._content(arguments, "modal")
        user, below = self._in.exchange(arguments.get("trigger_id"))
        if below is None or not below.open:
            raise SlackError("not_found")
        return self._shown(self.place(user, content, below))

    def place(self, user: str, content: Json, below: View | None = None) -> View:
        """Show a modal to somebody, on top of another one or alone."""
        if below is not None and self._depth(below) >= DEEPEST:
            raise SlackError("push_limit_reached")
        if below is None:
            for other in self._in.views:
                other.open = other.open and other.user != user
        view = View(f"V{next(self._in.numbers):010d}", user, content, self._hash())
        view.root, view.previous = (below.root, below.id) if below else (view.id, None)
        view.values = initial_values(view.blocks)
        view.history.append(content)
        self._in.views.append(view)
        return view

    def answered(self, view: View, answer: Json) -> None:
        """Do what the app's answer to a submission says; an empty one closes the modal.

        https://docs.slack.dev/surfaces/modals#handling_submissions
        """
        action = answer.get("response_action")
        if action is not None:
            self._in.accept("response_action", answer)
        if action is None:
            view.open = False
        elif action == "clear":
            for each in self._in.views:
                each.open = each.open and each.root != view.root
        elif action == "errors":
            inputs = {block.get("block_id") for block in view.blocks if block["type"] == "input"}
            errors = answer.get("errors")
            if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
                raise ValueError(f"errors are shown at inputs {inputs}, not at {errors}")
            view.errors = errors
        elif action in ("update", "push"):
            content = self._content(answer, "modal")
            self.renew(view, content) if action == "update" else self.place(view.user, content, view)
        else:
            raise ValueError(f"there is no response_action {action}")

    def _update(self, arguments: Json) -> Json:
        content = self._content(arguments, "modal", "home")
        view = self._in.view(arguments.get("view_id")) if arguments.get("view_id") else None
        outside = arguments.get("external_id")
        if view is None and outside:
            named = (each for each in self._in.views if each.content.get("external_id") == outside)
            view = next(named, None)
        if view is None or not view.open:
            raise SlackError("not_found")
        self._check_hash(view, arguments)
        self.renew(view, content)
        return self._shown(view)

    def renew(self, view: View, content: Json) -> None:
        """Give a view new content; what was typed stays where the input has the same ids."""
        before = view.values
        view.content, view.hash, view.errors = content, self._hash(), {}
        view.values = initial_values(view.blocks)
        view.history.append(content)
        for block, actions in view.values.items():
            actions |= {name: before[block][name] for name in actions if name in before.get(block, {})}

    def _publish(self, arguments: Json) -> Json:
        if not self.home_enabled:
            raise SlackError("not_enabled")
        user = self._in.who(arguments.get("user_id"))
        if user is None:
            raise SlackError("invalid_arguments")
        content = self._content(arguments, "home")
        home = self._in.homes.get(user.id)
        if home is None:
            if arguments.get("hash"):
                raise SlackError("hash_conflict")
            home = View(f"V{next(self._in.numbers):010d}", user.id, content, self._hash())
            home.values = initial_values(home.blocks)
            home.history.append(content)
            self._in.homes[user.id] = home
        else:
            self._check_hash(home, arguments)
            self.renew(home, content)
        return self._shown(home)

    def _content(self, arguments: Json, *kinds: str) -> Json:
        content = view_content(arguments.get("view"), kinds, self._in.refused_blocks)
        outside = content.get("external_id")
        others = (each for each in self._in.views if each.open and each.id != arguments.get("view_id"))
        taken = any(each.content.get("external_id") == outside for each in others)
        if outside and taken and arguments.get("external_id") != outside:
            raise SlackError("duplicate_external_id")
        return content

    def _check_hash(self, view: View, arguments: Json) -> None:
        if arguments.get("hash") and arguments["hash"] != view.hash:
            raise SlackError("hash_conflict")

    def _depth(self, view: View) -> int:
        below = self._in.view(view.previous) if view.previous else None
        return 1 + (self._depth(below) if below is not None else 0)

    def _hash(self) -> str:
        return f"{self._in.stamp()}.{secrets.token_hex(4)}"

    def _shown(self, view: View) -> Json:
        return {"view": view_shape(self._in, view)}
