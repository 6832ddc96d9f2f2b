"""Apprise: the long tail. One address of any of some 180 services (Slack, Zulip, ntfy, Gotify, Nextcloud Talk, Signal, Teams, XMPP …). A
destination.

*What it does.* One short text per item, with the way home, sent once and forgotten: https://github.com/caronc/apprise tells how each
service's address is written. Nobody is called: what looks like a mention (``@everyone``, Slack's ``<!here>``) stays text. It is an extra,
which has to be installed: ``pip install 'syndicator[apprise]'``.

*Credential.* What the service asks for, inside the address: the address is the secret. Whoever has it can write there.

*Cost.* What the service charges; short messages (SMS) mostly cost something, and nothing is counted here. About 45 MB of memory.

*"Did it go out?"* Nobody can tell: apprise says yes or no, and a no may be a refusal, an outage, or an answer that was lost. Such a
message waits for a person, with what apprise said of it, or is sent again where ``on_unknown = "retry"``, which suits ntfy and its like.

*What it cannot do.* Correct, delete, answer, find again: apprise knows no ids. Pictures, videos and their descriptions stay at home,
behind the link. Several recipients in one address: one destination each, so that one failure is one failure. X, Mastodon, Bluesky,
Telegram, Discord, Matrix, Mattermost and Rocket.Chat, which have connectors here that can do all this.

*To know.* Apprise opens its own connections: our limits (no private addresses, sizes, one connection per host, our name and contact in
each request) do not hold for it. It connects wherever the address says; never take one from a stranger.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

from syndicator.contract import Context, Limits, Secret
from syndicator.errors import OutcomeUnknown, Rejected, Transient, words
from syndicator.model import Receipt, Rendition
from syndicator.text.links import addresses

if TYPE_CHECKING:
    from apprise import NotifyBase

TIMEOUT_S = 60.0
TEXT_SHORTEST = 140
"""A service whose texts are shorter than this holds no message and its link."""
LIMITS = Limits(text_max=1000)
"""Until the service is known."""

OURS = {
    "x": "x", "twitter": "x", "tweet": "x", "mastodon": "mastodon", "mastodons": "mastodon", "toot": "mastodon", "toots": "mastodon",
    "bsky": "bluesky", "bluesky": "bluesky", "tgram": "telegram", "discord": "discord", "matrix": "matrix", "matrixs": "matrix",
    "mmost": "mattermost", "mmosts": "mattermost", "rocket": "rocketchat", "rockets": "rocketchat",
}  # fmt: skip
"""How apprise's addresses begin for services that have a connector here."""

# What calls somebody, of all the services together: @name, and what stands in angle brackets: Slack's <!here> and <@U…>, <users/…>.
_MENTION = re.compile(r"(?<![\w.+/-])@(?=[\w*])|<(?=[!@#]|users/)")
_SCHEMA = re.compile(r"([A-Za-z][A-Za-z0-9]*)://")
_APART = "\u200b"
_PIECES = re.compile(r"[:/@?&=,]+")

MISSING = words(
    fr="Apprise n'est pas installé : « pip install 'syndicator[apprise]' », puis redémarrez.",
    en="Apprise is not installed: “pip install 'syndicator[apprise]'”, then restart.",
)
ADDRESS_HINT = words(
    fr="Apprise ne comprend pas cette adresse : sa forme pour chaque service est sur https://github.com/caronc/apprise.",
    en="Apprise does not understand this address: its form for each service is at https://github.com/caronc/apprise.",
)
SEVERAL_HINT = words(
    fr="Cette adresse a plusieurs destinataires : faites une destination pour chacun.",
    en="This address has several recipients: make a destination for each.",
)
SHORT_HINT = words(
    fr="Les messages de ce service sont trop courts pour un texte et son lien.",
    en="This service's messages are too short for a text and its link.",
)


@dataclass(frozen=True, kw_only=True)
class AppriseOptions:
    """Where to."""

    url: Secret
    """The address, as apprise writes it: ``ntfy://ntfy.asso.example/agenda``, ``slack://…``, ``nctalks://…``."""


