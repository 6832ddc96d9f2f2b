"""The sections that say who is mirrored and how this machine does it: ``[association]``, ``[web]``, ``[network]``, ``[alerts]``."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from syndicator.config.decode import INVALID, Decoder, good, shown
from syndicator.config.lines import Key
from syndicator.config.settings import Alerts, Network, Web
from syndicator.contract import Association, Secret
from syndicator.formats import LOGO_MAX_BYTES, LOGO_MAX_PIXELS, claimed_size
from syndicator.palette import is_colour

LISTEN = "127.0.0.1:8710"
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_HOST = re.compile(r"[a-z0-9_.:-]+")
_MAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The two keys of ``[association]`` that say where things are kept."""

    state: Path | None = None
    public: Path | None = None


@dataclass(frozen=True, kw_only=True)
class WebKeys:
    """The keys of ``[web]``."""

    listen: str = LISTEN
    path: str | None = None
    public_url: str | None = None
    public_status: bool = False


@dataclass(frozen=True, kw_only=True)
class NetworkKeys:
    """The keys of ``[network]``."""

    allow_private: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlertKeys:
    """The keys of ``[alerts]``."""

    to: tuple[str, ...]
    smtp: Secret
    sender: str = field(metadata={"key": "from"})


def read_association(raw: Any, decoder: Decoder) -> tuple[Association, Folders] | None:
    """``[association]``; None when it cannot be used."""
    report, at = decoder.report, ("association",)
    if not isinstance(raw, dict):
        report.add(at, "no-association")
        return None
    report.unknown(raw, at, {each.name for cls in (Association, Folders) for each in fields(cls)})
    values = decoder.values(Association, raw, at)
    folders = decoder.values(Folders, raw, at)
    if good(values, "name") and not values["name"].strip():
        report.add((*at, "name"), "missing", key="name")
    if good(values, "language") and not LANGUAGE.fullmatch(values["language"]):
        report.add((*at, "language"), "bad-language", value=shown(values["language"]))
    if good(values, "timezone") and not is_timezone(values["timezone"]):
        meant = report.meant(values["timezone"], available_timezones()) if "/" in values["timezone"] else ""
        report.add((*at, "timezone"), "bad-timezone", value=shown(values["timezone"]), meant=meant)
    if values.get("url") is not None:
        check_url(values["url"], (*at, "url"), decoder)
    if good(values, "colour") and values["colour"] and not is_colour(values["colour"]):
        report.add((*at, "colour"), "bad-colour", value=shown(values["colour"]))
    if good(values, "logo") and values["logo"] is not None and (why := _logo_trouble(values["logo"])):
        report.add((*at, "logo"), why, path=values["logo"])
    if report.problems or INVALID in (*values.values(), *folders.values()):
        return None
    return Association(**values), Folders(**folders)


def _logo_trouble(path: Path) -> str:
    """Why this file cannot be the logo: a kind of problem; empty when it can."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "logo-unreadable"
        with path.open("rb") as file:
            data = file.read(LOGO_MAX_BYTES + 1)
    except OSError:
        return "logo-unreadable"
    size = claimed_size(data)
    if size is None:
        return "logo-not-picture"
    return "logo-too-large" if len(data) > LOGO_MAX_BYTES or not 0 < size[0] * size[1] <= LOGO_MAX_PIXELS else ""


def is_timezone(name: str) -> bool:
    """Whether ``name`` is one of the IANA database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def read_web(raw: Any, decoder: Decoder, slug: str, *, many: bool) -> tuple[Web | None, str | None]:
    """``[web]``: the server, if there is one, and where visitors find the files."""
    table = _section(WebKeys, raw, ("web",), decoder)
    if table is None:
        return None, None
    public_url: str | None = table.public_url
    if public_url is not None and check_url(public_url, ("web", "public_url"), decoder):
        public_url = public_url.rstrip("/") + "/"
    path = table.path if table.path is not None else f"/{slug}/" if many else "/"
    if not re.fullmatch(r"/([A-Za-z0-9._~-]+/)*", f"{path.rstrip('/')}/") or ".." in path.split("/"):
        decoder.report.add(("web", "path"), "bad-web-path", value=shown(path))
    if not table.listen:
        return None, public_url
    host, colon, port = table.listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535 or not _HOST.fullmatch(host):
        decoder.report.add(("web", "listen"), "bad-listen", value=shown(table.listen))
        return None, public_url
    return Web(host=host, port=int(port), path=f"{path.rstrip('/')}/", public_status=table.public_status), public_url


def read_network(raw: Any, decoder: Decoder) -> Network:
    """``[network]``."""
    table = _section(NetworkKeys, raw, ("network",), decoder)
    if table is None:
        return Network()
    hosts = [host.strip().lower() for host in table.allow_private]
    for index, host in enumerate(hosts):
        if not _HOST.fullmatch(host) or (":" in host and host.count(":") < 2):
            decoder.report.add(("network", "allow_private", index), "bad-host", value=shown(host))
    return Network(allow_private=frozenset(hosts))


def read_alerts(raw: Any, decoder: Decoder) -> Alerts | None:
    """``[alerts]``."""
    table = _section(AlertKeys, raw, ("alerts",), decoder)
    if table is None:
        return None
    for key, address in [*((("to", index), address) for index, address in enumerate(table.to)), (("from",), table.sender)]:
        if not _MAIL.fullmatch(address):
            decoder.report.add(("alerts", *key), "bad-mail", value=shown(address))
    if not table.to:
        decoder.report.add(("alerts", "to"), "missing", key="to")
    if urlsplit(table.smtp.reveal()).scheme not in ("smtp", "smtps"):
        decoder.report.add(("alerts", "smtp"), "bad-smtp")
    return Alerts(to=table.to, smtp=table.smtp, sender=table.sender)


def check_url(url: str, at: Key, decoder: Decoder) -> bool:
    """Whether ``url`` is an address of the web; a problem is noted when it is not."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url) and (parts.port or True)
    except ValueError:
        usable = False
    if not usable:
        decoder.report.add(at, "bad-url", value=shown(url))
    return bool(usable)


def _section(cls: type[Any], raw: Any, at: Key, decoder: Decoder) -> Any:
    """A section that may be left out, decoded; None when it is left out or cannot be used."""
    if raw is None:
        return None
    table = decoder.value(cls, raw, at)
    return None if table is INVALID else table
