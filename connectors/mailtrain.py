"""Mailtrain: tells it that there is a new issue in the archive's feed, which one of its RSS campaigns then sends. A destination.

*What it does.* Mailtrain's API cannot make a campaign, but an RSS campaign sends every new entry of a feed. Once an issue stands in
the feed of the archive (``letters``), this asks Mailtrain to look at it now, instead of within ten minutes. Mailtrain keeps the
readers, their unsubscriptions and its own look; the feed has the whole issue.

*Set up.* (1) Name a ``letters`` destination beside this one in the newsletter; ``public_url`` must be set in ``[web]``. (2) In Mailtrain:
a list; Campaigns → Create → RSS; feed: ``https://…/lettres/latest-NAME.rss``, NAME as in ``[newsletters.NAME]``; a template with
``[RSS_ENTRY]`` in it, which is the issue, and the unsubscription link; subject ``[RSS_ENTRY_TITLE]``. Start it. (3) The first look at the
feed sends what is in it: with ``latest-NAME.rss``, at most the last issue; with ``feed.rss``, twenty letters.

*Credential.* In Mailtrain: your account's menu → API → Generate access token. It does not expire. Its user needs the right *fetchRss* on
the campaign. The campaign's id stands in its page's "ID" field, or in its archive link.

*Cost.* Nothing. One request an issue.

*"Did it go out?"* Mailtrain knows each entry by its ``guid`` and sends none twice, so asking again is harmless, and that is what is done
after a lost answer or a crash.

*What it cannot do.* See whether Mailtrain sent anything: it answers yes and looks later. A campaign that is not started answers yes too,
and sends nothing. Correct or take back a letter. A campaign that does not exist, or is no RSS campaign, is an error 500 like any other: it
is tried again, and reported.

*To know.* Version 2 has had no commit since 2022. One of its versions read an address of its authors' instead of the feed's: if letters
never leave, look at the campaign's status in Mailtrain, and update it.

Not verified against a real server: written from https://github.com/Mailtrain-org/mailtrain (``server/routes/api.js``,
``server/models/campaigns.js``, ``server/services/feedcheck.js``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import ClassVar
from urllib.parse import quote, urlsplit

from syndicator.contract import Context, Limits, Secret
from syndicator.errors import AuthExpired, ConnectorError, NotReady, Rejected, Transient, words
from syndicator.http import Response, error_for
from syndicator.model import Receipt, Rendition
from syndicator.text.urls import web_url

FOREVER_S = 10 * 365 * 86_400
LIMITS = Limits(kinds=frozenset({"digest"}), letter=True, key_window_s=FOREVER_S)
ASK_AGAIN = timedelta(minutes=1)
ARCHIVE = "lettres"
"""Where the ``letters`` destination writes, below the public folder."""

TOKEN_HINT = words(
    fr="Mailtrain refuse ce jeton, ou ce compte n'a pas le droit « fetchRss » sur la campagne : refaites le jeton (menu du compte → API), "
    "ou donnez ce droit.",
    en="Mailtrain refuses this token, or this account lacks the right “fetchRss” on the campaign: make the token anew (account menu → "
    "API), or grant that right.",
)
CAMPAIGN_HINT = words(
    fr="Si cela dure, vérifiez campaign : l'identifiant (CID) d'une campagne RSS de ce Mailtrain.",
    en="If this lasts, check campaign: the id (CID) of an RSS campaign of this Mailtrain.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme l'API de Mailtrain (donnez l'adresse où l'équipe se connecte).",
    en="Check url: this address does not answer as Mailtrain's API does (give the address where the team logs in).",
)
ARCHIVE_HINT = words(
    fr="Ce numéro n'est pas encore dans le flux latest-….rss de l'archive : ajoutez une destination « letters » à la lettre, si elle n'en "
    "a pas.",
    en="This issue is not in the archive's feed latest-….rss yet: add a “letters” destination to the newsletter, if it has none.",
)


@dataclass(frozen=True, kw_only=True)
class MailtrainOptions:
    """Which campaign."""

    url: str
    """The address of Mailtrain where its team logs in, such as ``https://lettres.asso.example``."""
    campaign: str
    """The id (CID) of the RSS campaign that reads the archive's feed."""
    token: Secret
    """The access token (account menu → API)."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no address, or no id."""
        if web_url(self.url) is None:
            raise ValueError(
                words(
                    fr="url commence par https://, comme https://lettres.asso.example",
                    en="url begins with https://, such as https://letters.asso.example",
                )
            )
        if not self.campaign.strip():
            raise ValueError(
                words(fr="campaign est vide : l'identifiant (CID) de la campagne RSS", en="campaign is empty: the RSS campaign's id")
            )


class MailtrainPublisher:
    """Asks Mailtrain to look at the feed; see the module's docstring."""

    Options: ClassVar[type[MailtrainOptions]] = MailtrainOptions
    limits: Limits = LIMITS

    def __init__(self, options: MailtrainOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self.account: str | None = None

    async def open(self) -> None:
        """See whether the token is one: Mailtrain is asked for the lists of an address that nobody has, which changes nothing."""
        await self._ask("lists/personne%40exemple.invalid")

    async def close(self) -> None:
        """Nothing is held."""

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Have the campaign look at the feed once this issue is in it; asking again is harmless."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected("only what is public is published")
        if not await asyncio.to_thread(self._stands, rendition.uid):
            raise NotReady("the issue is not in the feed yet", at=self._context.now() + ASK_AGAIN, hint=ARCHIVE_HINT)
        await self._ask(f"rss/fetch/{quote(self._options.campaign.strip(), safe='')}")
        return Receipt(remote_id="")

    def _stands(self, uid: str) -> bool:
        """Whether the archive's feed has it: Mailtrain looks once, and would find nothing new."""
        said = f">{escape(uid, quote=False)}</guid>".encode()
        feeds = (self._context.public_dir / ARCHIVE).glob("latest-*.rss")
        try:
            return any(said in feed.read_bytes() for feed in feeds)
        except OSError:
            return False

    async def _ask(self, path: str) -> None:
        """Return when the API says yes; the token travels in a header, where no log has it."""
        token = self._options.token.reveal().strip()
        response = await self._context.http.request(
            "GET",
            f"{self._options.url.rstrip('/')}/api/{path}",
            headers={"access-token": token, "Accept": "application/json"},
            encoded=True,
        )
        error = error_for(response, self._context.now())
        if error is not None:
            raise self._explained(error, response, token)
        if response.content_type != "application/json":  # the API's type even where it has nothing to say; the team's pages are HTML
            raise Rejected(f"{urlsplit(response.url).netloc} answered with {response.content_type or 'no type'}", hint=ADDRESS_HINT)

    def _explained(self, error: ConnectorError, response: Response, token: str) -> ConnectorError:
        said = error.detail.replace(token, "…") if token else error.detail
        if response.status in (401, 403):
            return AuthExpired(said, hint=TOKEN_HINT)
        if response.status in (404, 410):
            return Rejected(said, hint=ADDRESS_HINT)
        if type(error) is Transient:
            return Transient(said, hint=CAMPAIGN_HINT)
        return error
