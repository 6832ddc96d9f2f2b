"""A scripted day in the association's life, and what must have come of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from syndicator.sandbox.mastodon_world import Status
from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import CHANNEL, GROUP, Public, Town, at_clock, plain

Check = Callable[[], Awaitable[bool]]
PATIENCE_S = 45.0

COLUMNS = ("calendar", "website", "elsewhere")


@dataclass(kw_only=True)
class Row:
    """One thing that happened, and where it must be seen: column → check, or None where it has no business."""

    key: str
    """A word of ``demo.day.*`` in the message catalogues."""
    checks: dict[str, Check]
    seen: dict[str, bool] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether everything that must be seen is."""
        return all(self.seen.get(column, False) for column in self.checks)


@dataclass(kw_only=True)
class Day:
    """The script; ``told`` hears of each row as it is settled."""

    town: Town
    public: Public
    restart: Callable[[], Awaitable[None]]
    """Kills the daemon (SIGKILL) and starts it again."""
    told: Callable[[Row], None]
    rows: list[Row] = field(default_factory=list)

    async def play(self) -> list[Row]:
        """Morning, noon, afternoon, evening; then the count."""
        hello, doomed = await self._morning()
        event_uuid = await self._noon()
        await self._afternoon(hello, doomed, event_uuid)
        await self._evening(event_uuid)
        await self._count()
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
            Row(key="toot", checks={"website": self._on_page("rouvre samedi"), "elsewhere": self._once("rouvre samedi")}),
            Row(key="thread", checks={"elsewhere": self._answers("pneus bien gonflés", "des gants, une lampe")}),
            Row(key="image", checks={"elsewhere": self._with_alt("La nouvelle affiche", "un vélo rouge sous la neige")}),
            Row(key="typo", checks={"elsewhere": self._corrected("Rendez-vous à 20h", "Rendez-vous a 20h")}),
            Row(key="private", checks={"website": self._nowhere("code de la porte"), "elsewhere": self._absent("code de la porte")}),
            Row(key="old", checks={"elsewhere": self._absent("d'avant le syndicator")}),
        )
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
            Row(key="video", checks={"website": self._on_page("Réparer une crevaison"), "elsewhere": self._once("Réparer une crevaison")}),
            Row(key="blog", checks={"website": self._on_page("Notre bilan"), "elsewhere": self._once("Notre bilan de l'année")}),
            Row(key="photo", checks={"elsewhere": self._with_alt("La bande de l'atelier", "Six personnes en tablier")}),
            Row(
                key="event",
                checks={
                    "calendar": self._in_calendar("Bal à vélo"),
                    "website": self._on_page("Bal à vélo"),
                    "elsewhere": self._once("Bal à vélo"),
                },
            ),
            Row(
                key="shared",
                checks={
                    "calendar": self._in_calendar("Bourse aux vélos"),
                    "website": self._on_page("Bourse aux vélos"),
                    "elsewhere": self._once("Bourse aux vélos"),
                },
            ),
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
                checks={
                    "website": self._on_page("rouvre dimanche"),
                    "elsewhere": self._corrected("rouvre dimanche", "rouvre samedi"),
                },
            ),
            Row(key="deleted", checks={"website": self._nowhere("sera effacé"), "elsewhere": self._absent("sera effacé")}),
            Row(
                key="moved",
                checks={
                    "calendar": self._calendar_says("Bal à vélo", DTSTART=stamp, SEQUENCE="1"),
                    "website": self._site_says("Bal à vélo", f"{moved_to:%Y-%m-%dT%H:%M}"),
                    "elsewhere": self._corrected("Bal à vélo", "20h30"),
                },
            ),
        )

    async def _evening(self, event_uuid: str) -> None:
        """The network elsewhere fails in every way while the daemon is killed: still once, and never twice."""
        town = self.town
        town.elsewhere.fault(Fault(action="answer", status=503, method="POST", path="/api/v1/statuses"))
        town.elsewhere.fault(Fault(action="lose", method="POST", path="/api/v1/statuses"))
        town.toot("Écrit pendant la panne : à demain !")
        town.mobilizon.cancel_event(event_uuid)
        await asyncio.sleep(2)
        await self.restart()
        await self._settle(
            Row(key="outage", checks={"elsewhere": self._once("Écrit pendant la panne")}),
            Row(
                key="cancelled",
                checks={
                    "calendar": self._calendar_cancelled("Bal à vélo"),
                    "website": self._on_page("Annulé"),
                    "elsewhere": self._once("ANNULÉ"),
                },
            ),
        )

    async def _count(self) -> None:
        """Nothing twice, nothing lost, nothing leaked, in the whole day."""

        async def exactly() -> bool:
            texts = self.town.mirrored_texts()
            return len(texts) == len(set(texts)) == 11

        await self._settle(Row(key="count", checks={"elsewhere": exactly}))

    async def _settle(self, *rows: Row) -> None:
        """Wait until every check of these rows holds, or patience ends; what must stay absent is looked at last."""
        self.rows.extend(rows)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for row in rows:
                row.seen = {column: await check() for column, check in row.checks.items()}
            if all(row.right for row in rows):
                break
            await asyncio.sleep(0.3)
        for row in rows:
            self.told(row)

    # What a person would look for

    def _once(self, text: str) -> Check:
        async def check() -> bool:
            return sum(text in mirrored for mirrored in self.town.mirrored_texts()) == 1

        return check

    def _absent(self, text: str) -> Check:
        async def check() -> bool:
            return not any(text in mirrored for mirrored in self.town.mirrored_texts())

        return check

    def _corrected(self, text: str, before: str) -> Check:
        async def check() -> bool:
            texts = self.town.mirrored_texts()
            found = [mirrored for mirrored in texts if text in mirrored]
            return len(found) == 1 and before not in found[0] and not any(before in t for t in texts if text not in t)

        return check

    def _answers(self, child: str, parent: str) -> Check:
        async def check() -> bool:
            by_text = {plain(status.content): status for status in self.town.mirrored()}
            children = [status for text, status in by_text.items() if child in text]
            parents = [status.id for text, status in by_text.items() if parent in text]
            return len(children) == 1 and [children[0].in_reply_to_id] == parents

        return check

    def _with_alt(self, text: str, alt: str) -> Check:
        async def check() -> bool:
            media = self.town.elsewhere.world.media
            found = [status for status in self.town.mirrored() if text in plain(status.content)]
            return len(found) == 1 and any(alt in media[media_id].description for media_id in found[0].media_ids)

        return check

    def _on_page(self, text: str) -> Check:
        async def check() -> bool:
            return text in await self.public.page()

        return check

    def _nowhere(self, text: str) -> Check:
        async def check() -> bool:
            page = await self.public.page()
            return bool(page) and text not in page

        return check

    def _in_calendar(self, title: str) -> Check:
        async def check() -> bool:
            return title in await self.public.calendar()

        return check

    def _calendar_says(self, title: str, **properties: str) -> Check:
        async def check() -> bool:
            event = (await self.public.calendar()).get(title, {})
            return all(event.get(name) == value for name, value in properties.items())

        return check

    def _calendar_cancelled(self, title: str) -> Check:
        async def check() -> bool:
            events = await self.public.calendar()
            return any(title in name and event.get("STATUS") == "CANCELLED" for name, event in events.items())

        return check

    def _site_says(self, title: str, text: str) -> Check:
        async def check() -> bool:
            return any(event.get("title") == title and text in str(event) for event in await self.public.events())

        return check
