import pytest

from bot.access import scopes


@pytest.mark.parametrize("text", ["read", "exec", "admin", "run:*", "run:migrate", "run:a-1"])
def test_words_that_are_scopes(text: str) -> None:
    assert scopes.scope(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Read",
        "write",
        "run",
        "run:",
        "run:**",
        "run:Migrate",
        "run:42",
        "run:../x",
        "run:a b",
        "read ",
        "run:exec",
    ],
)
def test_words_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected read, audit, run:JOB"):
        scopes.scope(text)


def test_scopes_are_kept_once_and_in_order() -> None:
    assert scopes.ordered(["run:b", "read", "run:a", "read"]) == ["read", "run:a", "run:b"]
    with pytest.raises(ValueError, match="at least one"):
        scopes.ordered([])
    with pytest.raises(ValueError, match="at most"):
        scopes.ordered(f"run:job-{number}" for number in range(scopes.MOST + 1))


@pytest.mark.parametrize(
    ("held", "sees", "runs", "executes", "changes"),
    [
        ("read", {"migrate", "other", "exec"}, set(), False, False),
        ("run:migrate", {"migrate"}, {"migrate"}, False, False),
        ("run:*", {"migrate", "other", "exec"}, {"migrate", "other"}, False, False),
        ("exec", {"exec"}, {"exec"}, True, False),
        ("run:exec", set(), set(), False, False),
        ("admin", {"migrate", "other", "exec"}, {"migrate", "other", "exec"}, True, True),
    ],
)
def test_each_scope_opens_what_it_names_and_nothing_else(
    held: str, sees: set[str], runs: set[str], executes: bool, changes: bool
) -> None:
    jobs, seen = {"migrate", "other", "exec"}, scopes.seen_jobs([held])
    assert (jobs if seen is None else jobs & seen) == sees
    assert {job for job in jobs if scopes.may_run([held], job)} == runs
    assert scopes.may_execute([held]) is executes
    assert scopes.may_change([held]) is changes
    assert scopes.may_see_all([held]) is (held in ("read", "admin"))


def test_no_scope_opens_nothing() -> None:
    assert scopes.seen_jobs([]) == frozenset()
    assert not scopes.may_run([], "migrate")
    assert not scopes.may_see_all([])
