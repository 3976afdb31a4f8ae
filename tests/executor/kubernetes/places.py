"""What answers over HTTP in these tests: objects of an API server, and a registry that asks for tokens."""

import base64
import gzip
import hashlib
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str]], Answer]
"""Method, path with query, and headers in lower case."""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@contextmanager
def served(handler: Handler) -> Iterator[str]:
    """Answer on a loopback port; gives `host:port`."""

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name.lower(): value for name, value in self.headers.items()} | {"body": body.decode()}
            status, headers, said = handler(self.command, self.path, sent)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(said)

        do_HEAD = do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def said(status: int, body: Any, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode()


class Cluster:
    """An API server that has `objects` by path, and refuses with 403 what is in `forbidden`.

    What `problems` holds it answers before anything else: a status with its message.
    """

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self.objects: dict[str, Any] = {}
        self.forbidden: set[str] = set()
        self.asked: list[str] = []

    def answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.asked.append(path)
        if self.problems:
            code, message = self.problems.pop(0)
            return said(code, {"kind": "Status", "message": message})
        if path in self.forbidden:
            status = {
                "kind": "Status",
                "reason": "Forbidden",
                "message": f"{path.rpartition('/')[0]} is forbidden",
            }
            return said(403, status)
        if path not in self.objects:
            return said(404, {"kind": "Status", "reason": "NotFound", "message": f"{path} not found"})
        found = self.objects[path]
        if isinstance(found, list):
            selector = query.get("labelSelector", [""])[0]
            found = {"kind": "PodList", "items": [one for one in found if _selected(one, selector)]}
        return said(200, found)


def _selected(found: Any, selector: str) -> bool:
    labels = found["metadata"].get("labels") or {}
    return all(
        labels.get(part.partition("=")[0]) == part.partition("=")[2] if "=" in part else part in labels
        for part in filter(None, selector.split(","))
    )


def kubeconfig(directory: Path, host: str) -> str:
    """Write the way to an API server without encryption; gives the file."""
    path = directory / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": f"http://{host}"}}],
        "users": [{"name": "test", "user": {"token": "t"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path.write_text(json.dumps(config))
    return str(path)


def push(
    host: str, repository: str, tag: str, *, user: str = "", platforms: bool = False, login: str = ""
) -> str:
    """Put a small image into a registry; gives the digest of what `tag` names."""
    layer = _blob(host, repository, gzip.compress(b"\0" * 1024, mtime=0), login)
    config = {"architecture": "amd64", "os": "linux", "config": {"User": user}, "rootfs": {"type": "layers"}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(host, repository, json.dumps(config).encode(), login)
        | {"mediaType": "application/vnd.oci.image.config.v1+json"},
        "layers": [layer | {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}],
    }
    if not platforms:
        return _manifest(host, repository, tag, manifest, login)
    digest = _manifest(host, repository, f"{tag}-amd64", manifest, login)
    size = len(json.dumps(manifest).encode())
    entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": size}
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{**entry, "platform": {"architecture": "amd64", "os": "linux"}}],
    }
    return _manifest(host, repository, tag, index, login)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _manifest(host: str, repository: str, tag: str, manifest: dict[str, Any], login: str) -> str:
    data = json.dumps(manifest).encode()
    _ask(f"http://{host}/v2/{repository}/manifests/{tag}", "PUT", data, str(manifest["mediaType"]), login)
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _blob(host: str, repository: str, data: bytes, login: str) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    place = _ask(f"http://{host}/v2/{repository}/blobs/uploads/", "POST", b"", "", login)
    _ask(f"{place}&digest={digest}", "PUT", data, "application/octet-stream", login)
    return {"digest": digest, "size": len(data)}


def _ask(url: str, method: str, data: bytes, media_type: str, login: str) -> str:
    headers = {"Content-Type": media_type} | ({"Authorization": login} if login else {})
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.headers.get("Location") or "")
