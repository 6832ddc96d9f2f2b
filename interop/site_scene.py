"""A WordPress site, mirrored to a page, a calendar and a Mastodon account: published, edited, locked, scheduled; never what is hidden."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from interop import likeness, site_suite
from interop.mirror import Mirror
from interop.report import Report
from interop.site_server import WordPress
from interop.suite import contract
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Account, Media, Status
from syndicator.sandbox.town import picture, plain

SECRETS = ("Procès-verbal du bureau", "Code du local 4812", "Brouillon inavouable", "Surprise de demain")
TITLE = "L’atelier rouvre : « venez réparer » 🚲"
CONTENT = """<!-- wp:paragraph --><p>Rendez-vous samedi à 14 h… c’est <strong>gratuit</strong> ! 🎉</p><!-- /wp:paragraph -->
<!-- wp:image {{"id":{id},"sizeSlug":"full"}} --><figure class="wp-block-image size-full">
<img src="{url}" alt="{alt}" class="wp-image-{id}"/></figure><!-- /wp:image -->"""
ALT = "Un établi, trois vélos et beaucoup de rustines"

LOGBOOK = 15
"""How many articles are written while the daemon is away: more than a feed shows."""


class Elsewhere:
    """What the public sees on the account elsewhere."""

    def __init__(self, server: MastodonSimulator, account: Account) -> None:
        self._server, self._account = server, account

    def statuses(self) -> list[Status]:
        """Oldest first."""
        return self._server.world.of_account(self._account.id)

    def media(self, status: Status) -> list[Media]:
        """What is attached to one of them."""
        return [self._server.world.media[media_id] for media_id in status.media_ids]

    def holding(self, words: str) -> list[Status]:
        """Those whose text holds ``words``."""
        return [status for status in self.statuses() if words in plain(status.content)]


async def play(report: Report, folder: Path) -> None:
    """The whole scene."""
    report.title("WordPress → page, feeds and a Mastodon account")
    site = await WordPress.start(folder)
    elsewhere = await MastodonSimulator().start()
    account = elsewhere.world.add_account("amis_du_velo", "Les Amis du Vélo (miroir)", bot=True)
    token = elsewhere.world.add_token(account, "read:accounts", "read:statuses", "write:statuses", "write:media")
    mirror = _mirror(folder, site, elsewhere, token)
    seen = Elsewhere(elsewhere, account)
    try:
        report.played_with(f"WordPress {site.version}")
        await _before(report, site, mirror, seen)
        due = datetime.now(UTC) + timedelta(seconds=65)
        await site.publish("Prévu", status="future", date_gmt=f"{due:%Y-%m-%dT%H:%M:%S}")
        await mirror.run()
        await _one_article(report, site, mirror, seen)
        await _locked(report, site, mirror, seen)
        await _validators(report, site, mirror)
        await _scheduled(report, site, mirror, due)
        await _holidays(report, site, mirror, seen)
        code, took = await mirror.stop()
        report.check(f"SIGTERM: code 0, in {took:.1f} s", (code, took < 10) == (0, True), (code, took))
        report.same("hidden words are in no file of ours", mirror.leaks(SECRETS), [])
        report.same("and on no account", [status for word in SECRETS for status in seen.holding(word)], [])
        await likeness.of_site(report, site)
        # A feed cannot be asked for an article by its name.
        unasked = ("a_removed_item", "no_deletion")
        await contract(report, site_suite.__file__, folder, site_suite.environ(site), without=unasked)
    except BaseException:
        report.note("\n    ".join(mirror.log.read_text(encoding="utf-8").splitlines()[-30:]) if mirror.log.exists() else "no log")
        raise
    finally:
        await mirror.stop()
        await elsewhere.stop()
        await site.running.end()


def _mirror(folder: Path, site: WordPress, elsewhere: MastodonSimulator, token: str) -> Mirror:
    secret = folder / "token"
    secret.touch(mode=0o600)
    secret.write_text(token, encoding="utf-8")
    source = f'[sources.blog]\ntype = "feed"\nurl = "{site.url}/feed/"\npoll = "1s"'
    destination = f'\n[destinations.ailleurs]\ntype = "mastodon"\nurl = "{elsewhere.url}"\ntoken = {{ file = "{secret}" }}\n'
    return Mirror.make(folder / "asso", source, destination)


def _ago(**past: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**past):%Y-%m-%dT%H:%M:%S}"


async def _before(report: Report, site: WordPress, mirror: Mirror, seen: Elsewhere) -> None:
    await site.publish("Bienvenue", date_gmt=_ago(days=2))
    await site.publish("Compte rendu", SECRETS[0], status="private")
    await site.publish("Réservé aux membres", SECRETS[1], password="sésame")  # noqa: S106
    await site.publish("À relire", SECRETS[2], status="draft")
    await site.publish("Demain", SECRETS[3], status="future", date_gmt=_ago(days=-1))
    code, said, took = await mirror.command("check")
    report.check(f"`syndicator check` agrees ({took:.1f} s)", code == 0, said)
    code, said, took = await mirror.command("once")
    report.check(f"`syndicator once` reads the feed ({took:.1f} s): {said.splitlines()[0] if said else ''}", code == 0, said)
    report.same("the page has what was published, and nothing hidden", [item["title"] for item in mirror.items()], ["Bienvenue"])
    report.same("no old article is posted elsewhere", seen.statuses(), [])
    before = mirror.public()
    await mirror.command("once")
    report.same("a second look without news changes no byte of any file", mirror.public(), before)


async def _one_article(report: Report, site: WordPress, mirror: Mirror, seen: Elsewhere) -> None:
    media = await site.upload("etabli.png", picture("établi"), ALT)
    category = await site.api("categories", {"name": "Ateliers & réparation"})
    content = CONTENT.format(id=media["id"], url=media["source_url"], alt=ALT)
    article = await site.publish(TITLE, content, featured_media=media["id"], categories=[category["id"]])
    await report.eventually("a new article is on the page", lambda: TITLE in [item["title"] for item in mirror.items()])
    item = next(item for item in mirror.items() if item["title"] == TITLE)
    report.same("it leads home", item["url"], article["link"])
    report.same("its category is its tag", item.get("tags"), ["Ateliers & réparation"])
    as_typed = "🎉" in item["content_html"] and "s.w.org" not in str(item)
    report.check("its emoji is a character, not a picture of another server", as_typed, item)
    await report.eventually("and on the account elsewhere", lambda: len(seen.holding("venez réparer")) == 1)
    (status,) = seen.holding("venez réparer")
    report.note(f"it reads: {plain(status.content)!r}")
    text = plain(status.content)
    report.check("with its French typography, its emoji and the way home", TITLE in text and article["link"] in text, text)
    alts = [media.description for media in seen.media(status)]
    report.same("with its picture and its alt text", alts, [ALT])
    await asyncio.sleep(4)  # validators of the very seconds of a change are not relied on
    asked = site.answered()
    await asyncio.sleep(6)
    report.note(f"six seconds without news, one poll a second: {dict(site.answered() - asked)}")
    report.check("are answered 304, every one", set(site.answered() - asked) == {"/feed/ 304"}, site.answered() - asked)
    await site.api(f"posts/{article['id']}", {"title": TITLE.replace("samedi", "dimanche").replace("rouvre", "déménage")})
    await report.eventually("an edit follows on the page", lambda: any("déménage" in item["title"] for item in mirror.items()))
    await report.eventually("and on the account, in the same status", lambda: [s.id for s in seen.holding("déménage")] == [status.id])
    report.same("which is still one", len(seen.statuses()), 1)


async def _locked(report: Report, site: WordPress, mirror: Mirror, seen: Elsewhere) -> None:
    article = await site.publish("Le nouveau local", "<p>Il est au fond de la cour.</p>")
    await report.eventually("another article arrives", lambda: len(seen.holding("Le nouveau local")) == 1)
    await site.api(f"posts/{article['id']}", {"password": "sésame"})
    await report.eventually("with a password on it, it leaves the account", lambda: not seen.holding("Le nouveau local"))
    await report.eventually("and the page", lambda: "Le nouveau local" not in str(mirror.items()))
    await site.api(f"posts/{article['id']}", {"password": ""})
    await report.eventually("without the password it is back on the page", lambda: "Le nouveau local" in str(mirror.items()))
    trashed = await site.publish("Erreur", "<p>Publié par erreur.</p>")
    await report.eventually("a third arrives", lambda: len(seen.holding("Erreur")) == 1)
    await site.api(f"posts/{trashed['id']}", {}, method="DELETE")
    await asyncio.sleep(5)
    kept = len(seen.holding("Erreur"))
    report.note(f"five seconds after it went into the bin there, the account has it {kept} time(s): a feed cannot tell")


async def _validators(report: Report, site: WordPress, mirror: Mirror) -> None:
    """What the real site answers when two articles share a second, asked in between."""
    for attempt in range(20):
        first = await site.publish(f"Jumeau {attempt} A")
        between = await site.feed()
        second = await site.publish(f"Jumeau {attempt} B")
        if first["modified_gmt"] == second["modified_gmt"]:
            break
    sent = {"If-None-Match": str(between.headers["ETag"]), "If-Modified-Since": str(between.headers["Last-Modified"])}
    after = await site.feed(sent)
    report.same("WordPress says 304 of an article of the same second (its validators are seconds)", after.status, 304)
    await report.eventually("the mirror has both all the same", lambda: {f"Jumeau {attempt} A", f"Jumeau {attempt} B"} <= _titles(mirror))


async def _scheduled(report: Report, site: WordPress, mirror: Mirror, due: datetime) -> None:
    """Its hour has come, something newer is out, and only then WordPress gets round to it."""
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() + 2))
    await site.publish("Spontané")
    await report.eventually("what is published meanwhile arrives", lambda: "Spontané" in _titles(mirror))
    report.check("what is scheduled does not", "Prévu" not in _titles(mirror), _titles(mirror))
    await asyncio.sleep(3)
    before = await site.feed()
    await site.cron()
    whole = await site.feed()
    sent = {"If-None-Match": str(before.headers["ETag"]), "If-Modified-Since": str(before.headers["Last-Modified"])}
    late = ("Prévu" in before.body.decode(), "Prévu" in whole.body.decode())
    report.same("it comes out late, behind something newer", late, (False, True))
    asked_so = await site.feed(sent)
    report.same("of which WordPress says 304 (the daemon reads everything at its start and every six hours)", asked_so.status, 304)


async def _holidays(report: Report, site: WordPress, mirror: Mirror, seen: Elsewhere) -> None:
    """The daemon is away while more is written than the feed shows."""
    await mirror.stop()
    names = [f"Carnet de route, jour {number}" for number in range(1, LOGBOOK + 1)]
    await asyncio.sleep(LOGBOOK + 1)
    for number, name in enumerate(names):
        await site.publish(name, date_gmt=_ago(seconds=LOGBOOK - number))
    shown = (await site.feed()).body.count(b"<item>")
    asked = site.answered()
    await mirror.run()
    promise = f"{LOGBOOK} articles while it was away, {shown} in the feed: all are mirrored"
    await report.eventually(promise, lambda: set(names) <= _titles(mirror))
    await report.eventually("each once on the account", lambda: len(seen.holding("Carnet de route")) == LOGBOOK, within_s=60)
    report.check("the late one too", "Prévu" in _titles(mirror), _titles(mirror))
    await asyncio.sleep(3)
    report.same("and no more", len(seen.holding("Carnet de route")), LOGBOOK)
    report.note(f"what WordPress answered for it: {dict(site.answered() - asked)}")


def _titles(mirror: Mirror) -> set[str]:
    return {item["title"] for item in mirror.items()}
