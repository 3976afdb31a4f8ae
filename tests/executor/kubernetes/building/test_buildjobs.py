"""The objects of a build, as the API takes them."""

import base64
import json
import tomllib
from typing import Any

import pytest

from executor.kubernetes.building import buildjobs
from executor.kubernetes.resources import FINALIZER
from executor.kubernetes.settings import Builder, Registry, Settings
from executor.spec import About, BuildSpec, Recipe, Secret, Source

TOKEN = "ghs_0123456789abcdefSECRET"
PUSH = "registry.example.com/acme/shop"
SETTINGS = Settings("jobs", "errand", builder=Builder(registry_secret="registry-auth"))


def spec_of(url: str = "https://github.com/acme/shop.git", **recipe: Any) -> BuildSpec:
    source = Source("acme/shop", url, "a" * 40, Secret(TOKEN))
    about = About({"image": "shop"}, {"commit": "a" * 40})
    return BuildSpec("build-1", "shop", source, recipe=Recipe(**{"push": PUSH, **recipe}), about=about)


def pod_of(spec: BuildSpec, settings: Settings = SETTINGS) -> dict[str, Any]:
    pod: dict[str, Any] = buildjobs.made(spec, settings).job["spec"]["template"]["spec"]
    return pod


def test_job_is_named_and_labelled_after_the_build() -> None:
    job = buildjobs.made(spec_of(), SETTINGS).job
    assert (job["metadata"]["name"], job["metadata"]["namespace"]) == ("build-1", "jobs")
    assert job["metadata"]["labels"]["app.kubernetes.io/component"] == "build"
    assert job["metadata"]["labels"]["errand/image"] == "shop"
    template = job["spec"]["template"]["metadata"]
    assert template["labels"] == job["metadata"]["labels"]
    assert template["finalizers"] == [FINALIZER]
    assert job["spec"]["activeDeadlineSeconds"] == 600 + 1800 + 5


def test_token_and_secrets_are_in_the_secret_only() -> None:
    made = buildjobs.made(spec_of(secrets={"NPM_TOKEN": Secret("npm_SECRET")}), SETTINGS)
    assert made.secret is not None
    data = {key: base64.b64decode(value).decode() for key, value in made.secret["data"].items()}
    assert data == {"token": TOKEN, "secret-0": "npm_SECRET"}
    job = json.dumps(made.job)
    for value in (TOKEN, "npm_SECRET"):
        assert value not in job
        assert base64.b64encode(value.encode()).decode() not in job
    assert "id=NPM_TOKEN,src=/errand/given/secret-0" in job
    assert made.secret["metadata"]["name"] == "build-1"


def test_password_in_the_url_is_taken_out_of_it_and_masked() -> None:
    spec = spec_of("https://octocat:pass%20word@github.com/acme/shop.git")
    spec = BuildSpec("build-1", "shop", Source("acme/shop", spec.source.url, "a" * 40), recipe=spec.recipe)
    made = buildjobs.made(spec, SETTINGS)
    assert made.secret is not None
    assert made.secret["data"] == {"token": base64.b64encode(b"pass word").decode()}
    assert "pass%20word" not in json.dumps(made.job)
    assert "https://octocat@github.com/acme/shop.git" in json.dumps(made.job)
    assert buildjobs.hidden(spec) == (Secret("pass word"),)


def test_build_of_a_public_repository_has_no_secret() -> None:
    source = Source("acme/shop", "https://github.com/acme/shop.git", "a" * 40)
    made = buildjobs.made(BuildSpec("build-1", "shop", source, recipe=Recipe(push=PUSH)), SETTINGS)
    assert made.secret is None
    assert [volume["name"] for volume in made.job["spec"]["template"]["spec"]["volumes"]] == [
        "errand-work",
        "errand-registry",
    ]


@pytest.mark.parametrize("kind", ["buildkit", "buildah"])
def test_pod_is_not_privileged_and_has_nothing_of_its_node(kind: Any) -> None:
    pod = pod_of(spec_of(), Settings("jobs", "errand", builder=Builder(kind)))
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert "privileged" not in security
    assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 1000)
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["SETUID", "SETGID"]}
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
    assert not [name for name in ("hostNetwork", "hostPID", "hostIPC") if name in pod]
    assert pod["automountServiceAccountToken"] is False


