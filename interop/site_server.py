"""A real WordPress, and the person who writes on it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from interop import install
from interop.processes import Answer, Running, answers, ask, free_port, start

PHP = Path(__file__).parent / "php"


@dataclass(kw_only=True)
class Editor:
    """Somebody who writes on a site through its REST API."""

    url: str
    password: str
    """An application password."""

    async def api(self, path: str, fields: Mapping[str, Any], *, method: str = "POST") -> dict[str, Any]:
        """Call the REST API; RuntimeError when it refuses."""
        body = json.dumps(fields).encode()
        return _made(path, await ask(method, f"{self.url}/wp-json/wp/v2/{path}", headers=self._login("application/json"), body=body))

    async def empty(self) -> None:
        """Delete every article, whatever its state."""
        address = f"{self.url}/wp-json/wp/v2/posts?status=any&per_page=100&_fields=id"
        for article in json.loads((await ask("GET", address, headers=self._login("application/json"))).body):
            await self.api(f"posts/{article['id']}?force=true", {}, method="DELETE")

    async def publish(self, title: str, content: str = "", **fields: Any) -> dict[str, Any]:
        """Write an article; what the API says of it."""
        return await self.api("posts", {"title": title, "content": content or f"<p>{title}.</p>", "status": "publish", **fields})

    async def upload(self, name: str, data: bytes, alt: str) -> dict[str, Any]:
        """Put a picture into the library."""
        headers = self._login("image/png") | {"Content-Disposition": f'attachment; filename="{name}"'}
        made = _made("media", await ask("POST", f"{self.url}/wp-json/wp/v2/media", headers=headers, body=data))
        return await self.api(f"media/{made['id']}", {"alt_text": alt})

    async def cron(self) -> None:
        """Let out what is due."""
        await ask("GET", f"{self.url}/wp-cron.php?doing_wp_cron")

    async def feed(self, headers: Mapping[str, str] | None = None) -> Answer:
        """The feed, asked for with these headers."""
        return await ask("GET", f"{self.url}/feed/", headers=headers)

    def _login(self, content_type: str) -> dict[str, str]:
        pair = base64.b64encode(f"camille:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}", "Content-Type": content_type}


@dataclass(kw_only=True)
class WordPress(Editor):
    """The site itself."""

    running: Running
    log: Path
    """What was answered to whom."""
    version: str
    others: Mapping[str, str]
    """Application passwords of accounts named as their role: ``admin``, ``author``, ``contributor``."""

    @classmethod
    async def start(cls, folder: Path) -> Self:
        """Unpack a fresh site, install it, start it."""
        archives = await install.wordpress()
        site, url = folder / "www", f"http://127.0.0.1:{free_port()}"
        await asyncio.to_thread(_unpack, archives, site)
        environ = {"LAB_URL": url, "LAB_LOG": str(folder / "requests.log"), "PHP_CLI_SERVER_WORKERS": "4"}
        made = await asyncio.create_subprocess_exec(
            "php", PHP / "install.php", site, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=os.environ | environ
        )
        said, _ = await made.communicate()
        account = json.loads(said.decode().splitlines()[-1])
        address = url.removeprefix("http://")
        running = await start("php", "-S", address, "-t", site, PHP / "router.php", log=folder / "php.log", env=environ)
        try:
            await answers(f"{url}/wp-json/", running)
        except BaseException:
            await running.end()
            raise
        return cls(
            running=running,
            log=folder / "requests.log",
            url=url,
            password=account["password"],
            version=account["version"],
            others=account["others"],
        )

    def answered(self) -> Counter[str]:
        """How often it answered what to the syndicator's questions about its feed: ``/feed/ 304`` and so on."""
        lines = (line.split("\t") for line in self.log.read_text(encoding="utf-8").splitlines())
        return Counter(f"{path} {status}" for status, _, path, agent in lines if "syndicator" in agent.lower() and "/feed/" in path)


def _made(path: str, answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(answer.body)
    if answer.status not in (200, 201):
        raise RuntimeError(f"{path} answered {answer.status}: {said}")
    return said


def _unpack(archives: tuple[Path, Path], site: Path) -> None:
    plugins = site / "wp-content" / "plugins"
    for archive, target in zip(archives, (site, plugins), strict=True):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
    (plugins / "sqlite-database-integration-main").rename(plugins / "sqlite-database-integration")
    # The archive brings a site of its own.
    shutil.rmtree(site / "wp-content" / "database", ignore_errors=True)
    for folder in ("database", "uploads"):
        (site / "wp-content" / folder).mkdir(exist_ok=True)
    driver = plugins / "sqlite-database-integration"
    drop_in = (driver / "db.copy").read_text(encoding="utf-8")
    drop_in = drop_in.replace("{SQLITE_IMPLEMENTATION_FOLDER_PATH}", str(driver)).replace(
        "{SQLITE_PLUGIN}", "sqlite-database-integration/load.php"
    )
    (site / "wp-content" / "db.php").write_text(drop_in, encoding="utf-8")
    shutil.copy(PHP / "wp-config.php", site)
