"""To a mailing list's address: one letter, which the list sends on."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from connectors.mail.line import REFUSED_HINT, SIZE_HINT, AddressLater, AddressRefused, LetterRefused, Line
from connectors.mail.message import Written, message_id, to_list
from connectors.mail.options import ToList, address_of
from syndicator.contract import Context, Limits
from syndicator.errors import Rejected, Transient
from syndicator.model import Receipt, Rendition

LIMITS = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150)
A_DAY_S = 86_400


class ListPublisher:
    """Sends issues of a newsletter to a list."""

    Options: ClassVar[type[ToList]] = ToList
    limits: Limits = LIMITS

    def __init__(self, options: ToList, context: Context) -> None:
        self._options = options
        self._context = context
        self.account = address_of(options.to)
        self.limits = replace(LIMITS, key_window_s=A_DAY_S if options.drops_repeats else 0)
        self._line = Line(options, context.http.allow_private)

    async def open(self) -> None:
        """Log in. Raises Transient, AuthExpired, Rejected."""
        await self._line.open()

    async def close(self) -> None:
        """Hang up."""
        await self._line.close()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002 - letters answer nothing
        """Hand the letter to the list's server."""
        written = Written.of(rendition, key, self._context.now())
        try:
            await self._line.send(self._options.to, to_list(written, self._options))
        except AddressLater as error:
            raise Transient(f"the list's server answered {error}") from error
        except (AddressRefused, LetterRefused) as error:
            raise Rejected(
                f"the list's server answered {error}", hint=SIZE_HINT if str(error).startswith("552") else REFUSED_HINT
            ) from error
        return Receipt(remote_id=message_id(key, self._options.sender))
