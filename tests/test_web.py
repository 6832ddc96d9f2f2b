"""The daemon's web server: what visitors, feed readers, proxies and curious people get."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from syndicator.testing import NOW
from syndicator.web import AssociationHealth, Health, ListenError, PartHealth, PublicServer, Site
from syndicator.web.files import Files

PAGE = b"<!DOCTYPE html><html lang=fr><title>Agenda</title>" + b"<p>Bonjour \xc3\xa0 toutes et \xc3\xa0 tous</p>" * 40
HEALTH = Health(
    ok=True,
    since=NOW - timedelta(hours=3),
    version="1.2",
    associations=(
        AssociationHealth(
            name="Les Amis du <Vélo>",
            ok=False,
            sources=(PartHealth(name="agenda", type="mobilizon", ok=True, last_success_at=NOW - timedelta(minutes=5)),),
            destinations=(
                PartHealth(name="pouets", type="mastodon", ok=False, problem="Le jeton a expiré : <b>renouvelez</b>.", waiting=2, parked=1),
            ),
        ),
    ),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A public folder with one file of each kind, beside something that must never be served."""
    public = tmp_path / "public"
    (public / "media").mkdir(parents=True)
    (public / "atelier vélo").mkdir()
    (tmp_path / "secret.txt").write_text("jeton")
    for name, data in {
        "index.html": PAGE,
        "agenda.ics": b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" * 30,
        "feed.atom": b"<feed/>",
        "feed.json": b"{}",
        "events.json": b"{}",
        "events.geojson": b"{}",
        "widget.js": b"export {}",
        "sitemap.xml": b"<urlset/>",
        "embed.html": PAGE,
        "jeunesse/embed.html": PAGE,
        "events/index.html": PAGE,
        "events/bourse.html": PAGE,
        "icon.svg": b"<svg/>",
        f"media/{'0b' * 16}.webp": b"RIFF",
        "style.css": b"p{}",
        ".hidden.html": b"jeton",
        "inconnu.xyz": b"?",
        f"media/{'0a' * 16}.jpg": b"\xff\xd8\xff" + bytes(2000),
        "media/photo.jpg": b"\xff\xd8\xff",
        "atelier vélo/index.html": b"<p>Atelier",
    }.items():
        (public / name).parent.mkdir(exist_ok=True)
        (public / name).write_bytes(data)
    return public


