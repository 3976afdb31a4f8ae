"""Strategic merges; the examples with `server` in their name are what `kubectl patch --local` answers."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from executor.kubernetes.objects.merging import check, merged

JOB = {
    "name": "job",
    "image": "a",
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    "command": ["x", "y"],
    "securityContext": {"capabilities": {"drop": ["ALL"]}},
}
SPEC: dict[str, Any] = {
    "containers": [JOB, {"name": "two", "image": "b"}],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "nodeSelector": {"x": "1", "y": "2"},
    "imagePullSecrets": [{"name": "p"}],
}

NAMES = some.sampled_from(["a", "b", "c", "d"])
ITEMS = some.lists(
    some.fixed_dictionaries({"name": NAMES}, optional={"value": NAMES, "image": NAMES | some.none()}),
    unique_by=lambda item: item["name"],
)
SPECS = some.fixed_dictionaries(
    {},
    optional={
        "volumes": ITEMS,
        "containers": ITEMS,
        "tolerations": some.lists(some.fixed_dictionaries({"key": NAMES})),
        "nodeSelector": some.dictionaries(NAMES, NAMES | some.none()),
        "hostNetwork": some.booleans(),
    },
)


def clean(value: Any) -> Any:
    """Without nulls, as every spec is."""
    if isinstance(value, dict):
        return {name: clean(inner) for name, inner in value.items() if inner is not None}
    return [clean(item) for item in value] if isinstance(value, list) else value


def test_server_merges_containers_and_their_variables_by_name_and_replaces_commands() -> None:
    env = [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]
    found = merged(SPEC, {"containers": [{"name": "job", "env": env, "command": ["z"]}]})["containers"]
    assert found[0]["env"] == [{"name": "A", "value": "1"}, *env]
    assert found[0]["command"] == ["z"]
    assert found[0]["image"] == "a"
    assert found[1] == {"name": "two", "image": "b"}


def test_server_puts_new_items_where_the_patch_has_them() -> None:
    mounts = [{"mountPath": "/w", "name": "w"}, {"mountPath": "/v", "readOnly": True}]
    patch = {
        "containers": [{"name": "side", "image": "s"}, {"name": "job", "volumeMounts": mounts}],
        "volumes": [
            {"name": "w", "emptyDir": {}},
            {"name": "v", "emptyDir": None, "hostPath": {"path": "/x"}},
        ],
        "imagePullSecrets": [{"name": "q"}],
    }
    found = merged(SPEC, patch)
    assert [one["name"] for one in found["containers"]] == ["side", "job", "two"]
    assert found["containers"][1]["volumeMounts"] == [
        {"mountPath": "/w", "name": "w"},
        {"mountPath": "/v", "name": "v", "readOnly": True},
    ]
    assert found["volumes"] == [{"name": "w", "emptyDir": {}}, {"name": "v", "hostPath": {"path": "/x"}}]
    assert found["imagePullSecrets"] == [{"name": "q"}, {"name": "p"}]


def test_server_replaces_tolerations_and_merges_maps() -> None:
    patch = {"tolerations": [{"key": "b"}], "nodeSelector": {"x": None, "z": "3"}}
    found = merged(SPEC, patch)
    assert found["tolerations"] == [{"key": "b"}]
    assert found["nodeSelector"] == {"y": "2", "z": "3"}


def test_server_adds_items_to_a_deep_list_that_is_not_there() -> None:
    patch = {
        "containers": [{"name": "job", "securityContext": {"capabilities": {"add": ["X"], "drop": None}}}]
    }
    found = merged(SPEC, patch)["containers"][0]
    assert found["securityContext"] == {"capabilities": {"add": ["X"]}}


@given(SPECS, SPECS)
def test_merging_changes_neither_side_and_merging_again_changes_nothing(spec: Any, patch: Any) -> None:
    spec = clean(spec)
    before = deepcopy((spec, patch))
    once = merged(spec, patch)
    assert (spec, patch) == before
    assert clean(once) == once
    assert merged(once, patch) == once


@given(SPECS, SPECS)
def test_every_named_item_is_there_once_and_has_what_the_patch_says(spec: Any, patch: Any) -> None:
    spec = clean(spec)
    found = merged(spec, patch)
    for field in ("volumes", "containers"):
        items = {item["name"]: item for item in found.get(field, [])}
        old = {item["name"]: item for item in spec.get(field, [])}
        new = {item["name"]: item for item in patch.get(field, [])}
        assert len(items) == len(found.get(field, []))
        assert items.keys() == old.keys() | new.keys()
        for name, item in items.items():
            assert item == clean(old.get(name, {}) | new.get(name, {}))


@given(SPECS)
def test_an_empty_patch_changes_nothing(spec: Any) -> None:
    assert merged(clean(spec), {}) == clean(spec)


def test_what_is_merged_is_no_part_of_the_patch() -> None:
    patch = {"tolerations": [{"key": "b"}]}
    merged({}, patch)["tolerations"][0]["key"] = "c"
    assert patch == {"tolerations": [{"key": "b"}]}


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"containers": [{"name": "job", "$patch": "delete"}]}, r"pod.containers\[0\].\$patch: directives"),
        ({"$retainKeys": ["x"]}, r"pod.\$retainKeys"),
        ({"containers": [{"image": "x"}]}, r"pod.containers\[0\]: it is merged by its name"),
        ({"containers": ["job"]}, r"pod.containers\[0\]: it is merged by its name"),
        (
            {"containers": [{"name": "job", "volumeMounts": [{"name": "x"}]}]},
            r"pod.containers\[0\].volumeMounts\[0\]: it is merged by its mountPath",
        ),
        ({"nodeSelector": {1: "x"}}, "pod.nodeSelector: 1 is no name"),
    ],
)
def test_what_cannot_be_merged_is_refused_with_its_place(patch: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(patch)


def test_what_can_be_merged_is_accepted() -> None:
    check(SPEC)
