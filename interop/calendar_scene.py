"""An association's calendar on a CalDAV server, mirrored: kept, edited, moved, cancelled, deleted there; never what is private."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from interop import calendar_suite, likeness
from interop.calendar_server import PASSWORD, USER, Server
from interop.mirror import Mirror
from interop.report import Report
from interop.suite import contract

PARIS = ZoneInfo("Europe/Paris")
SECRETS = ("Entretien annuel avec Camille", "Salaires du bureau", "Chez le médecin")


def day(ahead: int) -> date:
    """A day to come, in Paris."""
    return datetime.now(PARIS).date() + timedelta(days=ahead)


def wall(ahead: int, hour: int, minute: int = 0) -> str:
    """A time on that day as iCalendar writes it."""
    return f"{datetime.combine(day(ahead), time(hour, minute)):%Y%m%dT%H%M%S}"


def workshop(*, title: str = "Atelier vélo : « réparer soi-même »", ahead: int = 10, hour: int = 19, more: str = "") -> str:
    """A timed event."""
    return f"""UID:atelier@lab.test
SUMMARY:{title}
DTSTART;TZID=Europe/Paris:{wall(ahead, hour)}
DTEND;TZID=Europe/Paris:{wall(ahead, hour + 2, 30)}
LOCATION:Maison des associations\\, 2 rue de l’Église
DESCRIPTION:Apportez votre vélo.\\nEntrée libre 🚲
CATEGORIES:Atelier,Vélo
{more}"""


def choir() -> tuple[str, str]:
    """A weekly series of six: the third left out, the second an hour later under another name."""
    series = f"""UID:chorale@lab.test
SUMMARY:Chorale
DTSTART;TZID=Europe/Paris:{wall(5, 20)}
DTEND;TZID=Europe/Paris:{wall(5, 22)}
RRULE:FREQ=WEEKLY;COUNT=6
EXDATE;TZID=Europe/Paris:{wall(19, 20)}"""
    changed = f"""UID:chorale@lab.test
RECURRENCE-ID;TZID=Europe/Paris:{wall(12, 20)}
SUMMARY:Chorale (générale)
DTSTART;TZID=Europe/Paris:{wall(12, 21)}
DTEND;TZID=Europe/Paris:{wall(12, 23)}"""
    return series, changed


def private(title: str, uid: str, secrecy: str) -> str:
    """Nobody's business."""
    return f"""UID:{uid}@lab.test
SUMMARY:{title}
DESCRIPTION:{title}
CLASS:{secrecy}
DTSTART;TZID=Europe/Paris:{wall(8, 10)}
DTEND;TZID=Europe/Paris:{wall(8, 11)}"""


def fair(more: str = "") -> str:
    """Three whole days."""
    return f"""UID:bourse@lab.test
SUMMARY:Bourse aux vélos
DTSTART;VALUE=DATE:{day(20):%Y%m%d}
DTEND;VALUE=DATE:{day(23):%Y%m%d}
{more}"""


def picnic(status: str) -> str:
    """In UTC, as some programs write."""
    return f"""UID:piquenique@lab.test
SUMMARY:Pique-nique
STATUS:{status}
DTSTART:{day(15):%Y%m%d}T100000Z
DTEND:{day(15):%Y%m%d}T130000Z"""


def undated() -> str:
    """What no program should write; Xandikos takes it, Radicale does not."""
    return """UID:sansdate@lab.test
SUMMARY:Sans date"""