class Running:
    """A server on loopback and a client that follows nothing and decodes nothing."""

    def __init__(self, server: PublicServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with self.session.request(method, url, headers=named, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.read()

    async def raw(self, target: str) -> bytes:
        """The answer to a request line that no honest client would write."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = await reader.read()
        writer.close()
        return answer


Start = Callable[..., Any]


@pytest.fixture
async def start(folder: Path) -> AsyncIterator[Start]:
    """Starts servers that are stopped at the end."""
    servers: list[PublicServer] = []
    session = aiohttp.ClientSession(auto_decompress=False, headers={"Accept-Encoding": "identity"})

    async def go(
        *, sites: list[Site] | None = None, health: Health = HEALTH, public_status: bool = False, metrics: str = "up 1\n"
    ) -> Running:
        served = sites or [Site(prefix="/", folder=folder)]
        server = PublicServer(
            sites=lambda: served, health=lambda: health, metrics=lambda: metrics, now=lambda: NOW, public_status=public_status
        )
        servers.append(server)
        await server.start("127.0.0.1", 0)
        return Running(server, session)

    yield go
    await session.close()
    for server in servers:
        await server.stop()


@pytest.fixture
async def running(start: Start) -> Running:
    """One association at the root."""
    found: Running = await start()
    return found


ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin", "Server": "syndicator"}
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
NOT_A_PAGE = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "media_type", "shared", "cache"),
    [
        ("/", "text/html; charset=utf-8", False, "public, max-age=60, must-revalidate"),
        ("/agenda.ics", "text/calendar; charset=utf-8", True, "public, max-age=900, must-revalidate"),
        ("/feed.atom", "application/atom+xml; charset=utf-8", True, "public, max-age=900, must-revalidate"),
        ("/feed.json", "application/feed+json", True, "public, max-age=900, must-revalidate"),
        ("/events.json", "application/json", True, "public, max-age=60, must-revalidate"),
        ("/events.geojson", "application/geo+json", True, "public, max-age=60, must-revalidate"),
        ("/widget.js", "text/javascript; charset=utf-8", True, "public, max-age=900, must-revalidate"),
        ("/sitemap.xml", "application/xml; charset=utf-8", True, "public, max-age=900, must-revalidate"),
        ("/style.css", "text/css; charset=utf-8", False, "public, max-age=900, must-revalidate"),
        ("/icon.svg", "image/svg+xml", False, "public, max-age=86400, must-revalidate"),
        (f"/media/{'0a' * 16}.jpg", "image/jpeg", False, "public, max-age=31536000, immutable"),
        (f"/media/{'0b' * 16}.webp", "image/webp", False, "public, max-age=31536000, immutable"),
        ("/media/photo.jpg", "image/jpeg", False, "public, max-age=86400"),
        ("/inconnu.xyz", "application/octet-stream", False, "public, max-age=900"),
    ],
)
async def test_every_kind_of_file_has_its_headers(running: Running, path: str, media_type: str, shared: bool, cache: str) -> None:
    """Right type, right lifetime, readable by other sites' scripts only where that is of use, nobody is recognised."""
    status, headers, _ = await running.ask(path)

    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, media_type, cache)
    assert headers.get("Access-Control-Allow-Origin") == ("*" if shared else None)
    assert {name: headers[name] for name in ALWAYS} == ALWAYS
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", ["/", "/embed.html", "/jeunesse/embed.html", "/events/", "/events/bourse.html"])
async def test_a_page_loads_what_is_ours_and_stands_in_no_other_frame(running: Running, path: str) -> None:
    """Nothing from elsewhere, nothing written into the page runs, nothing is sent; only the page made for frames may be framed."""
    _, headers, _ = await running.ask(path)
    framed = path.endswith("embed.html")

    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'", "img-src 'self'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'",
        "form-action 'none'", f"frame-ancestors {'*' if framed else repr('self')}",
    ]  # fmt: skip
    assert headers["Permissions-Policy"] == PERMISSIONS
    assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if framed else "same-origin")


@pytest.mark.parametrize("path", ["/icon.svg", "/style.css", "/events.json", "/agenda.ics", "/media/photo.jpg", "/widget.js"])
async def test_what_is_no_page_may_be_used_everywhere_and_does_nothing(running: Running, path: str) -> None:
    """Other sites show and load it; opened by itself, not even a script in an SVG runs."""
    _, headers, _ = await running.ask(path)

    assert (headers["Cross-Origin-Resource-Policy"], headers["Content-Security-Policy"]) == ("cross-origin", NOT_A_PAGE)
    assert "Permissions-Policy" not in headers


async def test_the_calendar_has_a_file_name_and_stays_inline(running: Running) -> None:
    """A browser offers it under its name; a calendar program reads it in place."""
    _, headers, _ = await running.ask("/agenda.ics")

    assert headers["Content-Disposition"] == 'inline; filename="agenda.ics"'


