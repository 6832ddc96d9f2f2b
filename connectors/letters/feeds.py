"""Issues for feed readers and for mailing programs: Atom (RFC 4287) and RSS 2.0 (https://www.rssboard.org/rss-specification)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from types import MappingProxyType
from uuid import NAMESPACE_URL, uuid5

from connectors.letters.pages import Site, lead_of
from connectors.letters.record import Kept

Whole = Sequence[tuple[Kept, str]]
"""Issues, latest first, each with its body in HTML."""
NONE: Mapping[str, str] = MappingProxyType({})
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed was last changed that never had anything in it."""


def atom(site: Site, path: str, feed_id: str, issues: Whole) -> bytes:
    """The whole file. ``feed_id`` stays the same for ever, whatever address the feed moves to."""
    home = site.address or site.home_url or f"urn:syndicator:{feed_id}"
    author = _leaf("name", site.association.name) + (_leaf("uri", site.home_url) if site.home_url else "")
    head = [
        _leaf("id", uuid5(NAMESPACE_URL, f"{home} {feed_id}").urn),
        _leaf("title", site.title),
        _leaf("updated", _instant(max((kept.updated_at for kept, _ in issues), default=LONG_AGO))),
        _leaf("generator", "syndicator"),
        f"<author>{author}</author>",
    ]
    if site.address:
        head.append(_leaf("link", "", {"rel": "self", "type": "application/atom+xml", "href": site.address + path}))
        head.append(_leaf("link", "", {"rel": "alternate", "type": "text/html", "href": site.address}))
    inner = "\n".join([*head, *(_atom_entry(site, kept, body) for kept, body in issues)])
    opening = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{escape(site.association.language)}">'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{opening}\n{inner}\n</feed>\n'.encode()


def _atom_entry(site: Site, kept: Kept, body: str) -> str:
    parts = [
        _leaf("id", kept.uid),
        _leaf("title", title_of(kept)),
        _leaf("published", _instant(kept.issue.until_at)),
        _leaf("updated", _instant(kept.updated_at)),
        *([_leaf("link", "", {"rel": "alternate", "type": "text/html", "href": link})] if (link := _link(site, kept)) else []),
        _leaf("summary", lead_of(kept)),
        _leaf("content", body, {"type": "html"}),
    ]
    return "\n".join([f'<entry xml:lang="{escape(kept.issue.language)}">', *parts, "</entry>"])


def rss(site: Site, path: str, issues: Whole) -> bytes:
    """The whole file. An issue's ``guid`` never changes: that is how programs know what they have sent already."""
    head = [
        _leaf("title", site.title),
        _leaf("link", site.address or site.home_url),
        _leaf("description", f"{site.title} – {site.association.name}" if site.title != site.association.name else site.title),
        _leaf("language", site.association.language),
        _leaf("generator", "syndicator"),
    ]
    if issues:
        head.append(_leaf("lastBuildDate", _rfc822(max(kept.updated_at for kept, _ in issues))))
    if site.address:
        head.append(_leaf("atom:link", "", {"rel": "self", "type": "application/rss+xml", "href": site.address + path}))
    inner = "\n".join([*head, *(_rss_item(site, kept, body) for kept, body in issues)])
    spaces = 'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" {spaces}>\n<channel>\n{inner}\n</channel>\n</rss>\n'.encode()


def _rss_item(site: Site, kept: Kept, body: str) -> str:
    parts = [
        _leaf("title", title_of(kept)),
        *([_leaf("link", link)] if (link := _link(site, kept)) else []),
        _leaf("guid", kept.uid, {"isPermaLink": "false"}),
        _leaf("pubDate", _rfc822(kept.issue.until_at)),
        _leaf("description", lead_of(kept)),
        _leaf("content:encoded", body),
    ]
    return "\n".join(["<item>", *parts, "</item>"])


def title_of(kept: Kept) -> str:
    """What a list shows, and what a mailing program takes as the subject."""
    return kept.issue.subject or kept.issue.title


def _link(site: Site, kept: Kept) -> str:
    return f"{site.address}{kept.name}.html" if site.address else site.home_url


def _leaf(name: str, text: str, attributes: Mapping[str, str] = NONE) -> str:
    said = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{said}>{escape(text, quote=False)}</{name}>" if text else f"<{name}{said} />"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))
