"""Telling a feed from a page by its first bytes, and finding the feed that a page announces. Pure."""

from __future__ import annotations

import json
import re

from syndicator.contract import Page

FEED_ROOTS = {"rss", "feed", "rdf:rdf", "rdf"}
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")
OWN_CONNECTOR = {
    "akkoma", "friendica", "glitchcafe", "gotosocial", "hometown", "mastodon", "mobilizon", "peertube", "pixelfed", "pleroma",
}  # fmt: skip
"""Software that another connector reads better than its feeds would."""

_PROLOG = re.compile(r"<\?[^>]*>|<!--.*?-->|<!DOCTYPE(?:[^>\[]|\[[^\]]*\])*>", re.IGNORECASE | re.DOTALL)
_FIRST_TAG = re.compile(r"<([A-Za-z][\w:.-]*)")


def is_feed(body: bytes) -> bool:
    """Whether the beginning is that of RSS, Atom or JSON Feed."""
    head = _head(body)
    if head.startswith("{"):
        return "jsonfeed.org/version/" in head
    return _first_tag(head) in FEED_ROOTS


def is_something_else(body: bytes) -> bool:
    """Whether it is certainly no feed: empty, a web page, other JSON. In doubt it may be one."""
    head = _head(body)
    if not head:
        return True
    if head.startswith("{"):
        return "jsonfeed.org/version/" not in head and not _is_json_feed(body)
    return head.startswith("[") or _first_tag(head) in ("html", "head", "body") or head[:14].lower() == "<!doctype html"


def feed_url_on(page: Page) -> str | None:
    """The page's own address when it is a feed, else the first feed it announces that is not one of comments; None without any."""
    if is_feed(page.body):
        return page.url
    if page.software in OWN_CONNECTOR:
        return None
    announced = [(type_.lower(), href) for rel, type_, href in page.links if "alternate" in rel.lower().split()]
    for accepted in (FEED_TYPES, ("application/json",)):
        for type_, href in announced:
            # WordPress announces its own API as application/json.
            if type_ in accepted and not re.search(r"/comments/feed|/wp-json/|[?&]feed=comments", href):
                return href
    return None


def _head(body: bytes) -> str:
    start = body[:8192]
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return start.decode(encoding, "replace").lstrip()


def _first_tag(head: str) -> str:
    found = _FIRST_TAG.search(_PROLOG.sub("", head))
    return found[1].lower() if found else ""


def _is_json_feed(body: bytes) -> bool:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and "jsonfeed.org/version/" in str(raw.get("version"))