async def test_an_unchanged_file_is_not_sent_twice(running: Running) -> None:
    """By tag, by one of several tags, by weak tag, by date: 304 without a body."""
    _, headers, _ = await running.ask("/")
    tag, date = headers["ETag"], headers["Last-Modified"]
    assert tag.startswith('"')

    for asked in (
        {"If_None_Match": tag},
        {"If_None_Match": f'"other", W/{tag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": date},
    ):
        status, again, body = await running.ask("/", **asked)
        assert (status, body, again["ETag"]) == (304, b"", tag)
        assert again["Cache-Control"] == "public, max-age=60, must-revalidate"

    assert (await running.ask("/", If_None_Match='"other"', If_Modified_Since=date))[0] == 200
    assert (await running.ask("/", If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT"))[0] == 200
    assert (await running.ask("/", If_Modified_Since="hier"))[0] == 200


async def test_text_is_compressed_for_those_who_take_it(running: Running) -> None:
    """Another body, another tag, and caches are told; pictures and refusers get the plain form."""
    _, plain, _ = await running.ask("/")
    status, headers, body = await running.ask("/", Accept_Encoding="br, gzip;q=0.8")

    assert status == 200
    assert gzip.decompress(body) == PAGE
    assert (headers["Content-Encoding"], headers["Vary"], plain["Vary"]) == ("gzip", "Accept-Encoding", "Accept-Encoding")
    assert headers["ETag"] != plain["ETag"]
    assert int(headers["Content-Length"]) == len(body)
    fresh = await running.ask("/", Accept_Encoding="gzip", If_None_Match=headers["ETag"])
    assert (fresh[0], "Content-Encoding" in fresh[1]) == (304, False)
    assert "Content-Encoding" not in (await running.ask("/", Accept_Encoding="gzip;q=0"))[1]
    assert "Content-Encoding" not in (await running.ask("/media/photo.jpg", Accept_Encoding="gzip"))[1]


async def test_head_says_what_get_would(running: Running) -> None:
    """Same headers, length included, no body."""
    status, headers, body = await running.ask("/")
    head_status, head_headers, nothing = await running.ask("/", "HEAD")

    assert (head_status, nothing) == (status, b"")
    differing = {name for name in headers if headers[name] != head_headers.get(name)} - {"Date"}
    assert differing == set()
    assert int(head_headers["Content-Length"]) == len(body)


async def test_a_changed_file_is_seen_at_once(running: Running, folder: Path) -> None:
    """Replaced atomically, even within one clock tick and at the same length: the next visitor gets the new one under a new tag."""
    _, before, _ = await running.ask("/feed.json")
    stamp = (folder / "feed.json").stat().st_mtime_ns
    draft = folder / ".feed.json.tmp"
    draft.write_bytes(b"[]")
    os.utime(draft, ns=(stamp, stamp))
    draft.replace(folder / "feed.json")
    _, after, body = await running.ask("/feed.json")

    assert body == b"[]"
    assert after["ETag"] != before["ETag"]
    (folder / "feed.json").unlink()
    assert (await running.ask("/feed.json"))[0] == 404


async def test_the_same_content_has_the_same_tag(running: Running, folder: Path) -> None:
    """A file written anew with the same bytes costs no reader a download."""
    _, before, _ = await running.ask("/")
    (folder / "index.html").write_bytes(PAGE)
    os.utime(folder / "index.html", (1, 1))

    assert (await running.ask("/", If_None_Match=before["ETag"]))[0] == 304


async def test_a_large_file_is_sent_whole_without_being_kept(running: Running, folder: Path) -> None:
    """Beyond the bound it comes from disk, with a tag, and HEAD and 304 work too."""
    data = os.urandom(3_000_000)
    (folder / "grand.png").write_bytes(data)
    _, headers, body = await running.ask("/grand.png")

    assert body == data
    assert (await running.ask("/grand.png", If_None_Match=headers["ETag"]))[0] == 304
    _, head, nothing = await running.ask("/grand.png", "HEAD")
    assert (int(head["Content-Length"]), nothing) == (len(data), b"")


async def test_memory_is_bounded(folder: Path) -> None:
    """The least recently asked for goes first; what was just asked for is at hand."""
    files = Files(kept_max_bytes=500_000)
    for number in range(20):
        (folder / f"{number}.png").write_bytes(bytes(100_000))
        await files.load(str(folder), f"{number}.png")
    at_hand = [number for number in range(20) if files.kept(str(folder), f"{number}.png") is not None]

    assert at_hand == [16, 17, 18, 19]


BYTES = bytes(range(256)) * 12_000
"""More than is kept in memory."""


@pytest.mark.parametrize("size", [3000, len(BYTES)], ids=["kept", "from disk"])
@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=2900-", 2900, None),
        ("bytes=-7", -7, None),
        ("bytes=-999999999", 0, None),
        ("bytes=5-999999999", 5, None),
        ("BYTES=1-2", 1, 2),
    ],
)
async def test_a_part_is_sent_alone(running: Running, folder: Path, size: int, asked: str, first: int, last: int | None) -> None:
    """A broken download goes on where it stopped: exactly these bytes, and which of how many they are."""
    (folder / "film.webp").write_bytes(BYTES[:size])
    begin, end = first % size, size - 1 if last is None else last
    status, headers, body = await running.ask("/film.webp", Range=asked, Accept_Encoding="gzip")

    assert (status, body) == (206, BYTES[begin : end + 1])
    assert (headers["Content-Range"], headers["Accept-Ranges"]) == (f"bytes {begin}-{end}/{size}", "bytes")
    assert headers["ETag"] == (await running.ask("/film.webp"))[1]["ETag"]


@pytest.mark.parametrize("asked", ["bytes=3000-", "bytes=4000-5000", "bytes=-0"])
async def test_beyond_the_end_there_is_nothing(running: Running, folder: Path, asked: str) -> None:
    """416, with the length that there is; nobody keeps that answer."""
    (folder / "film.webp").write_bytes(BYTES[:3000])
    status, headers, body = await running.ask("/film.webp", Range=asked)

    assert (status, headers["Content-Range"], headers["Cache-Control"], body) == (416, "bytes */3000", "no-store", b"")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "", "bytes=٣-٤"])
