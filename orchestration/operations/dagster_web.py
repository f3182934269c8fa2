"""Dagster's pages for those with a secret of the home: with one they look, with the other they start and stop runs.

``python -m orchestration.operations.dagster_web --port PORT --workspace FILE``. Dagster has no log-in, takes changes
by GET and asks no request where it comes from. Here each request names its secret (HTTP Basic, over the TLS of
nginx), comes from a page of the same host, and changes by a POST of JSON. What is asked with the viewer's secret is
answered by Dagster in its read-only mode.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from kodomo.home import Home
from kodomo.keys import read_or_make_key

VIEWER, OPERATOR = "viewer", "operator"
HEALTH = "/health"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
METHODS = {"GET", "HEAD", "POST"}
HOST_VARIABLE = "KODOMO_DAGSTER_HOST"
"""Names of this server that requests may use besides those of the machine itself, joined by commas."""

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Guard:
    """An ASGI app before two of Dagster's: ``look`` changes nothing, ``change`` does. ``secrets``: by user name."""

    def __init__(self, look: App, change: App, secrets: dict[str, str], hosts: Iterable[str]) -> None:
        self.apps = {VIEWER: look, OPERATOR: change}
        self.secrets = secrets
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it with 400, 401, 403 or 405."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["type"] == "http" and scope["path"] == HEALTH and self._is_known(headers.get("host", "")):
            await _answer(send, 200, "OK")
            return
        user = self._user(headers.get("authorization", ""))
        refusal = self._refusal(scope, headers, user)
        if refusal is None:
            await self.apps[user or VIEWER](scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _answer(send, *refusal)

    def _refusal(self, scope: Message, headers: dict[str, str], user: str | None) -> tuple[int, str] | None:
        """Status and reason for a request that is not passed on."""
        host = headers.get("host", "")
        if not self._is_known(host):
            return 400, "This server has another name."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "The request comes from a page of another server."
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"} and (
            scope["type"] == "websocket" or scope["method"] not in {"GET", "HEAD"}
        ):
            return 403, "The request comes from a page of another server."
        if user is None:
            return 401, "Name and secret are needed."
        if scope["type"] == "websocket":
            return None
        if scope["method"] not in METHODS:
            return 405, "Not allowed."
        path = "/" + scope["path"].strip("/")
        if scope["method"] != "POST":
            # A question in the address may be a change.
            return (405, "Ask by POST.") if path == "/graphql" and scope["query_string"] else None
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return 403, "Only JSON is taken."
        if scope["query_string"] or (user != OPERATOR and path != "/graphql"):
            return 403, "Not allowed."
        return None

    def _is_known(self, host: str) -> bool:
        name = host.lower()
        name = name[: name.index("]") + 1] if name.startswith("[") and "]" in name else name.split(":")[0]
        return name in self.hosts

    def _user(self, authorization: str) -> str | None:
        """The user whose secret a request names."""
        kind, _, encoded = authorization.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        expected = self.secrets.get(name)
        given = hmac.compare_digest(secret.encode(), (expected or "").encode())
        return name if expected and given else None


async def _lifespan(receive: Any, send: Any) -> None:
    """Answer the server's start and end; Dagster's own apps need neither."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(send: Any, status: int, text: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="kodomo Dagster", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"message": text}).encode()})


def secrets_of(home: Home) -> dict[str, str]:
    """The secrets by user name; made at their first use in files that only their owner reads."""
    return {
        VIEWER: read_or_make_key(home.dagster_viewer_key),
        OPERATOR: read_or_make_key(home.dagster_operator_key),
    }


def known_hosts() -> frozenset[str]:
    """The names by which requests may call this server."""
    named = {name.strip().lower() for name in os.environ.get(HOST_VARIABLE, "").split(",")}
    return LOCAL_HOSTS | (named - {""})


def main() -> None:
    """Serve Dagster's pages on this machine until stopped. DAGSTER_HOME names the instance."""
    import dagster as dg
    import uvicorn

    # Dagster's command serves every request alike; these are what it is made of.
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.cli import WorkspaceOpts, WorkspaceProcessContext, workspace_opts_to_load_target

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workspace", required=True)
    arguments = parser.parse_args()
    secrets = secrets_of(Home.from_environment())
    with ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.get())
        apps = [
            create_app_from_workspace_process_context(
                stack.enter_context(
                    WorkspaceProcessContext(
                        instance,
                        workspace_load_target=workspace_opts_to_load_target(
                            WorkspaceOpts(workspace=[arguments.workspace])
                        ),
                        read_only=is_read_only,
                    )
                )
            )
            for is_read_only in (True, False)
        ]
        uvicorn.run(
            Guard(apps[0], apps[1], secrets, known_hosts()),
            host="127.0.0.1",
            port=arguments.port,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=5,
            limit_concurrency=64,
        )


if __name__ == "__main__":
    main()
