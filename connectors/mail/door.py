"""The link by which a reader leaves (RFC 8058): put into letters where it is known to lead to our page."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from connectors.mail.left import Left
from connectors.mail.options import ToReaders
from syndicator.contract import Context
from syndicator.errors import ConnectorError, Rejected, Words, words
from syndicator.text.way_out import KEY_FILE, WAY

AGAIN = timedelta(hours=1)
"""How long it is relied upon that our page answered, or did not."""
PAGE_MAX_BYTES = 65_536
PATIENCE_S = 10.0
SOMEBODY = "somebody@example.org"
"""Whose link is tried: nobody's."""
ADDRESS_HINT = words(
    fr="one_click demande public_url dans la section [web], en https : c'est là que mène le lien de désinscription.",
    en="one_click needs public_url in the [web] section, with https: the link by which readers leave leads there.",
)


class Door:
    """Where it is, for each reader."""

    def __init__(self, options: ToReaders, context: Context, left: Left) -> None:
        self._options = options
        self._context = context
        self._left = left
        self._open: bool | None = options.one_click
        self._looked_at: datetime | None = None

    def check(self) -> None:
        """Raises Rejected when it was asked for and can be nowhere."""
        if self._options.one_click and not self._is_possible():
            raise Rejected(f"one_click below {self._context.public_url}", hint=ADDRESS_HINT)

    async def look(self, *, first: bool = False) -> None:
        """Unless the options say: see whether our page answers at its public address. Before any letter, only when it is the ``first``."""
        now, known = self._context.now(), first or (self._context.state_dir / KEY_FILE).exists()
        if self._options.one_click is None and known and (self._looked_at is None or now - self._looked_at >= AGAIN):
            self._open, self._looked_at = self._is_possible() and await self._answers(), now

    @property
    def remark(self) -> Words | None:
        """What a person should know of it."""
        if self._open or self._looked_at is None or not self._is_possible():
            return None
        page = f"{self._context.public_url}{WAY}"
        return words(
            fr=f"la page de désinscription ({page}…) ne répond pas d'ici : les lettres proposent de se désabonner par courriel. Démarrez "
            "le service ; si nginx ou Caddy sert vos pages, faites-lui passer /-/ ; si elle répond d'ailleurs, mettez one_click = true.",
            en=f"the unsubscribe page ({page}…) does not answer from here: letters offer to unsubscribe by mail. Start the service; if "
            "nginx or Caddy serves your pages, have it pass /-/ on; if the page answers from elsewhere, set one_click = true.",
        )

    def of(self, reader: str) -> str | None:
        """The address that this reader's letter has; None for one that offers a mail alone."""
        return self._address(reader) if self._open else None

    def _address(self, reader: str) -> str:
        return f"{self._context.public_url}{WAY}{quote(self._context.name, safe='')}/{self._left.token(reader)}"

    def _is_possible(self) -> bool:
        address = urlsplit(self._context.public_url or "")
        return address.scheme == "https" or (bool(address.hostname) and address.hostname in self._context.http.allow_private)

    async def _answers(self) -> bool:
        """Whether a link as readers get it shows a button, under the policy of our own pages."""
        try:
            answer = await self._context.http.get(self._address(SOMEBODY), max_bytes=PAGE_MAX_BYTES, timeout_s=PATIENCE_S)
        except ConnectorError:
            return False
        policy = answer.headers.get("Content-Security-Policy", "")
        return answer.status == 200 and b"<button" in answer.body and "form-action 'self'" in policy