async def test_a_part_that_is_not_understood_is_the_whole(running: Running, folder: Path, asked: str) -> None:
    """So are several parts at once, which no reader of these files asks for."""
    (folder / "film.webp").write_bytes(BYTES[:3000])
    status, headers, body = await running.ask("/film.webp", Range=asked)

    assert (status, body, "Content-Range" in headers) == (200, BYTES[:3000], False)


async def test_a_part_continues_only_what_the_visitor_has(running: Running) -> None:
    """Another version goes out whole; an unchanged one that is asked for by tag not at all; of a text, the plain form's part."""
    _, headers, _ = await running.ask("/")
    _, packed, _ = await running.ask("/", Accept_Encoding="gzip")
    for same in (headers["ETag"], headers["Last-Modified"]):
        assert (await running.ask("/", Range="bytes=0-9", If_Range=same, Accept_Encoding="gzip"))[::2] == (206, PAGE[:10])
    for other in ('"other"', f"W/{headers['ETag']}", packed["ETag"], "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert (await running.ask("/", Range="bytes=0-9", If_Range=other))[::2] == (200, PAGE)

    assert (await running.ask("/", Range="bytes=0-9", If_None_Match=headers["ETag"]))[::2] == (304, b"")
    assert (await running.ask("/", "HEAD", Range="bytes=0-9"))[0] == 200
    assert ("Accept-Ranges" in headers, "Accept-Ranges" in packed) == (True, False)


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt", "/media/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
        "/media/..%5c..%5csecret.txt", "/.hidden.html", "/%2ehidden.html", "/media/.%2e/.hidden.html", "//secret.txt",
        "/secret.txt%00.html",
        "/lien/secret.txt", "/lien.txt", "/" + "a" * 5000, "/index.html/", "/index.html/x", "/%ff", "/%", "http://autre.example/../secret.txt",
    ],
)  # fmt: skip
async def test_nothing_outside_the_folder_is_served(running: Running, folder: Path, tmp_path: Path, target: str) -> None:
    """Neither by climbing, nor encoded, nor hidden, nor through a link that leads out."""
    (folder / "lien").symlink_to(tmp_path)
    (folder / "lien.txt").symlink_to(tmp_path / "secret.txt")
    answer = await running.raw(target)

    assert answer.split(b" ")[1] in (b"404", b"400")
    assert b"jeton" not in answer


