"""One calendar mirrored into another on a real CalDAV server: nothing twice, nothing of another's, whatever people do over there."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from interop import caldav_likeness, caldav_suite, calendar_scene, calendar_suite
from interop.caldav_reader import events, objects
from interop.calendar_scene import PARIS, day, fair, picnic, wall, workshop
from interop.calendar_server import PASSWORD, USER, Calendar, Server
from interop.mirror import Mirror
from interop.report import Report
from interop.suite import contract

THEIRS = f"""UID:reunion@lab.test
SUMMARY:Réunion du bureau
DTSTART;TZID=Europe/Paris:{wall(7, 18)}"""


async def read_and_write(kind: type[Server], report: Report, folder: Path) -> None:
    """A calendar as a source, then as a destination."""
    for name, scene in (("read", calendar_scene.play), ("written", play)):
        own = folder / name
        await asyncio.to_thread(own.mkdir)
        await scene(kind, report, own)


async def play(kind: type[Server], report: Report, folder: Path) -> None:
    """The whole scene, on a server of this kind."""
    report.title(f"agenda → a calendar on {kind.name}")
    server = await kind.start(folder / "server")
    source, target = server.calendar, Calendar(f"{server.url}{kind.home}public/", kind.login)
    mirror: Mirror | None = None
    try:
        await target.make()
        await target.put("reunion", THEIRS)
        await source.put("atelier", workshop())
        await source.put("bourse", fair())
        await source.put("piquenique", picnic("CONFIRMED"))
        mirror = _mirror(server, target, folder)
        await _write(report, mirror, target)
        await _follow(report, server, mirror, target)
        await _people(report, server, mirror, target)
        await _lose(report, mirror, target)
        await _find(report, server, mirror)
        await caldav_likeness.of_calendar(report, server)
        await contract(report, caldav_suite.__file__, folder, calendar_suite.environ(server))
    finally:
        if mirror is not None:
            await mirror.stop()
        await server.running.end()


def _mirror(server: Server, target: Calendar, folder: Path) -> Mirror:
    secret = folder / "asso-public" / "password"
    login = f'\nuser = "{USER}"\npassword = {{ file = "{secret}" }}' if server.login else ""
    source = f'[sources.agenda]\ntype = "ical"\nurl = "{server.calendar.url}"\npoll = "2s"{login}'
    mirror = Mirror.make(secret.parent, source, f'\n[destinations.public]\ntype = "caldav"\nurl = "{target.url}"{login}\n')
    if server.login:
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD, encoding="utf-8")
    return mirror


async def _once(report: Report, mirror: Mirror, what: str) -> None:
    code, said, took = await mirror.command("once")
    report.check(f"{what} ({took:.1f} s)", code == 0, said)


async def _write(report: Report, mirror: Mirror, target: Calendar) -> None:
    code, said, took = await mirror.command("check")
    report.check(f"`syndicator check` agrees ({took:.1f} s)", code == 0, said)
    report.same("and wrote nothing", list(await events(target)), ["Réunion du bureau"])
    await _once(report, mirror, "`syndicator once` writes the calendar")
    found = await events(target)
    titles = {"Réunion du bureau", "Atelier vélo : « réparer soi-même »", "Bourse aux vélos", "Pique-nique"}
    report.same("every event is there, beside what a member wrote", set(found), titles)
    start = found["Atelier vélo : « réparer soi-même »"].start
    report.same("at its hour", start, datetime.strptime(wall(10, 19), "%Y%m%dT%H%M%S").replace(tzinfo=PARIS))
    report.same("days are days", found["Bourse aux vélos"].start, day(20))
    before = await objects(target)
    await _once(report, mirror, "a second time")
    report.same("changes no object", await objects(target), before)


async def _follow(report: Report, server: Server, mirror: Mirror, target: Calendar) -> None:
    await server.calendar.put("atelier", workshop(ahead=11, hour=18, more="SEQUENCE:1"))
    await server.calendar.put("piquenique", picnic("CANCELLED"))
    await server.calendar.delete("bourse")
    await mirror.run()

    async def gone() -> bool:
        return "Bourse aux vélos" not in await events(target)

    await report.eventually("an event deleted at the origin disappears, confirmed twice", gone)
    await mirror.stop()
    found = await events(target)
    moved = datetime.strptime(wall(11, 18), "%Y%m%dT%H%M%S").replace(tzinfo=PARIS)
    report.same("the moved event moved", found["Atelier vélo : « réparer soi-même »"].start, moved)
    report.same("the cancelled one says so", str(found["ANNULÉ : Pique-nique"]["STATUS"]), "CANCELLED")
    names = [str(one["UID"]) for one in found.values()]
    report.same("nothing is there twice", (len(await objects(target)), sorted(names)), (3, sorted(set(names))))


async def _people(report: Report, server: Server, mirror: Mirror, target: Calendar) -> None:
    """What a member does to our events, and with an event of ours."""
    name, data = next((name, data) for name, data in (await objects(target)).items() if b"atelier@lab.test" in data)
    theirs = data.decode().replace("Atelier", "Soudure")
    answer = await target.ask("PUT", name, body=theirs)
    report.check(f"a member changes one of ours ({answer.status})", answer.status in (201, 204), answer.body)
    await _once(report, mirror, "that stays while its origin does not change")
    report.check("as it is", any("Soudure" in title for title in await events(target)), None)
    await server.calendar.put("atelier", workshop(title="Atelier trottinette", ahead=11, hour=18, more="SEQUENCE:1"))
    await _once(report, mirror, "then the origin is the truth")
    report.check("again", "Atelier trottinette" in await events(target), list(await events(target)))
    copy = workshop(title="Bal").replace("atelier@", "bal@")
    await target.put("copie", copy)
    await server.calendar.put("bal", copy)
    await server.calendar.put("fete", workshop(title="Fête").replace("atelier@", "fete@"))
    code, said, _ = await mirror.command("once")
    report.check("an event that a member had added already is told", code != 0 and "est déjà dans le calendrier" in said, said)
    found = await events(target)
    report.check("theirs stays, and the others are written", {"Bal", "Fête"} <= set(found), set(found))
    report.same("once each", sum(b"bal@lab.test" in data for data in (await objects(target)).values()), 1)
    await target.delete("copie")
    await server.calendar.delete("bal")
    await mirror.run()

    async def mended() -> bool:
        return "n'est pas dans le calendrier" not in (await mirror.command("status"))[1]

    await report.eventually("once it is withdrawn, nothing is told any more", mended)
    await mirror.stop()


async def _lose(report: Report, mirror: Mirror, target: Calendar) -> None:
    """The record of what is ours is lost."""
    before = await objects(target)
    for path in (mirror.folder / "state").rglob("objects-*.json"):
        path.unlink()
    await _once(report, mirror, "without its record, ours are found again")
    report.same("nothing is there twice, nothing is lost", set(await objects(target)), set(before))
    report.check("what a member wrote is as it was", "Réunion du bureau" in await events(target), set(before))


async def _find(report: Report, server: Server, mirror: Mirror) -> None:
    """By the server's address alone."""
    config = mirror.config.read_text(encoding="utf-8")
    mirror.config.write_text(config.replace(f'{server.home}public/"', '/"'), encoding="utf-8")
    code, said, _ = await mirror.command("check")
    report.check("the server's address alone: the account's calendars are named", code != 0 and "(public)" in said, said)
    mirror.config.write_text(config.replace(f'{server.home}public/"', '/"\ncalendar = "public"'), encoding="utf-8")
    code, said, _ = await mirror.command("check")
    report.check("and one is found by its name", code == 0, said)
    mirror.config.write_text(config, encoding="utf-8")
