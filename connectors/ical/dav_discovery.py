"""Finds the calendar behind the address that a person gave: the calendar itself, an account's folder, or only the server (RFC 6764)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from connectors.ical import dav_words
from connectors.ical.dav_client import Dav, within
from connectors.ical.dav_xml import Resource
from syndicator.errors import AuthExpired, Rejected, words

_NEXTCLOUD_PAGE = re.compile(r"(?P<base>.*?)(?:/index\.php)?/apps/calendar(?:/.*)?")
_NEXTCLOUD_PUBLIC = re.compile(r".*(?:/apps/calendar/(?:p|embed)/|/remote\.php/dav/public-calendars/).*")
_WITHOUT_PASSWORD = ("google.com", "googleusercontent.com", "googleapis.com")
_NEXTCLOUD_DAV = "remote.php/dav/"
_SHOWN_MAX = 12


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The one that is written into."""

    url: str
    """Ends in a slash."""
    title: str


def start_of(url: str) -> str:
    """Where to begin to ask. Raises ValueError, with words for a person, for what can never be written to."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise ValueError(
            words(
                fr="donnez l'adresse complète du calendrier ou du serveur, qui commence par https://",
                en="give the full address of the calendar or the server, beginning with https://",
            )
        )
    if parts.username or parts.password:
        raise ValueError(
            words(
                fr="l'adresse contient un nom ou un mot de passe : mettez-les dans user et password",
                en="the address holds a name or a password: put them into user and password",
            )
        )
    if any(host == name or host.endswith(f".{name}") for name in _WITHOUT_PASSWORD):
        raise ValueError(
            words(
                fr="Google n'accepte ici aucun mot de passe : abonnez-y plutôt Google Agenda au calendrier de la destination ical",
                en="Google takes no password here: rather subscribe Google Calendar to the calendar of the destination ical",
            )
        )
    if _NEXTCLOUD_PUBLIC.fullmatch(parts.path):
        raise ValueError(
            words(
                fr="ce lien public ne permet que de lire : donnez le lien privé du calendrier (son menu → Modifier → copier le lien privé)",
                en="this public link only lets people read: give the calendar's private link (its menu → Edit → copy private link)",
            )
        )
    page = _NEXTCLOUD_PAGE.fullmatch(parts.path)
    path = f"{page['base']}/{_NEXTCLOUD_DAV}" if page else parts.path or "/"
    return urlunsplit((parts.scheme.lower(), parts.netloc, path, "", ""))


async def find(dav: Dav, start: str, wanted: str) -> Calendar:
    """The calendar at ``start``, or the one among the account's that is called ``wanted``, or its only one.

    Raises Rejected with the names there are, AuthExpired, Transient.
    """
    described = await dav.describe(start)
    here = _itself(described[1]) if described else None
    if described and here and "calendar" in here.kinds:
        return _checked(described[0], here)
    known = described is not None or urlsplit(start).path in ("", "/")
    home = await _home(dav, described[0], here) if described and here else None
    for address in () if home else _usual(start):
        answer = await dav.describe(address)
        home = home or (await _home(dav, answer[0], _itself(answer[1])) if answer else None)
        if home:
            break
    if not home:
        raise Rejected(f"{urlsplit(start).netloc}: no calendar home was found", hint=dav_words.NOT_DAV)
    return await _among(dav, home, wanted, sure=known)


def _itself(resources: Sequence[Resource]) -> Resource:
    return resources[0] if resources else Resource(path="")


def _usual(start: str) -> list[str]:
    """Where servers keep their calendars when nothing else says so."""
    parts = urlsplit(start)
    origin = f"{parts.scheme}://{parts.netloc}"
    below = parts.path.rstrip("/")
    # A Nextcloud that is not at the top of its host often has no well-known address.
    folders = dict.fromkeys((f"{origin}{below}/{_NEXTCLOUD_DAV}", f"{origin}/{_NEXTCLOUD_DAV}"))
    return [f"{origin}/.well-known/caldav", *folders]


async def _home(dav: Dav, url: str, here: Resource) -> str | None:
    """Where the account's calendars are, by what a resource says of it."""
    if here.home:
        return within(url, here.home)
    if not here.principal:
        return None
    answer = await dav.describe(within(url, here.principal))
    home = _itself(answer[1]).home if answer else None
    return within(url, home) if home else None


async def _among(dav: Dav, home: str, wanted: str, *, sure: bool) -> Calendar:
    answer = await dav.describe(home, depth="1")
    if answer is None:
        raise Rejected(f"{urlsplit(home).netloc} does not list {urlsplit(home).path}", hint=dav_words.NOT_DAV)
    there = [one for one in answer[1] if one.takes_events]
    found = [one for one in there if not wanted or wanted.casefold() in (one.title.casefold(), one.name.casefold())]
    if len(found) == 1 and (sure or wanted):
        return _checked(within(home, quote(found[0].path)), found[0])
    if not there:
        raise Rejected(f"{urlsplit(home).netloc} has no calendar for this account", hint=dav_words.NONE_THERE)
    names = ", ".join(f"« {one.title or one.name} » ({one.name})" for one in there[:_SHOWN_MAX])
    raise Rejected(
        f"{len(there)} calendars, {len(found)} of that name",
        hint=words(
            fr=f"Dites dans calendar lequel : ce compte a {names}.",
            en=f"Say in calendar which one: this account has {names}.",
        ),
    )


def _checked(url: str, found: Resource) -> Calendar:
    """Raises when it is none for us."""
    title = found.title or found.name
    if not found.takes_events:
        raise Rejected(
            f"{title} holds {', '.join(sorted(found.components or ()))}",
            hint=words(
                fr=f"« {title} » ne prend pas d'événements : donnez un calendrier, pas une liste de tâches.",
                en=f"“{title}” takes no events: give a calendar, not a list of tasks.",
            ),
        )
    if not found.may_be_written:
        raise AuthExpired(f"{title}: {', '.join(sorted(found.privileges or ()))}", hint=dav_words.READ_ONLY)
    return Calendar(url=url.rstrip("/") + "/", title=title)
