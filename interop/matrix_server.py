"""A real Synapse on loopback: no federation, no limits of rate; accounts and rooms for the asking."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from interop import install
from interop.processes import Running, answers, free_port, start

SERVER = "lab.test"
SHARED_SECRET = "of-this-machine-alone"  # noqa: S105
CONFIG = """
server_name: {server}
pid_file: {folder}/synapse.pid
listeners:
  - port: {port}
    bind_addresses: ["127.0.0.1"]
    type: http
    tls: false
    resources: [{{names: [client], compress: false}}]
database: {{name: sqlite3, args: {{database: {folder}/synapse.db}}}}
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
registration_shared_secret: {secret}
macaroon_secret_key: {secret}
form_secret: {secret}
report_stats: false
trusted_key_servers: []
federation_domain_whitelist: []
rc_message: {{per_second: {rate}, burst_count: {burst}}}
rc_login: {{address: {plenty}, account: {plenty}, failed_attempts: {plenty}}}
rc_registration: {plenty}
rc_joins: {{local: {plenty}}}
rc_invites: {{per_room: {plenty}, per_user: {plenty}, per_issuer: {plenty}}}
rc_room_creation: {plenty}
"""
PLENTY = "{per_second: 1000, burst_count: 1000}"


@dataclass(frozen=True)
class Said:
    """An answer of the client API."""

    status: int
    body: Any


def say(url: str, method: str, path: str, body: Any = None, *, token: str = "", data: bytes | None = None) -> Said:
    """One call, without the client under test."""
    sent = data if data is not None else None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{url}/_matrix{path}", data=sent, headers=headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return Said(answer.status, json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as error:
        with error:
            return Said(error.code, json.loads(error.read() or b"{}"))


@dataclass
class Synapse:
    """One server."""

    running: Running
    url: str

    @classmethod
    async def start(cls, folder: Path, *, rate: float = 1000, burst: int = 1000) -> Self:
        """Install when it must be, configure, boot."""
        python = await install.python_with(*install.SYNAPSE)
        port, config = free_port(), folder / "homeserver.yaml"
        config.write_text(
            CONFIG.format(server=SERVER, folder=folder, port=port, secret=SHARED_SECRET, rate=rate, burst=burst, plenty=PLENTY),
            encoding="utf-8",
        )
        main = (python, "-m", "synapse.app.homeserver", "--config-path", config)
        made = await asyncio.create_subprocess_exec(*main, "--generate-keys", cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        told, _ = await made.communicate()
        if made.returncode:
            raise RuntimeError(told.decode()[-800:])
        running = await start(*main, log=folder / "synapse.log", cwd=folder)
        url = f"http://127.0.0.1:{port}"
        try:
            await answers(f"{url}/_matrix/client/versions", running)
        except BaseException:
            await running.end()
            raise
        return cls(running, url)


def add_account(url: str, name: str, password: str) -> str:
    """Register ``name`` with the shared secret of the configuration; a token of its first device.

    https://element-hq.github.io/synapse/latest/admin_api/register_api.html
    """
    path = "/_synapse/admin/v1/register"
    nonce = json.loads(urllib.request.urlopen(url + path, timeout=30).read())["nonce"]  # noqa: S310
    mac = hmac.new(SHARED_SECRET.encode(), f"{nonce}\0{name}\0{password}\0notadmin".encode(), hashlib.sha1).hexdigest()
    body = {"nonce": nonce, "username": name, "password": password, "admin": False, "mac": mac}
    request = urllib.request.Request(url + path, data=json.dumps(body).encode(), method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(json.loads(answer.read())["access_token"])


def add_room(url: str, token: str, **options: Any) -> str:
    """A room for announcements; its number."""
    return str(say(url, "POST", "/client/v3/createRoom", {"preset": "public_chat", **options}, token=token).body["room_id"])


def room_path(room_id: str, *parts: str) -> str:
    """The path of something in a room."""
    return "/".join(["/client/v3/rooms", *(quote(part, safe="") for part in (room_id, *parts))])
