"""A town with one of each thing that an association publishes, every network that it may go to, and the command that shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from syndicator.sandbox.commerce import Commerce
from syndicator.sandbox.mastodon_world import Media, Status
from syndicator.sandbox.server import Seen
from syndicator.sandbox.town import CHANNEL, GROUP, Town, at_clock
from tests.one_way_scene import installed
from tests.shell_scene import Said, syndicator

ALT = "Deux vélos appuyés l'un contre l'autre dans un pré, au soleil couchant, devant des collines bleues"
TOOT = "L'atelier rouvre samedi : freins, dérailleurs, roues voilées. Venez avec votre vélo, repartez avec un vélo qui roule ! #vélo #Brest"
STORY = (
    "Un an de cantine à vélo ! En novembre, quatre personnes, deux remorques et une marmite de soupe sont parties de la"
    " gare pour nourrir ceux qui dorment dehors. Aujourd'hui, l'équipe compte trente-deux bénévoles et sert quatre-vingts repas, trois"
    " soirs par semaine, par tous les temps. Nous avons crevé dix-neuf fois, perdu une louche dans la Penfeld, et gagné deux mariages."
)
THANKS = "Merci à la boulangerie Le Gall, à la biocoop et aux voisins. Prochaine réunion jeudi : on cherche des cuistots, et un tandem."
PLAN = "https://maison-des-associations.example/plan-d-acces"


def painting(width: int = 1200, height: int = 800) -> bytes:
    """Two bicycles in a meadow at dusk."""
    sky = Image.linear_gradient("L").resize((width, height))
    picture = Image.composite(Image.new("RGB", (width, height), "#f6b26b"), Image.new("RGB", (width, height), "#5b6ea8"), sky)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width * 0.62, height * 0.38, width * 0.74, height * 0.56), fill="#fff1c9")
    for number, colour in enumerate(("#6b7fb0", "#4c6391", "#35507a")):
        top = height * (0.5 + 0.07 * number)
        hills = [(x, top + height * 0.05 * ((x // 60 * (number + 3)) % 7) / 7) for x in range(0, width + 61, 60)]
        draw.polygon([(0, height), *hills, (width, height)], fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(3))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height * 0.8, width, height), fill="#2f4a37")
    for left, colour in ((width * 0.2, "#c0392b"), (width * 0.42, "#f1c40f")):
        _bicycle(draw, left, height * 0.62, height * 0.25, colour)
    out = BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


def _bicycle(draw: ImageDraw.ImageDraw, left: float, top: float, size: float, colour: str) -> None:
    width, radius = round(size / 18), size / 2
    for x in (left, left + size * 1.15):
        draw.ellipse((x, top, x + size, top + size), outline="#1c1c1c", width=width)
    rear, front = (left + radius, top + radius), (left + radius + size * 1.15, top + radius)
    pedal, saddle, head = (left + size * 1.05, top + radius), (left + size * 0.85, top - size * 0.1), (left + size * 1.5, top - size * 0.1)
    for one, other in ((rear, pedal), (pedal, saddle), (saddle, rear), (saddle, head), (head, pedal), (head, front)):
        draw.line((one, other), fill=colour, width=width)
    draw.line(((saddle[0] - size * 0.12, saddle[1]), (saddle[0] + size * 0.12, saddle[1])), fill="#1c1c1c", width=width)


@dataclass(kw_only=True)
class Show:
    """The town, the networks, and a configuration that joins them."""

    folder: Path
    town: Town
    commerce: Commerce
    language: str = "fr"
    routes: str = '[routes.tout]\nlong_text = "thread"\ndelay = "1h"\n'
    more: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """Its file."""
        return self.folder / "velo.toml"

    def write(self) -> None:
        """Write the configuration."""
        town = self.town
        self.config.touch(mode=0o600)
        self.config.write_text(f"""
[association]
name = "Les Amis du Vélo"
language = "{self.language}"
state = "{self.folder}/state"
[web]
listen = ""
public_url = "http://127.0.0.1:9/"
[network]
allow_private = ["127.0.0.1"]
[sources.agenda]
type = "mobilizon"
url = "{town.mobilizon.url}"
groups = ["{GROUP}"]
[sources.toots]
type = "mastodon"
account = "{town.mastodon.url}/@velo"
[sources.videos]
type = "peertube"
channel = "{town.peertube.url}/c/{CHANNEL}"
[destinations.site]
type = "website"
[destinations.mastodon]
type = "mastodon"
url = "{town.elsewhere.url}"
token = "{town.mirror_token}"
{self.commerce.toml(**self.more)}
{self.routes}
""")

    async def preview(self, *arguments: str | Path, language: str = "fr") -> Said:
        """``syndicator preview``, as a person types it."""
        return await syndicator("preview", "--config", self.config, *arguments, language=language)

    def publish(self) -> None:
        """One thread, one toot with a picture, one event, one video."""
        town = self.town
        town.peertube.publish(
            CHANNEL, "Réparer une crevaison en cinq minutes", description="Démonte-pneus, rustine, patience.", duration=312, lines=(720,)
        )
        town.mobilizon.add_event(
            GROUP,
            "Bal à vélo sous les halles",
            at_clock(7, 20, 30),
            at_clock(7, 23),
            picture=painting(1000, 500),
            description=f'<p>On danse, puis on roule. Restauration sur place, <a href="{PLAN}">plan d\'accès</a>.</p>',
        )
        first = town.toot(STORY)
        town.toot(THANKS, reply_to=first)
        self.toot_with_picture(TOOT, ALT)

    def toot_with_picture(self, text: str, alt: str, **fields: Any) -> Status:
        """On Mastodon, a good picture."""
        world = self.town.mastodon.world
        media_id = world.next_id()
        world.media[media_id] = Media(
            id=media_id, account_id=self.town.asso.id, type="image", data=painting(), media_type="image/jpeg", description=alt
        )
        return world.post(self.town.asso, self.town._html(text), media_ids=[media_id], **fields)

    def asked(self) -> list[tuple[str, Seen]]:
        """Every request that a destination got, with its type."""
        simulators = {name: network.simulator for name, network in self.commerce.networks.items()} | {"mastodon": self.town.elsewhere}
        return [(name, seen) for name, simulator in simulators.items() for seen in simulator.requests]


@asynccontextmanager
async def show(
    folder: Path, *, publish: Callable[[Show], None] = Show.publish, networks: Sequence[str] | None = None, **options: Any
) -> AsyncIterator[Show]:
    """Everything open and published."""
    town = await Town().start()
    try:
        async with Commerce(names=installed() if networks is None else networks) as commerce:
            made = Show(folder=folder, town=town, commerce=commerce, **options)
            publish(made)
            made.write()
            yield made
    finally:
        await town.stop()
