"""Pure: what is asked of a CalDAV server in XML, and what its answers say (RFC 4918, RFC 4791).

An answer with a document type is refused before it is parsed: no server needs one here, and entities are how small answers become
large ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
_NAMESPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_DESCRIBED = (
    *("d:resourcetype", "d:displayname", "d:current-user-principal", "d:current-user-privilege-set"),
    *("c:calendar-home-set", "c:supported-calendar-component-set"),
)

_SAID = frozenset({"message", "responsedescription"})


class NotDav(ValueError):
    """The answer is no WebDAV one."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One ``DAV:response``, of what it said with success."""

    path: str
    """Percent-decoded: servers encode the same name in several ways."""
    kinds: frozenset[str] = frozenset()
    """The names in its resourcetype, such as ``calendar``."""
    title: str = ""
    principal: str | None = None
    """An address, as it stands."""
    home: str | None = None
    privileges: frozenset[str] | None = None
    """None where the server does not say."""
    components: frozenset[str] | None = None
    etag: str | None = None
    data: str | None = None

    @property
    def name(self) -> str:
        """The last segment of its path."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def takes_events(self) -> bool:
        """Whether it is a calendar that holds VEVENTs."""
        return "calendar" in self.kinds and (self.components is None or "VEVENT" in self.components)

    @property
    def may_be_written(self) -> bool:
        """False only where the server says what the account may do, and this is not in it (RFC 3744 3)."""
        held = self.privileges
        return held is None or bool(held & {"all", "write"}) or {"bind", "unbind", "write-content"} <= held


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """The body of a refusal."""

    preconditions: frozenset[str] = frozenset()
    """The children of ``DAV:error``, without namespace: RFC 4918 16, RFC 4791 5.3.2.1."""
    message: str = ""
    """What sabre/dav and Xandikos add in words."""


def question(names: Iterable[str]) -> bytes:
    """A PROPFIND for these properties."""
    inner = "".join(f"<{name}/>" for name in names)
    return f"{_HEAD}<d:propfind {_NAMESPACES}><d:prop>{inner}</d:prop></d:propfind>".encode()


def description() -> bytes:
    """A PROPFIND that tells a calendar from what leads to one."""
    return question(_DESCRIBED)


def multiget(hrefs: Iterable[str]) -> bytes:
    """A REPORT of these objects, ETag and content together (RFC 4791 7.9)."""
    inner = "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
    wanted = "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
    return f"{_HEAD}<c:calendar-multiget {_NAMESPACES}>{wanted}{inner}</c:calendar-multiget>".encode()


def named(uid: str) -> bytes:
    """A REPORT of the objects with this UID (RFC 4791 7.8.6)."""
    match = f'<c:text-match collation="i;octet">{escape(uid)}</c:text-match>'
    inside = f'<c:comp-filter name="VEVENT"><c:prop-filter name="UID">{match}</c:prop-filter></c:comp-filter>'
    wanted = f'<c:filter><c:comp-filter name="VCALENDAR">{inside}</c:comp-filter></c:filter>'
    return f"{_HEAD}<c:calendar-query {_NAMESPACES}><d:prop><d:getetag/></d:prop>{wanted}</c:calendar-query>".encode()


def resources(body: bytes) -> list[Resource]:
    """Every resource of a multistatus that is there. Raises NotDav."""
    root = _parsed(body)
    if root.tag != f"{DAV}multistatus":
        raise NotDav(f"a {root.tag} instead of a multistatus")
    return [found for response in root.iter(f"{DAV}response") if (found := _resource(response)) is not None]


def complaint(body: bytes) -> Complaint:
    """What a refusal says of itself; nothing where it is no DAV:error."""
    try:
        root = _parsed(body)
    except NotDav:
        return Complaint()
    if root.tag != f"{DAV}error":
        return Complaint()
    message = next((part.text or "" for part in root if _local(part) in _SAID), "")
    known = frozenset(_local(part) for part in root if part.tag.startswith((DAV, CAL)) and _local(part) not in _SAID)
    return Complaint(preconditions=known, message=" ".join(message.split())[:200])


def _parsed(body: bytes) -> ElementTree.Element:
    try:
        text = body.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise NotDav("a document type")
        return ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities to expand
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise NotDav(str(error)) from error


def _resource(response: ElementTree.Element) -> Resource | None:
    href = (response.findtext(f"{DAV}href") or "").strip()
    status = response.findtext(f"{DAV}status")
    if not href or (status is not None and not _is_good(status)):
        return None
    said = _properties(response)
    return Resource(
        path=path_of(href),
        kinds=_names(said, f"{DAV}resourcetype") or frozenset(),
        title=" ".join((_text(said, f"{DAV}displayname") or "").split()),
        principal=_href(said, f"{DAV}current-user-principal"),
        home=_href(said, f"{CAL}calendar-home-set"),
        privileges=_privileges(said),
        components=_components(said),
        etag=(_text(said, f"{DAV}getetag") or "").strip() or None,
        data=_text(said, f"{CAL}calendar-data"),
    )


def _properties(response: ElementTree.Element) -> Mapping[str, ElementTree.Element]:
    found: dict[str, ElementTree.Element] = {}
    for propstat in response.findall(f"{DAV}propstat"):
        if _is_good(propstat.findtext(f"{DAV}status") or "HTTP/1.1 200 OK"):
            found |= {prop.tag: prop for prop in propstat.iterfind(f"{DAV}prop/*")}
    return found


def _is_good(status: str) -> bool:
    return status.strip().split(" ")[1:2] == ["200"]


def _text(said: Mapping[str, ElementTree.Element], name: str) -> str | None:
    return None if name not in said else said[name].text


def _href(said: Mapping[str, ElementTree.Element], name: str) -> str | None:
    return None if name not in said else (said[name].findtext(f"{DAV}href") or "").strip() or None


def _names(said: Mapping[str, ElementTree.Element], name: str) -> frozenset[str] | None:
    return None if name not in said else frozenset(_local(part) for part in said[name])


def _privileges(said: Mapping[str, ElementTree.Element]) -> frozenset[str] | None:
    name = f"{DAV}current-user-privilege-set"
    if name not in said:
        return None
    return frozenset(_local(part) for privilege in said[name].iter(f"{DAV}privilege") for part in privilege) or None


def _components(said: Mapping[str, ElementTree.Element]) -> frozenset[str] | None:
    name = f"{CAL}supported-calendar-component-set"
    return None if name not in said else frozenset(part.get("name", "").upper() for part in said[name].iter(f"{CAL}comp")) or None


def _local(part: ElementTree.Element) -> str:
    return part.tag.rpartition("}")[2]


def path_of(href: str) -> str:
    """The decoded path of an absolute address or path."""
    try:
        return unquote(urlsplit(href).path)
    except ValueError:
        return ""
