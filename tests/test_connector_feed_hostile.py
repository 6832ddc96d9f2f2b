"""Feeds: what is not one, and what is made to hurt costs neither files nor minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.feed.apart import HOSTILE
from connectors.feed.parser import DEPTH_MAX, ITEMS_MAX, Refused, bounded
from syndicator.contract import Context
from syndicator.errors import AuthExpired, Rejected, Transient
from syndicator.sandbox.feed import FeedSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW
from tests.test_connector_feed import RSS, SECRET, context, read, simulator, source_at

__all__ = ["context", "simulator"]


def test_parts_of_an_item_are_capped() -> None:
    """One item cannot bring a book as its title or a thousand tags."""
    categories = "".join(f"<category>c{n}</category>" for n in range(1_000))
    (post,) = read(RSS.format(f"<item><title>{'x' * 100_000}</title><link>https://a.example/</link>{categories}</item>"))
    assert (len(post.title), len(post.tags)) == (2_000, 50)


@pytest.mark.parametrize(("body", "content_type"), [
    (b"", "application/rss+xml"),
    (b"   \n", "application/rss+xml"),
    (b"<!DOCTYPE html><html><body>Bienvenue</body></html>", "text/html"),
    (b'{"name": "WordPress", "routes": {}}', "application/json"),
    (b"[1, 2]", "application/json"),
    (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
], ids=["empty", "blank", "page", "json", "array", "calendar", "svg", "png"])  # fmt: skip
async def test_what_is_no_feed_is_refused_with_advice(simulator: FeedSimulator, context: Context, body: bytes, content_type: str) -> None:
    """At the first look the address is wrong; later the site may be having a bad day."""
    url = simulator.serve("/thing", body, content_type)
    with pytest.raises(Rejected) as caught:
        await source_at(url, context).fetch(None)
    assert caught.value.hint is not None

    known = (await source_at(f"{simulator.url}/feed/", context).fetch(None)).cursor
    with pytest.raises(Transient):
        await source_at(url, context).fetch(known)


async def test_open_refuses_a_web_page(simulator: FeedSimulator, context: Context) -> None:
    """``check`` tells a home page from a feed."""
    with pytest.raises(Rejected):
        await source_at(f"{simulator.url}/", context).open()


@pytest.mark.parametrize(("status", "error"), [(410, Rejected), (404, Rejected), (403, AuthExpired), (500, Transient)])
async def test_statuses_come_with_advice(simulator: FeedSimulator, context: Context, status: int, error: type[Exception]) -> None:
    """Gone for good, not there, locked: each says what a person can do."""
    simulator.fault(Fault(action="answer", status=status, path="/feed"))
    with pytest.raises(error) as caught:
        await source_at(f"{simulator.url}/feed/", context).fetch(None)
    assert status == 500 or getattr(caught.value, "hint", None)


async def test_a_body_that_names_a_file_opens_no_file(simulator: FeedSimulator, context: Context, tmp_path: Path) -> None:
    """feedparser would open it; here it is a text that is no feed."""
    hidden = tmp_path / "hidden.xml"
    hidden.write_text(RSS.format(f"<item><title>{SECRET}</title><link>https://a.example/</link></item>"))
    for body in (str(hidden), hidden.as_uri(), f"{simulator.url}/feed/"):
        url = simulator.serve("/path.xml", body.encode())
        with pytest.raises(Rejected) as caught:
            await source_at(url, context).fetch(None)
        assert SECRET not in repr(caught.value)

    assert {seen.path for seen in simulator.requests} == {"/path.xml"}


def test_an_external_entity_opens_no_file(tmp_path: Path) -> None:
    """XXE resolves to nothing."""
    hidden = tmp_path / "hidden.txt"
    hidden.write_text(SECRET)
    doctype = f'<!DOCTYPE rss [<!ENTITY leak SYSTEM "{hidden.as_uri()}">]>'
    posts = read(RSS.replace("?><rss", f"?>{doctype}<rss").format("<item><title>A &leak;</title><link>https://a.example/</link></item>"))
    assert SECRET not in repr(posts)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMBS = {
    "nested": b"<rss><channel><item><description>" + b"<a>" * 200_000,
    "nested-after-an-error": b"<rss><channel>& <item><description>" + b"<a>" * 200_000,
    "billion-laughs": f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss version="2.0"><channel>&l9;</channel></rss>'.encode(),
    "quadratic": b'<!DOCTYPE rss [<!ENTITY x "'
    + b"x" * 50_000
    + b'">]><rss><channel><title>'
    + b"&x;" * 100_000
    + b"</title></channel></rss>",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_are_parsed(name: str) -> None:
    """The walk stops where the document goes too far."""
    with pytest.raises(Refused):
        bounded(BOMBS[name])


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_is_refused_and_tried_once(
    simulator: FeedSimulator, context: Context, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rejected with advice; the same body again starts no process, not even after a restart."""
    url = simulator.serve("/bomb.xml", BOMBS[name])
    with pytest.raises(Rejected) as caught:
        await source_at(url, context).fetch(None)
    assert caught.value.hint == HOSTILE

    monkeypatch.setattr("sys.executable", "/nonexistent")
    with pytest.raises(Rejected):
        await source_at(url, context).fetch(None)


