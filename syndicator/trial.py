"""The next issue to one address, to see how it arrives: by a mail destination's own server, else by that of ``[alerts]``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from syndicator import alerts
from syndicator.assemble import make_connector
from syndicator.config import Config, DestinationConfig
from syndicator.contract import Publisher
from syndicator.errors import NotReady, Rejected, Transient, words
from syndicator.forthcoming import Forthcoming
from syndicator.http import Sessions
from syndicator.letter.newsletter import Newsletter
from syndicator.logs import clean
from syndicator.model import Rendition
from syndicator.text.way_out import without_unsubscribe

MARK = "[test]"
ALERTS = "alerts"
REFUSED = words(
    fr="Le serveur de courriel ne prend pas de lettre pour cette adresse : vérifiez-la.",
    en="The mail server takes no letter for that address: check it.",
)
UNSENT = words(
    fr="Le serveur de [alerts] n'a pas pris la lettre : vérifiez smtp.",
    en="The server of [alerts] did not take the letter: check smtp.",
)

Make = Callable[[Config, DestinationConfig], Any]
"""Builds a connector."""


def way_for(config: Config, letter: Newsletter) -> str | None:
    """The newsletter's first destination that writes mail itself, else ``alerts``; None without either."""
    for name in letter.destinations:
        if _recipient(config.destinations[name]):
            return name
    return ALERTS if config.alerts is not None else None


def _recipient(destination: DestinationConfig) -> str:
    """The option that says whom a destination writes to: ``to``, an address, or ``readers``, a file of them; empty where there is none."""
    limits = getattr(destination.connector, "limits", None)
    if limits is None or not limits.letter:
        return ""
    names = {each.name for each in fields(destination.options)}
    return next((name for name in ("to", "readers") if name in names), "")


async def send_test(config: Config, one: Forthcoming, way: str, address: str, sessions: Sessions, now: Callable[[], datetime]) -> int:
    """Send it, leaving no trace here; how many pictures were left out because they are not served yet. Raises ConnectorError."""
    html, missing = _with_pictures_there(one, config)
    rendition = replace(one.rendition, title=f"{MARK} {one.rendition.title}", html=html)
    if way == ALERTS:
        await _by_alerts(config, rendition, address, now())
    else:
        await _by_destination(config, config.destinations[way], rendition, address, partial(make_connector, sessions=sessions, now=now))
    return missing


def _with_pictures_there(one: Forthcoming, config: Config) -> tuple[str, int]:
    """The letter with those pictures alone that a mail program can fetch today; the others go inside it."""
    html, missing = one.rendition.html, 0
    for url, picture in one.pictures.items():
        if config.public_url is None or not (config.public_dir / url.removeprefix(config.public_url)).is_file():
            html, missing = html.replace(url, picture), missing + 1
    return html, missing


async def _by_destination(config: Config, destination: DestinationConfig, rendition: Rendition, address: str, make: Make) -> None:
    with TemporaryDirectory() as folder:
        aside = replace(config, state_dir=Path(folder) / "state", public_dir=Path(folder) / "public")
        options = _to_one(destination, address, Path(folder))
        publisher: Publisher = make(aside, replace(destination, options=options))
        try:
            await publisher.open()
            receipt = await publisher.publish(rendition, str(uuid4()))
        except NotReady as error:
            raise Transient(str(error), hint=REFUSED) from error
        finally:
            await publisher.close()
    counts: dict[str, str] = dict(receipt.data)
    if counts.get("refused"):
        raise Rejected(clean(f"{address}: refused"), hint=REFUSED)


def _to_one(destination: DestinationConfig, address: str, folder: Path) -> Any:
    """A destination's options, for one reader."""
    if _recipient(destination) == "to":
        return replace(destination.options, to=address)
    readers = folder / "readers"
    readers.write_text(address + "\n", encoding="utf-8")
    return replace(destination.options, readers=readers)


async def _by_alerts(config: Config, rendition: Rendition, address: str, now: datetime) -> None:
    assert config.alerts is not None
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = " ".join(rendition.title.split()), config.alerts.sender, address
    mail.set_content(without_unsubscribe(rendition.text))
    mail.add_alternative(without_unsubscribe(rendition.html), subtype="html")
    try:
        await asyncio.to_thread(alerts.send, mail, config.alerts, now)
    except (OSError, ValueError) as error:
        raise Transient(clean(f"{type(error).__name__}: {error}"), hint=UNSENT) from error
