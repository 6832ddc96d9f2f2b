"""A scripted day in the association's life, and what must have come of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from syndicator.sandbox.mastodon_world import Status
from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import CHANNEL, GROUP, Public, Town, at_clock, plain

PATIENCE_S = 45.0
COLUMNS = ("calendar", "website", "elsewhere")
POSTS = 11
"""How many posts the whole day leaves on the account elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a person would look for in one place."""

    key: str
    """A word of ``demo.expected.*`` in the message catalogues."""
    text: str
    """What it is about: the words to find, or not to find."""
    holds: Callable[[], Awaitable[bool]]


@dataclass(kw_only=True)
class Row:
    """One thing that happened, and where it must be seen: a column that is not named has no business with it."""

    key: str
    """A word of ``demo.day.*`` in the message catalogues."""
    expected: dict[str, Expected]
    seen: dict[str, bool] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether everything that must be seen is."""
        return all(self.seen.get(column, False) for column in self.expected)


@dataclass(kw_only=True)
class Day:
    """The script; ``told`` hears of each row as it is settled."""

    town: Town
    public: Public
    restart: Callable[[], Awaitable[None]]
    """Kills the daemon (SIGKILL) and starts it again."""
    told: Callable[[Row], None]
    rows: list[Row] = field(default_factory=list)
    patience_s: float = PATIENCE_S

    async def play(self) -> list[Row]:
        """Morning, noon, afternoon, evening; then the count."""
        hello, doomed = await self._morning()
        event_uuid = await self._noon()
        await self._afternoon(hello, doomed, event_uuid)
        await self._evening(event_uuid)
        await self._settle(Row(key="count", expected={"elsewhere": self._all_counted()}))
        return self.rows

    async def _morning(self) -> tuple[Status, Status]:
        town = self.town
        hello = town.toot("Bonjour ! L'atelier vélo rouvre samedi. #vélo")
        first = town.toot("Trois conseils pour l'hiver (1/2) : des gants, une lampe.")
        town.toot("(2/2) Et des pneus bien gonflés.", reply_to=first)
        town.toot("La nouvelle affiche est là", image_alt="Affiche : un vélo rouge sous la neige")
        doomed = town.toot("Ce message sera effacé plus tard.")
        typo = town.toot("Rendez-vous a 20h")
        town.edit_toot(typo, "Rendez-vous à 20h")
        town.toot("Réservé aux abonné·es : le code de la porte", visibility="private")
        await self._settle(
            Row(key="toot", expected={"website": self._on_page("rouvre samedi"), "elsewhere": self._once("rouvre samedi")}),
            Row(key="thread", expected={"elsewhere": self._answers("pneus bien gonflés", "des gants, une lampe")}),
            Row(key="image", expected={"elsewhere": self._with_alt("La nouvelle affiche", "un vélo rouge sous la neige")}),
            Row(key="typo", expected={"elsewhere": self._never_edited("Rendez-vous à 20h")}),
            Row(key="private", expected={"website": self._nowhere("code de la porte"), "elsewhere": self._absent("code de la porte")}),
            Row(key="old", expected={"elsewhere": self._absent("d'avant le syndicator")}),
        )
        await self._until(self._once("sera effacé"))
        return hello, doomed

    async def _noon(self) -> str:
        town = self.town
        town.peertube.publish(CHANNEL, "Réparer une crevaison", description="En cinq minutes.", duration=312)
        town.blog.publish("Notre bilan de l'année", "<p>Huit cents vélos réparés.</p>")
        town.photo("La bande de l'atelier", alt="Six personnes en tablier devant des vélos")
        event = town.mobilizon.add_event(
            GROUP, "Bal à vélo", at_clock(7, 20, 30), at_clock(7, 23), description="<p>On danse, puis on roule.</p>"
        )
        town.calendar.add_event("Bourse aux vélos", at_clock(12, 10), ends_at=at_clock(12, 18))
        await self._settle(
            Row(
                key="video", expected={"website": self._on_page("Réparer une crevaison"), "elsewhere": self._once("Réparer une crevaison")}
            ),
            Row(key="blog", expected={"website": self._on_page("Notre bilan"), "elsewhere": self._once("Notre bilan de l'année")}),
            Row(key="photo", expected={"elsewhere": self._with_alt("La bande de l'atelier", "Six personnes en tablier")}),
            Row(key="event", expected=self._announced("Bal à vélo")),
            Row(key="shared", expected=self._announced("Bourse aux vélos")),
        )
        return event.uuid

    async def _afternoon(self, hello: Status, doomed: Status, event_uuid: str) -> None:
        town = self.town
        town.edit_toot(hello, "Bonjour ! L'atelier vélo rouvre dimanche, finalement. #vélo")
        town.delete_toot(doomed)
        moved_to = at_clock(8, 19)
        town.mobilizon.move_event(event_uuid, moved_to, at_clock(8, 22))
        stamp = f"{moved_to:%Y%m%dT190000}"
        await self._settle(
            Row(
                key="edited",
                expected={
                    "website": self._on_page("rouvre dimanche"),
                    "elsewhere": self._corrected("rouvre dimanche", "rouvre samedi"),
                },
            ),
            Row(key="deleted", expected={"website": self._nowhere("sera effacé"), "elsewhere": self._absent("sera effacé")}),
            Row(
                key="moved",
                expected={
                    "calendar": self._calendar_says("Bal à vélo", DTSTART=stamp, SEQUENCE="1"),
                    "website": self._site_says("Bal à vélo", f"{moved_to:%Y-%m-%dT%H:%M}"),
                    "elsewhere": self._corrected("Bal à vélo", "20h30"),
                },
            ),
        )

    async def _evening(self, event_uuid: str) -> None:
        """The network elsewhere fails, then loses an answer, and there the daemon is killed: still once, and never twice."""
        town = self.town
        town.elsewhere.fault(Fault(action="answer", status=503, method="PUT", path="/api/v1/statuses"))
        town.elsewhere.fault(Fault(action="lose", method="POST", path="/api/v1/statuses"))
        town.toot("Écrit pendant la panne : à demain !")
        town.mobilizon.cancel_event(event_uuid)
        await self._until(Expected(key="", text="", holds=self._faults_used))
        await self.restart()
        await self._settle(
            Row(key="outage", expected={"elsewhere": self._once("Écrit pendant la panne")}),
            Row(
                key="cancelled",
                expected={
                    "calendar": self._calendar_says("Bal à vélo", STATUS="CANCELLED"),
                    "website": self._site_says("Bal à vélo", "cancelled"),
                    "elsewhere": self._once("ANNULÉ"),
                },
            ),
        )

    async def _settle(self, *rows: Row) -> None:
        """Wait until everything expected of these rows holds, or patience ends; what must stay absent is looked at last."""
        self.rows.extend(rows)
        until = time.monotonic() + self.patience_s
        while True:
            for row in rows:
                row.seen = {column: await expected.holds() for column, expected in row.expected.items()}
            if all(row.right for row in rows) or time.monotonic() > until:
                break
            await asyncio.sleep(0.3)
        for row in rows:
            self.told(row)

    async def _until(self, expected: Expected) -> None:
        until = time.monotonic() + self.patience_s
        while time.monotonic() < until:
            if await expected.holds():
                break
            await asyncio.sleep(0.1)

    async def _faults_used(self) -> bool:
        return not self.town.elsewhere.faults

    # What a person would look for

    def _announced(self, title: str) -> dict[str, Expected]:
        return {"calendar": self._calendar_says(title), "website": self._on_page(title), "elsewhere": self._once(title)}

    def _once(self, text: str) -> Expected:
        async def holds() -> bool:
            return sum(text in mirrored for mirrored in self.town.mirrored_texts()) == 1

        return Expected(key="once", text=text, holds=holds)

    def _absent(self, text: str) -> Expected:
        async def holds() -> bool:
            return not any(text in mirrored for mirrored in self.town.mirrored_texts())

        return Expected(key="absent", text=text, holds=holds)

    def _corrected(self, text: str, before: str) -> Expected:
        async def holds() -> bool:
            texts = self.town.mirrored_texts()
            return sum(text in mirrored for mirrored in texts) == 1 and not any(before in mirrored for mirrored in texts)

        return Expected(key="corrected", text=text, holds=holds)

    def _never_edited(self, text: str) -> Expected:
        async def holds() -> bool:
            found = self._with(text)
            return len(found) == 1 and found[0].edited_at is None

        return Expected(key="never-edited", text=text, holds=holds)

    def _answers(self, child: str, parent: str) -> Expected:
        async def holds() -> bool:
            return [status.in_reply_to_id for status in self._with(child)] == [status.id for status in self._with(parent)] != []

        return Expected(key="answers", text=child, holds=holds)

    def _with_alt(self, text: str, alt: str) -> Expected:
        async def holds() -> bool:
            media, found = self.town.elsewhere.world.media, self._with(text)
            return len(found) == 1 and any(alt in media[media_id].description for media_id in found[0].media_ids)

        return Expected(key="with-alt", text=alt, holds=holds)

    def _with(self, text: str) -> list[Status]:
        return [status for status in self.town.mirrored() if text in plain(status.content)]

    def _all_counted(self) -> Expected:
        async def holds() -> bool:
            texts: Collection[str] = self.town.mirrored_texts()
            return len(texts) == len(set(texts)) == POSTS

        return Expected(key="counted", text=str(POSTS), holds=holds)

    def _on_page(self, text: str) -> Expected:
        async def holds() -> bool:
            return text in await self.public.page()

        return Expected(key="shown", text=text, holds=holds)

    def _nowhere(self, text: str) -> Expected:
        async def holds() -> bool:
            page = await self.public.page()
            return bool(page) and text not in page

        return Expected(key="absent", text=text, holds=holds)

    def _calendar_says(self, title: str, **properties: str) -> Expected:
        async def holds() -> bool:
            found = [event for event in await self.public.calendar() if title in event["SUMMARY"]]
            return len(found) == 1 and all(found[0].get(name) == value for name, value in properties.items())

        return Expected(key="shown", text=" ".join([title, *(f"{name}={value}" for name, value in properties.items())]), holds=holds)

    def _site_says(self, title: str, text: str) -> Expected:
        async def holds() -> bool:
            return any(title in event.get("title", "") and text in str(event.values()) for event in await self.public.events())

        return Expected(key="shown", text=f"{title}, {text}", holds=holds)