async def test_links_and_pipes_in_the_folder(running: Running, folder: Path) -> None:
    """A link that stays inside is followed; a named pipe is no file, and hangs nobody."""
    (folder / "aussi.html").symlink_to(folder / "index.html")
    os.mkfifo(folder / "tuyau")

    assert (await running.ask("/aussi.html"))[2] == PAGE
    assert (await running.ask("/tuyau"))[0] == 404


async def test_folders(running: Running) -> None:
    """With a slash their index.html, without one the way to it, encoded as it came; a folder without index.html is not listed."""
    moved = await running.ask("/atelier%20v%C3%A9lo")

    assert (moved[0], moved[1]["Location"]) == (308, "/atelier%20v%C3%A9lo/")
    assert (await running.ask("/atelier%20v%C3%A9lo/"))[2] == b"<p>Atelier"
    assert (await running.ask("/media"))[0] == 404
    assert (await running.ask("/media/"))[0] == 404


async def test_one_server_many_associations(start: Start, tmp_path: Path) -> None:
    """Each under its prefix, none reaches into another; a new one is served as soon as it is there."""
    for name in ("velo", "chorale"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    sites = [Site(prefix="/velo/", folder=tmp_path / "velo"), Site(prefix="/chorale/", folder=tmp_path / "chorale")]
    running = await start(sites=sites)

    assert (await running.ask("/velo/"))[2] == b"velo"
    assert (await running.ask("/chorale/index.html"))[2] == b"chorale"
    moved = await running.ask("/velo")
    assert (moved[0], moved[1]["Location"]) == (308, "/velo/")
    for target in ("/", "/autre/", "/velo/../chorale/", "/velochorale/"):
        assert (await running.raw(target)).split(b" ")[1] == b"404"


async def test_the_longest_prefix_wins(start: Start, folder: Path, tmp_path: Path) -> None:
    """An association at the root and others below it live together."""
    (tmp_path / "velo").mkdir()
    (tmp_path / "velo" / "index.html").write_text("velo")
    running = await start(sites=[Site(prefix="/", folder=folder), Site(prefix="/velo/", folder=tmp_path / "velo")])

    assert (await running.ask("/"))[2] == PAGE
    assert (await running.ask("/velo/"))[2] == b"velo"
    assert (await running.ask("/velo"))[0] == 308


async def test_sites_are_asked_for_anew(folder: Path, tmp_path: Path) -> None:
    """A reloaded configuration is served without a restart."""
    sites: list[list[Site]] = [[]]
    server = PublicServer(sites=lambda: sites[0], health=lambda: HEALTH, metrics=str, now=lambda: NOW)
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        running = Running(server, session)
        before = await running.ask("/")
        sites[0] = [Site(prefix="/", folder=folder)]
        after = await running.ask("/")
    await server.stop()

    assert (before[0], after[0]) == (404, 200)


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.5", "fr", "Page introuvable"),
        ("en-GB,en;q=0.9,fr;q=0.1", "en", "Page not found"),
        ("de,en;q=0.5", "en", "Page not found"),
        ("", "fr", "Page introuvable"),
        ("de", "fr", "Page introuvable"),
        ("en;q=abc", "fr", "Page introuvable"),
    ],
)
async def test_refusals_speak_the_visitor_s_language(running: Running, accepted: str, language: str, title: str) -> None:
    """A small page without anything to load, never kept, never repeating what was asked for."""
    status, headers, body = await running.ask("/<script>", Accept_Language=accepted)
    page = body.decode()

    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (404, "text/html; charset=utf-8", "no-store")
    assert f'<html lang="{language}">' in page
    assert f"<h1>{title}</h1>" in page
    assert "script" not in page


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
async def test_one_can_only_read(running: Running, method: str) -> None:
    """405, and what is allowed."""
    status, headers, body = await running.ask("/", method, Accept_Language="en")

    assert (status, headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert b"Method not allowed" in body


async def test_other_sites_scripts_may_ask_first(running: Running) -> None:
    """The preflight of a conditional request passes."""
    status, headers, body = await running.ask("/events.json", "OPTIONS", Origin="https://asso.example")

    assert (status, body) == (204, b"")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "If-None-Match" in headers["Access-Control-Allow-Headers"]


async def test_healthz(start: Start) -> None:
    """200 with every part's state; 503 when the daemon does not do its work."""
    status, headers, body = await (await start()).ask("/healthz")
    document = json.loads(body)

    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "application/json", "no-store")
    assert document["since"] == "2026-11-21T09:00:00+00:00"
    assert document["associations"][0]["sources"] == [
        {
            "name": "agenda", "type": "mobilizon", "ok": True, "last_success_at": "2026-11-21T11:55:00+00:00", "problem": "", "waiting": 0,
            "parked": 0,
        }
    ]  # fmt: skip
    ill = await start(health=replace(HEALTH, ok=False))
    assert (await ill.ask("/healthz"))[0] == 503
    assert (await ill.ask("/status"))[0] == 503