async def play(kind: type[Server], report: Report, folder: Path) -> None:
    """The whole scene, on a server of this kind."""
    report.title(f"{kind.name} → agenda.ics and page")
    server = await kind.start(folder / "server")
    report.played_with(f"{kind.name} {kind.package[1]}")
    mirror = _mirror(server, folder)
    try:
        await _write(server)
        await _look_once(report, server, mirror)
        await mirror.run()
        await _live(report, server, mirror)
        code, took = await mirror.stop()
        report.check(f"SIGTERM: code 0, in {took:.1f} s", (code, took < 10) == (0, True), (code, took))
        report.note(f"what {kind.name} answered about the calendar: {dict(server.answered())}")
        known = ["password: " + PASSWORD] if server.login else []
        report.same("private words are in no file of ours, public or not", mirror.leaks([*SECRETS, PASSWORD]), known)
        if server.login:
            await _lock_out(report, mirror)
        await likeness.of_calendar(report, server)
        await contract(report, calendar_suite.__file__, folder, calendar_suite.environ(server))
        await _taken_away(report, server, mirror)
    except BaseException:
        report.note("\n    ".join(mirror.log.read_text(encoding="utf-8").splitlines()[-30:]) if mirror.log.exists() else "no log")
        raise
    finally:
        await mirror.stop()
        await server.running.end()


def _mirror(server: Server, folder: Path) -> Mirror:
    secret = folder / "asso-agenda" / "password"
    login = f'\nuser = "{USER}"\npassword = {{ file = "{secret}" }}' if server.login else ""
    mirror = Mirror.make(secret.parent, f'[sources.agenda]\ntype = "ical"\nurl = "{server.calendar.url}"\npoll = "2s"{login}', "")
    if server.login:
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD, encoding="utf-8")
    return mirror


async def _write(server: Server) -> None:
    calendar = server.calendar
    await calendar.put("atelier", workshop())
    await calendar.put("bourse", fair())
    await calendar.put("chorale", *choir())
    await calendar.put("prive", private(SECRETS[0], "prive", "PRIVATE"))
    await calendar.put("bureau", private(SECRETS[1], "bureau", "CONFIDENTIAL"))
    await calendar.put("piquenique", picnic("CANCELLED"))


def expected() -> set[str]:
    """Titles and starts of what was written, private events left out."""
    noon = datetime.combine(day(15), time(10), ZoneInfo("UTC"))
    return {
        f"Atelier vélo : « réparer soi-même » {day(10)} 19:00",
        f"Bourse aux vélos {day(20)}",
        *(f"Chorale {day(ahead)} 20:00" for ahead in (5, 26, 33, 40)),
        f"Chorale (générale) {day(12)} 21:00",
        f"ANNULÉ : Pique-nique {noon.astimezone(PARIS):%Y-%m-%d %H:%M}",
    }


async def _look_once(report: Report, server: Server, mirror: Mirror) -> None:
    code, said, took = await mirror.command("check")
    report.check(f"`syndicator check` agrees ({took:.1f} s)", code == 0, said)
    code, said, took = await mirror.command("once")
    report.check(f"`syndicator once` reads the calendar ({took:.1f} s): {said.splitlines()[0] if said else ''}", code == 0, said)
    events = mirror.events()
    report.same("agenda.ics holds exactly the public events, each on its date", set(events), expected())
    report.same("no timezone is missing in it", list(mirror.calendar().get_missing_tzids()), [])
    fair_days = events[f"Bourse aux vélos {day(20)}"]
    report.same("three whole days are three whole days", (fair_days.DTSTART, fair_days.DTEND), (day(20), day(23)))
    report.same("a cancelled event says so", [str(e["STATUS"]) for t, e in events.items() if "Pique-nique" in t], ["CANCELLED"])
    page = await mirror.page()
    titles = ("réparer soi-même", "Bourse aux vélos", "Chorale (générale)")
    report.check("the page has them too", all(title in page for title in titles), page)
    before, asked = mirror.public(), server.answered()
    code, said, _ = await mirror.command("once")
    report.same("a second look without news changes no byte of any file", (code, mirror.public()), (0, before))
    report.note(f"and was answered: {dict(server.answered() - asked)}")


