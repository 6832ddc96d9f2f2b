"""Full disks, closed folders, damaged databases, two of us at once, routes in a circle: one clear message, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.town import Town, at_clock, plain
from tests.shell_scene import SIGNS_OF_A_BUG, Home, Said, daemon, give_up_privilege, until

SMALL_BYTES = 150_000


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    town = await Town().start()
    yield town
    await town.stop()


@pytest.fixture
def home(town: Town, tmp_path: Path) -> Home:
    return Home(town=town, folder=tmp_path).write()


def small_disk() -> None:
    """Between fork and exec: no file may grow beyond SMALL_BYTES, as on a disk that has no more room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, resource.RLIM_INFINITY))


def plainly(said: Said, code: int, *words: str) -> None:
    """It ended with ``code``, saying all of ``words``, and nothing of ours broke."""
    everything = said.out + said.err
    assert [sign for sign in SIGNS_OF_A_BUG if sign in everything] == []
    assert (said.code, [word for word in words if word not in everything]) == (code, [])


async def test_a_full_disk_loses_nothing_and_sends_nothing_twice(home: Home) -> None:
    """What could not be written down was not sent; when there is room again, everything leaves once."""
    plainly(await home.run("once"), 0)
    home.town.toot("Écrit pendant que le disque était plein")
    for number in range(40):
        home.town.mobilizon.add_event("velo", f"Sortie {number}", at_clock(7, 9), at_clock(7, 18), description="<p>" + "à vélo " * 900)
    full = await home.run("once", preexec=small_disk)
    plainly(full, 1, "✗ state : Le disque est plein")
    assert home.town.mirrored() == []

    plainly(await home.run("once"), 0)
    mirrored = home.town.mirrored_texts()
    assert sum("disque était plein" in text for text in mirrored) == 1
    assert sorted(text.split("\n")[0] for text in mirrored if text.startswith("Sortie")) == sorted(f"Sortie {n}" for n in range(40))
    assert "Sortie 39" in (home.public / "agenda.ics").read_text()


async def test_a_public_folder_without_room_stops_no_post(home: Home) -> None:
    """The page and the calendar wait, as they were; what goes to the account elsewhere goes."""
    plainly(await home.run("once"), 0)
    before = (home.public / "agenda.ics").read_bytes()
    home.public.chmod(0o500)
    home.town.toot("Le dossier public est fermé")
    home.town.mobilizon.add_event("velo", "Bal à vélo", at_clock(7, 20), at_clock(7, 22))
    closed = await home.run("once", preexec=give_up_privilege)
    plainly(closed, 75, "✗ destinations.calendrier", "✗ destinations.site", "Le dossier public n'est pas accessible en écriture")
    assert (home.public / "agenda.ics").read_bytes() == before
    assert sum("dossier public est fermé" in text for text in home.town.mirrored_texts()) == 1

    home.public.chmod(0o755)
    plainly(await home.run("once"), 0)
    plainly(await home.run("status"), 0, "Rien ne demande une personne")
    assert "Bal à vélo" in (home.public / "agenda.ics").read_text()


async def test_a_closed_state_folder_says_so(home: Home) -> None:
    """Every command that needs it names the folder and the rights; none makes anything elsewhere."""
    plainly(await home.run("once"), 0)
    home.state.chmod(0o500)
    for path in home.state.glob("*.db*"):
        path.chmod(0o400)
    commands = ("check", "once", "status", "outbox", "run")
    for one in await asyncio.gather(*(home.run(command, preexec=give_up_privilege) for command in commands)):
        plainly(one, 1, str(home.state), "droits")