async def test_a_parser_that_does_not_end_is_killed(
    simulator: FeedSimulator, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """When the time is up the process is gone, and it is a refusal like the others."""
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec tail -f /dev/null\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(interpreter))
    monkeypatch.setattr("connectors.feed.apart.PARSE_MAX_S", 0.5)
    with pytest.raises(Rejected) as caught:
        await source_at(f"{simulator.url}/feed/", context).fetch(None)

    assert caught.value.hint == HOSTILE
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


async def test_a_refused_body_is_tried_again_a_day_later(
    simulator: FeedSimulator, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been this machine that failed: an innocent feed is read the next day though it has not changed."""
    url = f"{simulator.url}/feed/"
    with monkeypatch.context() as broken:
        broken.setattr("sys.executable", "/bin/false")
        with pytest.raises(Rejected):
            await source_at(url, context).fetch(None)
    with pytest.raises(Rejected):
        await source_at(url, context).fetch(None)

    tomorrow = replace(context, now=lambda: NOW + timedelta(days=1))
    assert len((await source_at(url, tomorrow).fetch(None)).changed) == 3


async def test_a_parser_that_crashes_is_a_refusal(simulator: FeedSimulator, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback of ours when the other process dies."""
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(Rejected) as caught:
        await source_at(f"{simulator.url}/feed/", context).fetch(None)
    assert caught.value.hint == HOSTILE


async def test_an_endless_body_is_cut(simulator: FeedSimulator, context: Context) -> None:
    """Two megabytes and no more."""
    with pytest.raises(Rejected) as caught:
        await source_at(f"{simulator.url}/endless", context).fetch(None)
    assert "2000000 bytes" in caught.value.detail


async def test_a_compressed_bomb_is_cut(simulator: FeedSimulator, context: Context) -> None:
    """200 MB in 200 kB are counted as they unfold."""
    with pytest.raises(Rejected) as caught:
        await source_at(simulator.serve_bomb("/bomb", 200_000_000), context).fetch(None)
    assert "2000000 bytes" in caught.value.detail


def test_items_are_capped_before_the_parser() -> None:
    """Of 20 000 items the first 500 are parsed, the document still well-formed; so too when it never was."""
    items = "".join(f"<item><title>A {n}</title><link>https://a.example/{n}</link></item>" for n in range(20_000))
    whole, well_formed = bounded(RSS.format(items).encode())
    broken, still_broken = bounded(RSS.format("&oops;" + items).encode())

    assert (whole.count(b"<item>"), whole.endswith(b"</channel></rss>"), well_formed) == (ITEMS_MAX, True, True)
    assert (broken.count(b"<item>"), still_broken) == (ITEMS_MAX, False)
    assert [post.title for post in read(whole)] == [f"A {n}" for n in range(500)]


def test_an_honest_depth_passes() -> None:
    """XHTML content nests; the limit is far above it."""
    deep = "<div>" * (DEPTH_MAX - 10) + "</div>" * (DEPTH_MAX - 10)
    assert bounded(f"<feed><entry><content>{deep}</content></entry></feed>".encode())[1] is True
    with pytest.raises(Refused):
        bounded(("<feed>" + "<div>" * DEPTH_MAX).encode())


@pytest.mark.parametrize("body", [b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b"[" * 900_000, b"{" * 900_000])
async def test_nested_json_is_refused(simulator: FeedSimulator, context: Context, body: bytes) -> None:
    """The depth of JSON is bounded too."""
    with pytest.raises(Rejected):
        await source_at(simulator.serve("/deep.json", body, "application/feed+json"), context).fetch(None)