async def _live(report: Report, server: Server, mirror: Mirror) -> None:
    def titles() -> set[str]:
        return set(mirror.events())

    def status(word: str) -> list[str]:
        return [str(event.get("STATUS")) for title, event in mirror.events().items() if word in title]

    await server.calendar.put("atelier", workshop(title="Atelier vélo et trottinette"))
    await report.eventually("an edited title follows", lambda: f"Atelier vélo et trottinette {day(10)} 19:00" in titles())
    await server.calendar.put("atelier", workshop(title="Atelier vélo et trottinette", ahead=11, hour=18, more="SEQUENCE:1"))
    await report.eventually("a moved event moves", lambda: f"Atelier vélo et trottinette {day(11)} 18:00" in titles())
    report.check("and is there once", sum("trottinette" in title for title in titles()) == 1, titles())
    sequence = next(event.get("SEQUENCE") for title, event in mirror.events().items() if "trottinette" in title)
    report.check(f"its SEQUENCE rose ({sequence})", int(sequence or 0) > 0, sequence)
    await server.calendar.put("bourse", fair("STATUS:CANCELLED"))
    await report.eventually("a cancelled event stays, cancelled", lambda: status("Bourse") == ["CANCELLED"])
    await server.calendar.put("piquenique", picnic("CONFIRMED"))
    await report.eventually("a cancellation taken back is taken back", lambda: status("Pique-nique") == ["CONFIRMED"])
    series, changed = choir()
    await server.calendar.put("chorale", series.replace("COUNT=6", "COUNT=3"), changed)
    await report.eventually("a shortened series loses its last dates", lambda: sum("Chorale" in title for title in titles()) == 2)
    status_of_it = await server.calendar.offer("sansdate", undated())
    report.note(f"an event without a date: {status_of_it}")
    await server.calendar.put("medecin", private(SECRETS[2], "medecin", "PUBLIC").replace(SECRETS[2], "Portes ouvertes"))
    await report.eventually("a new event appears", lambda: any("Portes ouvertes" in title for title in titles()))
    await server.calendar.put("medecin", private(SECRETS[2], "medecin", "PRIVATE"))
    report.check(
        "what has no date is not mirrored, and keeps nothing else back", not any("Sans date" in title for title in titles()), titles()
    )
    await report.eventually("an event made private disappears", lambda: not any("Portes ouvertes" in title for title in titles()))
    await server.calendar.delete("atelier")
    await report.eventually("a deleted event disappears, confirmed twice", lambda: not any("trottinette" in title for title in titles()))

    async def left_the_page() -> bool:
        page = await mirror.page()
        return "trottinette" not in page and "Portes ouvertes" not in page

    await report.eventually("from the page too", left_the_page)


async def _lock_out(report: Report, mirror: Mirror) -> None:
    """A wrong password is said in words, and nothing is lost by it."""
    before = mirror.public()
    password = mirror.folder / "password"
    password.write_text("autre", encoding="utf-8")
    code, said, _ = await mirror.command("check")
    report.check("a wrong password is told by `check`, with what to do", code != 0 and "mot de passe d'application" in said, said)
    await mirror.command("once")
    report.same("and by `once` no public file is lost", set(before) - set(mirror.public()), set())
    password.write_text(PASSWORD, encoding="utf-8")


async def _taken_away(report: Report, server: Server, mirror: Mirror) -> None:
    """The whole calendar is deleted over there: said in words, and nothing of it is taken from the public by that."""
    report.title("The calendar is taken away")
    await mirror.command("once")
    before = mirror.events()
    await server.calendar.ask("DELETE")
    gone = (await server.calendar.ask("GET", headers={"Accept": "text/calendar"})).status
    report.same("it is gone", gone, 404)
    code, said, _ = await mirror.command("check")
    report.check("`check` says so, with what to do", code != 0 and "n'est plus là" in said, said)
    for _ in range(3):
        await mirror.command("once")
    report.check("no event disappears by that", bool(before) and set(mirror.events()) == set(before), set(mirror.events()) ^ set(before))