class ApprisePublisher:
    """Sends to one address; see the module's docstring."""

    Options: ClassVar[type[AppriseOptions]] = AppriseOptions
    limits: Limits = LIMITS

    def __init__(self, options: AppriseOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._service: NotifyBase | None = None
        self.account: str | None = None

    async def open(self) -> None:
        """Read the address and learn the service's limits; the service itself is asked for nothing."""
        url = self._options.url.reveal().strip()
        found = _SCHEMA.match(url)
        schema = found[1].lower() if found else ""
        if schema in OURS:
            raise Rejected(f"{schema}: has a connector of its own", hint=_own(OURS[schema]))
        service = await asyncio.to_thread(_made, url)
        if service is None:
            raise Rejected(f"{schema or 'this'}: is no address that apprise knows", hint=ADDRESS_HINT)
        # One attempt, whatever the address says: when to try again is decided here.
        service.retry = 0
        if len(service) > 1:
            raise Rejected(f"{schema}: {len(service)} recipients in one address", hint=SEVERAL_HINT)
        self.limits = _limits(service)
        if (self.limits.text_max or TEXT_SHORTEST) < TEXT_SHORTEST:
            raise Rejected(f"{schema}: {self.limits.text_max} characters", hint=SHORT_HINT)
        self._service = service

    async def close(self) -> None:
        """Forget the service."""
        self._service = None

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Send the text, once. The receipt names nothing: there is nothing to name."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected("only what is public is published")
        if self._service is None:
            raise Transient("apprise is not open")
        text_max, title_max = self.limits.text_max or 0, self.limits.title_max or 0
        text, title = quiet(rendition.text, text_max), quiet(rendition.title, title_max) if title_max else ""
        if len(text) > text_max or len(title) > title_max:
            raise Rejected(f"the text has more than {text_max} characters, or its title more than {title_max}")
        said = await asyncio.to_thread(_sent, self._service, text, title)
        if said is None:
            return Receipt(remote_id="")
        # A refusal, an outage and a lost answer look the same from here.
        raise OutcomeUnknown(f"apprise could not send it: {self._without_secrets(said) or 'it does not say why'}")

    def _without_secrets(self, said: str) -> str:
        """Whatever stands in the address may be what opens it."""
        for piece in sorted(_pieces(self._options.url.reveal()), key=len, reverse=True):
            said = said.replace(piece, "…")
        return said[:500]


def _made(url: str) -> NotifyBase | None:
    """The service that the address means; raises Rejected when apprise is not there."""
    try:
        from apprise import Apprise, AppriseAsset, NotifyBase, OverflowMode
    except ImportError as error:
        raise Rejected(str(error), hint=MISSING) from error
    # It logs addresses that it cannot read, whole; what it says of a message is in the result.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    asset = AppriseAsset(async_mode=False, default_service_retry=0, service_timeout=TIMEOUT_S, app_id="syndicator")
    service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(service, NotifyBase):
        return None
    # Never several messages of one; what is too long is refused here.
    service.overflow_mode = OverflowMode.UPSTREAM
    return service


def _limits(service: NotifyBase) -> Limits:
    """As the plugin declares them; where the title counts with the text, it has its room."""
    title_max = service.title_maxlen if service.title_maxlen > 0 else None
    text_max = service.body_maxlen - (title_max or 0 if service.overflow_amalgamate_title else 0)
    return replace(LIMITS, text_max=text_max, title_max=title_max)


def _sent(service: NotifyBase, text: str, title: str) -> str | None:
    """None when the service took it; else what apprise has to say."""
    from apprise import Apprise, NotifyFormat

    sender = Apprise()
    sender.add(service)
    result = sender.notify(body=text, title=title, body_format=NotifyFormat.TEXT)
    return None if result else " ".join(entry.message for entry in result.logs())


def quiet(text: str, most: int) -> str:
    """The same to a reader, and nobody is called; without the sign where ``most`` leaves no room for it. Addresses stay whole."""
    apart = _replaced(text, lambda match: match[0] + _APART)
    return apart if len(apart) <= most else _replaced(text, lambda _: "")


def _replaced(text: str, sign: Callable[[re.Match[str]], str]) -> str:
    pieces, position = [], 0
    for entity in addresses(text, bare=False):
        pieces += [_MENTION.sub(sign, text[position : entity.start]), entity.value]
        position = entity.start + len(entity.value)
    return "".join([*pieces, _MENTION.sub(sign, text[position:])])


def _pieces(url: str) -> Iterable[str]:
    """Of an address, all that is long enough to be a secret."""
    _, _, rest = url.partition("://")
    found = {rest, *_PIECES.split(rest)}
    return {piece for one in found for piece in (one, unquote(one)) if len(piece) >= 6}


def _own(name: str) -> dict[str, str]:
    return dict(
        words(
            fr=f'Pour ce service, prenez notre connecteur : type = "{name}". Il sait corriger, supprimer et joindre des images.',
            en=f'For this service, take our connector: type = "{name}". It can correct, delete and add pictures.',
        )
    )