@pytest.mark.parametrize(("damage", "commands"), [
    ("text", [("check",), ("status",), ("preview",), ("outbox", "retry", "1"), ("accept", "agenda"), ("once",)]),
    ("half", [("check",), ("once",)]),
], ids=["text", "half"])  # fmt: skip
async def test_a_damaged_database_is_found_by_every_command(home: Home, damage: str, commands: list[tuple[str, ...]]) -> None:
    """It is named, with what to do; check finds it too; nothing is sent, and the file is left as it is for whoever repairs it."""
    plainly(await home.run("once"), 0)
    path = home.state / "syndicator.db"
    good = path.read_bytes()
    damaged = {"text": b"not a database " * 3000, "half": good[: len(good) // 2]}[damage]
    path.write_bytes(damaged)
    for one in await asyncio.gather(*(home.run(*command) for command in commands)):
        plainly(one, 1, str(path), "base de données est abîmée", "sauvegarde")
    assert path.read_bytes() == damaged
    assert home.town.mirrored() == []


async def test_only_one_works_on_a_state_folder(home: Home) -> None:
    """A second daemon and ``once`` refuse in plain words; to look, and to decide on a delivery, is always possible."""
    async with daemon("--config", home.config) as first:
        await first.says("service.ready")
        run, once, status, outbox = await asyncio.gather(*(home.run(command) for command in ("run", "once", "status", "outbox")))
        plainly(run, 1, "Un autre syndicator travaille déjà sur ce dossier", str(home.state))
        plainly(once, 1, "✗ state : Un autre syndicator travaille déjà")
        plainly(status, 0)
        plainly(outbox, 0)
        home.town.toot("Toujours là")
        await until(lambda: "Toujours là" in home.town.mirrored_texts())


async def test_one_broken_association_harms_no_other(town: Town, tmp_path: Path) -> None:
    """One has a damaged database, one a wrong configuration: the third is served all the same, and the log names the two."""
    homes = {name: Home(town=town, folder=tmp_path, name=name).write() for name in ("bonne", "fautive", "abimee")}
    homes["fautive"].config.write_text(homes["fautive"].config.read_text().replace("groups", "group"))
    homes["abimee"].state.mkdir()
    (homes["abimee"].state / "syndicator.db").write_bytes(b"not a database " * 3000)
    async with daemon("--config-dir", tmp_path) as service:
        await service.says("service.ready", "associations=1")
        assert any("config.refused" in line and "fautive.toml" in line and "« group »" in line for line in service.log)
        assert any("association.refused" in line and "slug=abimee" in line and "sauvegarde" in line for line in service.log)
        await service.says("source.skipped", "source=toots")
        town.toot("Un message de la bonne")
        await until(lambda: any("de la bonne" in text for text in town.mirrored_texts()))


async def test_routes_in_a_circle_are_cut(town: Town, tmp_path: Path) -> None:
    """A is mirrored to B and B to A: check refuses it and names the way round; once cuts the circle and says so, and the rest goes on."""
    other: MastodonSimulator = town.elsewhere
    back = tmp_path / "back.token"
    back.touch(mode=0o600)
    back.write_text(town.mastodon.world.add_token(town.asso, "read:accounts", "read:statuses", "write:statuses", "write:media"))
    home = Home(town=town, folder=tmp_path).write(
        f"""
[sources.retour]
type = "mastodon"
account = "{other.url}/@amis_du_velo"
[destinations.retour]
type = "mastodon"
url = "{town.mastodon.url}"
token = {{ file = "{back}" }}
""",
        routes="""
[routes.aller]
sources = ["agenda", "toots"]
destinations = ["calendrier", "site", "ailleurs"]
delay = "0s"
[routes.retour]
sources = ["retour"]
destinations = ["retour"]
delay = "0s"
""",
    )
    plainly(await home.run("check"), 1, "✗ routes : les routes tournent en rond", "amis_du_velo@")
    town.toot("Aller")
    other.world.post(town.mirror, "<p>Retour</p>")
    await home.run("once")
    town.toot("Aller encore")
    other.world.post(town.mirror, "<p>Retour encore</p>")
    town.mobilizon.add_event("velo", "Bal à vélo", at_clock(7, 20), at_clock(7, 22))
    said = await home.run("once")
    plainly(said, 1, "Les routes tournent en rond")
    assert sorted(plain(status.content) for status in town.mastodon.world.of_account(town.asso.id))[:2] == ["Aller", "Aller encore"]
    assert len(town.mastodon.world.of_account(town.asso.id)) == 3
    assert sorted(text for text in home.town.mirrored_texts() if "Bal" not in text) == ["Aller encore", "Retour", "Retour encore"]
    assert "Bal à vélo" in (home.public / "agenda.ics").read_text()


async def test_nothing_is_made_where_nothing_ran(home: Home) -> None:
    """Looking at an association that never ran makes no folder that the daemon's own account could not use."""
    commands = {("status",): 0, ("outbox",): 1, ("accept", "agenda"): 1}
    for code, said in zip(commands.values(), await asyncio.gather(*(home.run(*command) for command in commands)), strict=True):
        plainly(said, code, "jamais lancé")
    plainly(await home.run("preview"), 0)
    plainly(await home.run("check"), 0)
    assert not home.state.exists()


@pytest.mark.parametrize("second", [
    '[destinations.autre]\ntype = "website"',
    '[destinations.autre]\ntype = "ical"\nfeeds = [{ file = "sorties.ics" }, { file = "AGENDA.ics" }]',
])  # fmt: skip
async def test_two_destinations_never_write_the_same_file(home: Home, second: str) -> None:
    """The second is refused with its line, the file and the first one's name; in folders of their own both are welcome."""
    wrong = await home.write(second).run("check")
    plainly(wrong, 78, "destinations.autre", "est déjà écrit par la destination « ")
    right = await home.write(f'{second}\nfolder = "jeunesse"').run("check", "--json")
    assert (right.code, json.loads(right.out)["ok"]) == (0, True)
