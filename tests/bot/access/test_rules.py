"""Who may: the table of cases of the one decision."""

from typing import Any

import pytest

from bot.access.callers import of_hook, of_token, of_workflow
from bot.access.people import Membership
from bot.access.questions import UNKNOWABLE, Facts, InGroup, MemberOf, PermissionOn, Question
from bot.access.rules import Asker, Decision, People, decide

SHOP = PermissionOn("acme/shop")
OPS, ACME = MemberOf("acme", "ops"), MemberOf("acme")
ONCALL = InGroup("oncall")
PEOPLE = People(
    {
        "ops": ["github:alice", "slack:U0ALICE", "leads"],
        "leads": ["github:@acme/ops", "token:release"],
        "bots": ["token:ci-*"],
    }
)
NOBODY, BOB = Asker(), Asker("bob")
SLACK = Asker(None, frozenset({"U0ALICE"}))
MAPPED = Asker("alice", frozenset({"U0ALICE"}))
RUN = frozenset({"run:migrate"})


def said(
    allow: list[str], asker: Asker, facts: Facts, deny: list[str] | None = None, default: str | None = "write"
) -> Decision:
    return decide(PEOPLE.rule(allow, deny or [], default=default), asker, ["acme/shop"], facts)


CASES: list[tuple[list[str], list[str], Asker, dict[Question, Any], str]] = [
    # Without `allow`: whoever may write to the repository.
    ([], [], BOB, {SHOP: "write"}, "github:permission/write on acme/shop"),
    ([], [], BOB, {SHOP: "admin"}, "github:permission/write on acme/shop"),
    ([], [], BOB, {SHOP: "maintain"}, "github:permission/write on acme/shop"),
    ([], [], BOB, {SHOP: "triage"}, ""),
    ([], [], BOB, {SHOP: "owner"}, ""),
    ([], [], SLACK, {}, ""),
    # Rules for workflows and tokens change nothing for people.
    (["actions:acme/shop", "token:x"], [], BOB, {SHOP: "write"}, "github:permission/write on acme/shop"),
    (["bots"], [], BOB, {SHOP: "write"}, "github:permission/write on acme/shop"),
    # Who is named may, whatever GitHub lets them do, and nobody else.
    (["github:Bob"], [], BOB, {}, "allow: github:Bob"),
    (["github:alice"], [], BOB, {SHOP: "admin"}, ""),
    (["github:permission/read"], [], BOB, {SHOP: "read"}, "allow: github:permission/read on acme/shop"),
    (["github:permission/admin"], [], BOB, {SHOP: "maintain"}, ""),
    (["github:@acme/ops"], [], BOB, {OPS: True}, "allow: github:@acme/ops"),
    (["github:@Acme/ops"], [], BOB, {OPS: False}, ""),
    (["github:@acme"], [], BOB, {ACME: True}, "allow: github:@acme"),
    (["github:@acme"], [], BOB, {ACME: UNKNOWABLE}, ""),
    # In Slack, with an account of GitHub or without one.
    (["slack:U0ALICE"], [], SLACK, {}, "allow: slack:U0ALICE"),
    (["slack:U0ALICE"], [], MAPPED, {}, "allow: slack:U0ALICE"),
    (["slack:U0OTHER"], [], SLACK, {}, ""),
    (["slack:@oncall"], [], SLACK, {ONCALL: True}, "allow: slack:@oncall"),
    (["slack:@oncall"], [], BOB, {}, ""),
    (["slack:@oncall"], [], Asker(None, frozenset({"U1"}), Membership.GUEST), {ONCALL: True}, ""),
    (["slack:@oncall"], [], Asker(None, frozenset({"U1"}), Membership.UNKNOWN), {ONCALL: True}, ""),
    (["github:@acme/ops"], [], SLACK, {}, ""),
    # Sets, which may name each other; one that is gone lets nobody in.
    (["ops"], [], Asker("ALICE"), {}, "allow: ops (github:alice)"),
    (["ops"], [], BOB, {OPS: True}, "allow: leads (github:@acme/ops)"),
    (["gone"], [], BOB, {SHOP: "admin"}, ""),
    # Whoever is denied may not, also as somebody else.
    (["ops"], ["github:alice"], MAPPED, {OPS: True}, "deny: github:alice"),
    (["ops"], ["slack:U0ALICE"], MAPPED, {OPS: True}, "deny: slack:U0ALICE"),
    ([], ["github:@acme/ops"], BOB, {SHOP: "admin", OPS: True}, "deny: github:@acme/ops"),
    ([], ["github:@acme/ops"], BOB, {SHOP: "write", OPS: False}, "github:permission/write on acme/shop"),
    (["slack:U0ALICE"], ["slack:@oncall"], SLACK, {ONCALL: True}, "deny: slack:@oncall"),
    # What nobody can be asked about lets nobody in, and keeps out.
    (
        [],
        ["github:@acme/ops"],
        BOB,
        {SHOP: "admin", OPS: UNKNOWABLE},
        "deny: github:@acme/ops, of which nobody can be asked",
    ),
    # Tokens: by their scopes, unless some are named.
    ([], [], Asker(caller=of_token("ci", RUN)), {}, "scopes of token:ci"),
    (["github:alice"], [], Asker(caller=of_token("ci", RUN)), {}, "scopes of token:ci"),
    (["token:other"], [], Asker(caller=of_token("ci", RUN)), {}, ""),
    (["token:c*"], [], Asker(caller=of_token("ci", RUN)), {}, "allow: token:c*"),
    (["bots"], [], Asker(caller=of_token("ci-1", RUN)), {}, "allow: bots (token:ci-*)"),
    (["token:other"], [], Asker(caller=of_token("local", RUN)), {}, "scopes of token:local"),
    (["token:ci"], ["token:*"], Asker(caller=of_token("ci", RUN)), {}, "deny: token:*"),
    # Hooks are of one job, workflows were let in by their rule.
    (["token:x"], [], Asker(caller=of_hook("migrate", "ci")), {}, "hook:migrate/ci"),
    ([], [], Asker(caller=of_workflow("actions:a/b@c", RUN)), {}, "actions:a/b@c"),
]


