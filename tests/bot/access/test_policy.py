"""Who may do what."""

from bot.access.policy import Subject, judge, may_build
from bot.access.questions import MemberOf, PermissionOn
from bot.access.rules import Asker, People, Rule

OPS = MemberOf("acme", "ops")


OF_SHOP = Subject("running jobs of `acme/shop`", ("acme/shop",))
SHOP = PermissionOn("acme/shop")


def test_who_may_not_write_is_told_what_it_needs() -> None:
    verdict = judge(Rule(), Asker("octocat"), OF_SHOP, {SHOP: "read"})
    assert not verdict.allowed
    assert verdict.sentence == "Sorry, `octocat`: running jobs of `acme/shop` needs write access to it."
    assert verdict.reason == "permission read"


def test_unknown_slack_user_is_told_how_to_become_known() -> None:
    verdict = judge(Rule(), Asker(None, frozenset({"U0X"})), OF_SHOP, {})
    assert "slack.people" in verdict.sentence


def test_refusal_names_whom_to_ask_and_in_public_nobody() -> None:
    rule = People().rule(["github:@acme/ops", "github:alice"])
    private, public = Subject("running `migrate`"), Subject("running `migrate`", public=True)
    assert judge(rule, Asker("bob"), private, {OPS: False}).sentence == (
        "Sorry, `bob`: running `migrate` is for `github:@acme/ops`, `github:alice`; ask one of them."
    )
    assert judge(rule, Asker("bob"), public, {OPS: False}).sentence == (
        "Sorry, `bob`: running `migrate` is for those whom its rule names. Ask somebody who maintains it."
    )


def test_who_is_denied_hears_by_which_entry() -> None:
    rule = People({"guests": ["github:bob"]}).rule(["github:@acme"], ["guests"])
    verdict = judge(rule, Asker("bob"), Subject("running `migrate`"), {})
    assert verdict.sentence == (
        "Sorry, `bob`: running `migrate` is closed to you by `deny` (`guests (github:bob)`)."
        " Ask one of `github:@acme`."
    )
    assert verdict.by == "deny: guests (github:bob)"


def test_long_rules_are_told_in_part() -> None:
    rule = People().rule([f"github:p{number}" for number in range(50)])
    assert "`github:p4` and 45 more; ask" in judge(rule, Asker("bob"), Subject("running `x`"), {}).sentence


def test_code_of_the_repository_itself_may_be_built() -> None:
    assert may_build(fork=False, forks=False).allowed


def test_code_of_a_fork_may_be_built_only_where_forks_are_allowed() -> None:
    verdict = may_build(fork=True, forks=False)
    assert not verdict.allowed
    assert "fork" in verdict.sentence
    assert may_build(fork=True, forks=True).allowed
