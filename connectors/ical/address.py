"""Pure: what people paste → where the calendar's data are, and the page that visitors see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from syndicator.errors import words

# Nextcloud joins the tokens of several shared calendars by hyphens in one page; an export holds one calendar.
_NEXTCLOUD_PAGE = re.compile(
    r"(?P<base>.*?)(?:/index\.php)?/apps/calendar/(?:p|embed)/(?P<token>[A-Za-z0-9]+)(?P<more>-[A-Za-z0-9-]+)?(?:/.*)?"
)
_NEXTCLOUD_DATA = re.compile(r"(?P<base>.*?)/remote\.php/dav/public-calendars/(?P<token>[A-Za-z0-9]+)/?")
_NEXTCLOUD_OWN = re.compile(r".*/remote\.php/dav/calendars/[^/]+/[^/]+/?")
_WEBCAL = {"webcal": "https", "webcals": "https", "http": "http", "https": "https"}


@dataclass(frozen=True, kw_only=True)
class Address:
    """One calendar's two faces."""

    feed: str
    """Where its iCalendar text is."""
    page: str
    """What a visitor's browser can show: the calendar's public page where it has one, else the feed itself."""

    @property
    def host(self) -> str:
        """Whose calendar it is."""
        return urlsplit(self.feed).hostname or ""

    @property
    def is_open_to_eavesdroppers(self) -> bool:
        """Whether a password sent there could be read on its way."""
        return self.feed.startswith("http://") and self.host not in ("localhost", "127.0.0.1", "::1")


def address_of(url: str) -> Address:
    """The calendar behind ``url``: https, webcal, a Nextcloud or Google public page, or the data themselves.

    Raises ValueError, with words for a person, when it is none of these.
    """
    parts = urlsplit(url.strip())
    scheme = _WEBCAL.get(parts.scheme.lower())
    if scheme is None or not parts.hostname:
        raise ValueError(
            words(
                fr="donnez l'adresse complète du calendrier, qui commence par https:// ou webcal://",
                en="give the calendar's full address, beginning with https:// or webcal://",
            )
        )
    if parts.username or parts.password:
        raise ValueError(
            words(
                fr="l'adresse contient un nom ou un mot de passe : utilisez le lien public du calendrier, ou les options user et password",
                en="the address holds a name or a password: use the calendar's public link, or the options user and password",
            )
        )
    plain = urlunsplit((scheme, parts.netloc, parts.path or "/", parts.query, ""))
    return _nextcloud(scheme, parts.netloc, parts.path) or _google(plain) or Address(feed=plain, page=plain)


def _nextcloud(scheme: str, netloc: str, path: str) -> Address | None:
    if _NEXTCLOUD_OWN.fullmatch(path):
        # sabre/dav shows a collection to a plain GET only so: https://sabre.io/dav/ics-export-plugin/
        own = urlunsplit((scheme, netloc, path.rstrip("/") + "/", "", ""))
        return Address(feed=f"{own}?export", page=own)
    found = _NEXTCLOUD_PAGE.fullmatch(path) or _NEXTCLOUD_DATA.fullmatch(path)
    if found is None:
        return None
    if found.groupdict().get("more"):
        raise ValueError(
            words(
                fr="ce lien montre plusieurs calendriers : copiez le lien de partage de chacun et déclarez une source par calendrier",
                en="this link shows several calendars: copy the share link of each and declare one source per calendar",
            )
        )
    base = urlunsplit((scheme, netloc, found["base"], "", ""))
    token = found["token"]
    return Address(feed=f"{base}/remote.php/dav/public-calendars/{token}?export", page=f"{base}/index.php/apps/calendar/p/{token}")


def _google(url: str) -> Address | None:
    parts = urlsplit(url)
    if parts.hostname != "calendar.google.com" or not parts.path.startswith("/calendar/embed"):
        return None
    name = parse_qs(parts.query).get("src", [""])[0]
    if not name:
        return None
    return Address(feed=f"https://calendar.google.com/calendar/ical/{quote(name, safe='')}/public/basic.ics", page=url)