@pytest.mark.parametrize(("allow", "deny", "asker", "facts", "by"), CASES)
def test_who_may(
    allow: list[str], deny: list[str], asker: Asker, facts: dict[Question, Any], by: str
) -> None:
    found = said(allow, asker, facts, deny)
    assert (found.by, found.allowed, found.questions) == (by, bool(by) and not by.startswith("deny"), ())


@pytest.mark.parametrize(
    ("allow", "deny", "asker", "facts", "questions"),
    [
        ([], [], BOB, {}, (SHOP,)),
        (["github:@acme/ops", "github:@acme"], [], BOB, {}, (OPS, ACME)),
        (["github:bob", "github:@acme/ops"], [], BOB, {}, ()),
        (["github:bob"], ["github:@acme/ops"], BOB, {}, (OPS,)),
        (["github:@acme"], ["github:@acme/ops"], BOB, {ACME: True}, (OPS,)),
        (["github:@acme"], ["github:@acme/ops"], BOB, {ACME: False}, ()),
        (["github:@acme/ops", "slack:@oncall"], [], SLACK, {}, (ONCALL,)),
        (["github:permission/write"], [], SLACK, {}, ()),
    ],
)
def test_only_what_could_change_the_answer_is_asked(
    allow: list[str], deny: list[str], asker: Asker, facts: dict[Question, Any], questions: object
) -> None:
    found = said(allow, asker, facts, deny)
    assert found.questions == questions
    assert not (found.allowed and found.questions)


@pytest.mark.parametrize(
    "asker", [NOBODY, Asker(caller=of_token("ci", RUN)), Asker(caller=of_hook("migrate", "ci")), BOB]
)
def test_rule_without_a_default_lets_in_nobody_whom_it_does_not_name(asker: Asker) -> None:
    assert said(["github:alice"], asker, {SHOP: "admin"}, default=None) == Decision(False)


def test_rule_without_a_default_lets_in_the_token_that_it_names() -> None:
    assert said(["token:ci"], Asker(caller=of_token("ci", RUN)), {}, default=None).allowed


def test_jobs_that_say_the_same_share_one_rule() -> None:
    assert PEOPLE.rule(["ops"]) is PEOPLE.rule(("ops",))
    assert PEOPLE.rule(["ops"]) is not PEOPLE.rule(["ops"], default=None)


def test_sets_may_name_each_other_in_a_circle_without_harm() -> None:
    people = People({"a": ["b"], "b": ["a", "github:bob"]})
    assert decide(people.rule(["a"]), BOB, (), {}).by == "allow: b (github:bob)"