def test_buildkit_is_told_of_registries_that_are_reached_in_another_way() -> None:
    known = {"r.jobs.svc:5000": Registry(http=True), "r.example.com": Registry(ca="PEM")}
    settings = Settings("jobs", "errand", registries=known, builder=Builder(cache="r.example.com/cache"))
    (container,) = pod_of(spec_of(), settings)["containers"]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert tomllib.loads(env["ERRAND_REGISTRIES"]) == {
        "registry": {
            "r.jobs.svc:5000": {"http": True},
            "r.example.com": {"ca": ["/errand/work/certs/r.example.com/ca.crt"]},
        }
    }
    assert (env["ERRAND_AUTHORITIES"], env["ERRAND_AUTHORITY_1"]) == ("r.example.com", "PEM")
    assert env["ERRAND_CACHE"] == "r.example.com/cache/shop"


def test_registry_credentials_are_a_file_for_both_builders() -> None:
    pod = pod_of(spec_of())
    volume = next(volume for volume in pod["volumes"] if volume["name"] == "errand-registry")
    assert volume["secret"]["secretName"] == "registry-auth"
    assert volume["secret"]["items"] == [{"key": ".dockerconfigjson", "path": "config.json"}]
    env = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}
    assert env["DOCKER_CONFIG"] == "/errand/registry"
    assert env["REGISTRY_AUTH_FILE"] == "/errand/registry/config.json"


def test_what_a_kubelet_would_replace_is_written_so_that_it_does_not() -> None:
    container = pod_of(spec_of(context="$(PATH)", arguments={"A": "$(PATH) $$"}))["containers"][0]
    assert (
        container["command"][-2:]
        == [
            "--opt=build-arg:A=$$(PATH) $$$$",
            "--secret",
        ]
        or "--opt=build-arg:A=$$(PATH) $$$$" in container["command"]
    )
    assert {"name": "ERRAND_CONTEXT", "value": "$$(PATH)"} in container["env"]
    assert not [word for word in container["command"] if "$(" in word.replace("$$", "")]


def test_builder_s_pod_is_merged_last() -> None:
    settings = Settings(
        "jobs",
        "errand",
        pod={"nodeSelector": {"disk": "ssd"}, "priorityClassName": "low"},
        builder=Builder(
            pod={
                "priorityClassName": "high",
                "containers": [{"name": "job", "env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}]}],
            }
        ),
    )
    pod = pod_of(spec_of(), settings)
    assert (pod["nodeSelector"], pod["priorityClassName"]) == ({"disk": "ssd"}, "high")
    env = pod["containers"][0]["env"]
    assert {"name": "HTTPS_PROXY", "value": "http://proxy"} in env
    assert "ERRAND_URL" in [variable["name"] for variable in env]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"arguments": {"A=B": "x"}}, "Not a name"),
        ({"arguments": {"--volume": "x"}}, "Not a name"),
        ({"arguments": {"A": "x\0y"}}, "NUL"),
        ({"arguments": {"A": "\udc80"}}, "Unicode"),
        ({"secrets": {"A,src=/etc/passwd": Secret("x")}}, "Not a name"),
        ({"push": None}, "no repository"),
        ({"push": "shop"}, "Not a repository"),
        ({"push": "registry.example.com/shop:latest"}, "Not a repository"),
        ({"push": "--tls-verify=false"}, "Not a reference"),
        ({"push": "registry.example.com/shop,push=false"}, "Not a reference"),
    ],
)
def test_recipe_that_could_do_harm_is_refused(recipe: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        buildjobs.made(spec_of(**recipe), SETTINGS)


@pytest.mark.parametrize("url", ["ext::sh -c id", "--upload-pack=id", "https://x y/z"])
def test_url_that_git_must_not_see_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        buildjobs.made(spec_of(url), SETTINGS)