async def test_metrics(running: Running) -> None:
    """What the daemon counts, in the format that Prometheus reads."""
    status, headers, body = await running.ask("/metrics")

    assert (status, headers["Content-Type"], body) == (200, "text/plain; version=0.0.4; charset=utf-8", b"up 1\n")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["État du service", "Tout va bien", "À regarder", "il y a 5 minutes", "jamais encore", "2 en attente", "fonctionne."]),
        ("en", ["Service status", "All is well", "Needs a look", "5 minutes ago", "never yet", "2 waiting", "works."]),
    ],
)
async def test_the_status_page_is_in_plain_words(running: Running, language: str, expected: list[str]) -> None:
    """Every source and destination, when it last worked and what is wrong; names and problems stay text."""
    status, headers, body = await running.ask("/status", Accept_Language=language)
    page = body.decode()

    assert status == 200
    assert [text for text in expected if text not in page] == []
    assert "Les Amis du &lt;Vélo&gt;" in page
    assert "&lt;b&gt;renouvelez&lt;/b&gt;" in page
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (await running.ask("/status.css"))[1]["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/status", "/status.css"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_behind_a_proxy_the_public_sees_no_status(start: Start, path: str, header: str) -> None:
    """A proxy on this machine asks for others: they get nothing unless a person decided so."""
    closed, opened = await start(), await start(public_status=True)
    headers = {header.replace("-", "_"): "192.0.2.1"}

    assert (await closed.ask(path, **headers))[0] == 404
    assert (await opened.ask(path, **headers))[0] == 200


async def test_an_address_in_use_is_said_in_plain_words(running: Running) -> None:
    """Two servers on one port: the second says so and leaves nothing behind."""
    server = PublicServer(sites=list, health=lambda: HEALTH, metrics=str, now=lambda: NOW)
    with pytest.raises(ListenError) as caught:
        await server.start("127.0.0.1", running.server.port)

    assert str(running.server.port) in caught.value.hint["fr"]
    await server.stop()


async def test_stopping_ends_open_connections(start: Start) -> None:
    """A visitor who keeps the line open does not keep the daemon from ending, and may be served until then."""
    running = await start()
    await running.ask("/")
    await running.server.stop()

    with pytest.raises(aiohttp.ClientError):
        await running.ask("/")


async def test_many_visitors_at_once_read_the_disk_once(folder: Path) -> None:
    """A file that everybody wants the moment it changes is loaded for all of them together."""
    files = Files()
    found = await asyncio.gather(*(files.load(str(folder), "agenda.ics") for _ in range(40)))

    assert {id(file) for file in found} == {id(files.kept(str(folder), "agenda.ics"))}


def test_a_prefix_has_its_slashes(tmp_path: Path) -> None:
    """``/slug`` without its slash would serve ``/slugother`` too: it is refused."""
    with pytest.raises(ValueError, match="slash"):
        Site(prefix="/velo", folder=tmp_path)
