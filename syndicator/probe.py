"""A look at a public address, for those who can tell what it is: the page, its links, the software of its host.

Host metadata is asked for as the fediverse publishes it: NodeInfo (https://nodeinfo.diaspora.software/protocol), WebFinger
(RFC 7033) for ``@user@host``, ``<link>`` elements and Link headers (RFC 8288).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from syndicator.contract import Page
from syndicator.errors import ConnectorError, Rejected, words
from syndicator.http import Http, Response, error_for

LOOK_MAX_BYTES = 5_000_000
KEPT_BYTES = 512_000
_HANDLE = re.compile(r"(?:acct:)?@?([\w.~-]+)@([\w.-]+(?::\d+)?)")
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)
_LINK = re.compile(r"<([^>]*)>([^,<]*)")
_PARAMETER = re.compile(r";\s*(\w+)\s*=\s*\"?([^\";]*)\"?")


async def look(http: Http, address: str) -> Page:
    """What is at ``address``: a URL, a bare host and path, or a fediverse handle.

    Raises Transient when it does not answer, Rejected when there is nothing public.
    """
    url = await _url(http, address.strip())
    response = await http.get(url, headers={"Accept": "text/html, application/xhtml+xml, */*;q=0.8"}, max_bytes=LOOK_MAX_BYTES)
    error = error_for(response, http.now())
    if error is not None:
        raise error
    software, version = await _software(http, response.url)
    return Page(
        url=response.url,
        asked_url=address,
        content_type=response.content_type,
        body=response.body[:KEPT_BYTES],
        software=software,
        software_version=version,
        links=(*_header_links(response), *_element_links(response)),
    )


async def software_of(http: Http, address: str) -> str | None:
    """The software of the host that ``address`` names, where it tells."""
    try:
        return (await _software(http, await _url(http, address.strip())))[0]
    except ConnectorError:
        return None


def netloc_of(address: str) -> str:
    """The host that ``address`` names, with its port."""
    handle = _HANDLE.fullmatch(address.strip())
    return handle[2] if handle else urlsplit(address if "//" in address else f"//{address}").netloc


async def _url(http: Http, address: str) -> str:
    handle = _HANDLE.fullmatch(address)
    if handle:
        return await _profile(http, handle[1], handle[2])
    scheme = urlsplit(address).scheme.lower()
    if scheme in ("webcal", "webcals"):
        return "https:" + address.partition(":")[2]
    if scheme in ("http", "https"):
        return address
    if "." in address.split("/")[0] and not _OTHER_SCHEME.match(address):
        return f"https://{address}"
    raise Rejected(
        f"{address!r} is not a web address",
        hint=words(
            fr="Donnez une adresse complète (https://…) ou un compte du fediverse (@nom@serveur).",
            en="Give a complete address (https://…) or a fediverse account (@name@server).",
        ),
    )


async def _profile(http: Http, user: str, host: str) -> str:
    """The profile page of ``user@host``, by WebFinger; by custom where the host does not answer."""
    scheme = "http" if host.partition(":")[0] in http.allow_private else "https"
    url = f"{scheme}://{host}/.well-known/webfinger?resource={quote(f'acct:{user}@{host}', safe='')}"
    try:
        response = await http.get(url)
        document = response.json() if response.status == 200 else {}
    except ConnectorError:
        document = {}
    links = document.get("links") if isinstance(document, dict) else None
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "http://webfinger.net/rel/profile-page" and link.get("href"):
            return str(link["href"])
    return f"{scheme}://{host}/@{user}"


async def _software(http: Http, url: str) -> tuple[str | None, str | None]:
    """(name, version) of the host's NodeInfo; (None, None) when it has none."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}"
    try:
        index = await _json(http, f"{root}/.well-known/nodeinfo")
        links = [link for link in index.get("links", ()) if isinstance(link, dict) and "nodeinfo" in str(link.get("rel"))]
        if not links:
            return None, None
        newest = max(links, key=lambda link: str(link.get("rel")))
        software = (await _json(http, urljoin(root, str(newest.get("href"))))).get("software", {})
    except ConnectorError:
        return None, None
    name = software.get("name") if isinstance(software, dict) else None
    return (str(name).lower(), str(software.get("version") or "") or None) if name else (None, None)


async def _json(http: Http, url: str) -> dict[str, Any]:
    response = await http.get(url, headers={"Accept": "application/json"}, timeout_s=10)
    document = response.json() if response.status == 200 else {}
    return document if isinstance(document, dict) else {}


def _header_links(response: Response) -> list[tuple[str, str, str]]:
    links = []
    for header in response.headers.getall("Link", ()):
        for href, rest in _LINK.findall(header):
            parameters = dict(_PARAMETER.findall(rest))
            links.append((parameters.get("rel", "").lower(), parameters.get("type", "").lower(), urljoin(response.url, href)))
    return links


def _element_links(response: Response) -> list[tuple[str, str, str]]:
    if "html" not in response.content_type:
        return []
    from selectolax.lexbor import LexborHTMLParser

    links = []
    for element in LexborHTMLParser(response.body[:KEPT_BYTES]).css("link[rel][href]")[:200]:
        attributes = element.attributes
        href = (attributes.get("href") or "").strip()
        links.append(((attributes.get("rel") or "").lower(), (attributes.get("type") or "").lower(), urljoin(response.url, href)))
    return links


def title_of(page: Page) -> str:
    """The page's own title, as plain text; empty when it has none."""
    if "html" not in page.content_type:
        return ""
    from selectolax.lexbor import LexborHTMLParser

    node = LexborHTMLParser(page.body).css_first("title")
    return " ".join(node.text().split())[:100] if node is not None else ""
