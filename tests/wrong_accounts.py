"""What volunteers get wrong in their first hour with a network, or what is wrong there: accounts that cannot work, each at its service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

from syndicator.sandbox.commerce import NETWORKS, Network
from syndicator.sandbox.facebook import PERSON
from syndicator.sandbox.graph import error

STRANGE = "AAGm0PX4ZCpsBAK1ZC-quelqu-un-d-autre-0123456789"
"""A token of some other network."""
SECRETS = frozenset({
    "access_token", "access_token_secret", "api_key", "api_key_secret", "app_password", "client_secret", "key", "password", "refresh_token",
    "token",
})  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


def unchanged(_: Any) -> None:
    """Nothing is wrong over there."""


def sets(**changes: Any) -> Callable[[Any], None]:
    """The service stands like this; ``part__name`` is a name of one of its parts."""

    def spoil(simulator: Any) -> None:
        for path, value in changes.items():
            part, _, name = path.rpartition("__")
            setattr(attrgetter(part.replace("__", "."))(simulator) if part else simulator, name, value)

    return spoil


def every_grant(**changes: Any) -> Callable[[Any], None]:
    """So do all tokens of Instagram or Threads."""

    def spoil(simulator: Any) -> None:
        for grant in simulator.grants.values():
            for name, value in changes.items():
                setattr(grant, name, value)

    return spoil


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One account that cannot work."""

    network: str
    fr: str
    """A part of what its finding says, in each language."""
    en: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keys that are wrong in the configuration; ``{url}`` is the service's address."""
    secrets: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """What became of a secret on its way into the file."""
    spoil: Callable[[Any], None] = unchanged


def strange(*names: str) -> dict[str, Callable[[str], str]]:
    """Another network's token where these should be."""
    return dict.fromkeys(names, lambda _: STRANGE)


def broken(secret: str) -> str:
    return f"{secret[:9]}\n{secret[9:]}"


def short(secret: str) -> str:
    return secret[:-3]


WRONG: Mapping[str, Wrong] = {
    "x-strange": Wrong(network="x", secrets=strange("access_token"), fr="entière et à sa place", en="whole and in its place"),
    "x-short": Wrong(network="x", secrets={"api_key_secret": short}, fr="entière et à sa place", en="whole and in its place"),
    "x-reading": Wrong(
        network="x", spoil=sets(access="read"), fr="« Read and write », puis régénérez", en="“Read and write”, then generate"
    ),
    "x-broke": Wrong(network="x", spoil=sets(balance=0), fr="Il n'y a plus de crédit", en="There is no credit left"),
    "facebook-strange": Wrong(network="facebook", secrets=strange("token"), fr="recopiez-le en entier", en="copy all of it again"),
    "facebook-short": Wrong(network="facebook", secrets={"token": short}, fr="recopiez-le en entier", en="copy all of it again"),
    "facebook-broken": Wrong(network="facebook", secrets={"token": broken}, fr="un retour à la ligne", en="a line break"),
    "facebook-person": Wrong(
        network="facebook", spoil=sets(world__token_of=PERSON), fr="n'est pas celui de la Page", en="is not that of the Page"
    ),
    "facebook-other": Wrong(
        network="facebook",
        options={"page": "1234567890"},
        fr="prenez pour votre Page id et access_token",
        en="id and access_token of your Page",
    ),
    "facebook-expired": Wrong(
        network="facebook", spoil=sets(dead=error(190, 463, "Session has expired")), fr="expiré ou révoqué", en="expired or revoked"
    ),
    "facebook-doubted": Wrong(
        network="facebook", spoil=sets(dead=error(190, 459, "checkpoint")), fr="demande une vérification", en="demands a verification"
    ),
    "facebook-rights": Wrong(
        network="facebook", spoil=sets(world__scopes=("pages_show_list",)), fr="avec pages_manage_posts", en="with pages_manage_posts"
    ),
    "facebook-version": Wrong(network="facebook", options={"version": "v99.0"}, fr="une version récente", en="a recent version"),
    "facebook-retired": Wrong(
        network="facebook", spoil=sets(dead=error(2635, 0, "deprecated")), fr="une version récente", en="a recent version"
    ),
    "instagram-strange": Wrong(network="instagram", secrets=strange("token"), fr="recopiez-le en entier", en="copy all of it again"),
    "instagram-broken": Wrong(network="instagram", secrets={"token": broken}, fr="un retour à la ligne", en="a line break"),
    "instagram-expired": Wrong(
        network="instagram", spoil=every_grant(expires_at=now() - timedelta(days=1)), fr="expiré ou révoqué", en="expired or revoked"
    ),
    "instagram-personal": Wrong(
        network="instagram",
        spoil=sets(account_type="PERSONAL"),
        fr="passez à un compte professionnel",
        en="switch to a professional account",
    ),
    "instagram-hidden": Wrong(
        network="instagram", options={"api": "https://graph.instagram.com"}, fr="ouverte à tout internet", en="open to the whole internet"
    ),
    "threads-strange": Wrong(network="threads", secrets=strange("token"), fr="recopiez-le en entier", en="copy all of it again"),
    "threads-revoked": Wrong(network="threads", spoil=lambda service: service.kill(), fr="expiré ou révoqué", en="expired or revoked"),
    "threads-rights": Wrong(
        network="threads", spoil=every_grant(permissions=frozenset({"threads_basic"})), fr="ajoutez threads_basic", en="add threads_basic"
    ),
    "linkedin-strange": Wrong(network="linkedin", secrets=strange("token"), fr="recopiez-le en entier", en="copy all of it again"),
    "linkedin-revoked": Wrong(network="linkedin", spoil=sets(revoked=True), fr="60 jours", en="60 days"),
    "linkedin-role": Wrong(
        network="linkedin", spoil=sets(administrator=False), fr="doit administrer cette page", en="must administer that page"
    ),
    "linkedin-other": Wrong(network="linkedin", options={"organization": "999"}, fr="vérifiez organization", en="check organization"),
    "linkedin-version": Wrong(network="linkedin", options={"version": "202401"}, fr="un mois récent", en="a recent month"),
    "matrix-password": Wrong(network="matrix", secrets={"password": short}, fr="vérifiez user et password", en="check user and password"),
    "matrix-name": Wrong(
        network="matrix", options={"user": "@nada:asso.example"}, fr="vérifiez user et password", en="check user and password"
    ),
    "matrix-outside": Wrong(network="matrix", spoil=lambda service: service.room.members.clear(), fr="invitez-le", en="invite it"),
    "matrix-encrypted": Wrong(network="matrix", spoil=sets(room__encrypted=True), fr="Ce salon est chiffré", en="This room is encrypted"),
    "matrix-low": Wrong(
        network="matrix", spoil=lambda service: service.room.levels.update(events_default=50), fr="rôle de modérateur", en="a moderator"
    ),
    "matrix-room": Wrong(network="matrix", options={"room": "#nada:asso.example"}, fr="Vérifiez room", en="Check room"),
    "mattermost-strange": Wrong(network="mattermost", secrets=strange("token"), fr="recopiez-le en entier", en="copy all of it again"),
    "mattermost-broken": Wrong(network="mattermost", secrets={"token": broken}, fr="un retour à la ligne", en="a line break"),
    "mattermost-outside": Wrong(
        network="mattermost", spoil=sets(member=False), fr="ajoutez-le à l'équipe et au canal", en="add it to the team"
    ),
    "mattermost-channel": Wrong(network="mattermost", options={"channel": "asso/nada"}, fr="Vérifiez channel", en="Check channel"),
    "mattermost-archived": Wrong(network="mattermost", spoil=sets(archived=True), fr="est archivé", en="is archived"),
    "mattermost-page": Wrong(
        network="mattermost", options={"url": "{url}/asso/channels/annonces"}, fr="celle du serveur seul", en="that of the server alone"
    ),
    "rocketchat-strange": Wrong(network="rocketchat", secrets=strange("token"), fr="recopiez les deux", en="copy all of both"),
    "rocketchat-name": Wrong(network="rocketchat", options={"user_id": "agenda"}, fr="pas le nom du compte", en="not the account's name"),
    "rocketchat-outside": Wrong(network="rocketchat", spoil=sets(room__member=False), fr="Vérifiez room", en="Check room"),
    "rocketchat-archived": Wrong(network="rocketchat", spoil=sets(room__archived=True), fr="est archivé", en="is archived"),
    "rocketchat-encrypted": Wrong(
        network="rocketchat", spoil=sets(room__encrypted=True), fr="Ce salon est chiffré", en="This room is encrypted"
    ),
    "rocketchat-page": Wrong(
        network="rocketchat", options={"url": "{url}/channel/annonces"}, fr="celle du serveur seul", en="that of the server alone"
    ),
    "discourse-strange": Wrong(
        network="discourse", secrets=strange("key"), fr="Le forum refuse cette clé", en="The forum refuses this key"
    ),
    "discourse-other": Wrong(
        network="discourse", options={"username": "somebody"}, fr="indiqué dans username", en="the account in username"
    ),
    "discourse-category": Wrong(network="discourse", options={"category": 99}, fr="Vérifiez category", en="Check category"),
    "discourse-page": Wrong(network="discourse", options={"url": "{url}/c/annonces/5"}, fr="Vérifiez url", en="Check url"),
    "wordpress-strange": Wrong(
        network="wordpress", secrets=strange("app_password"), fr="refaites un mot de passe", en="make a new application password"
    ),
    "wordpress-name": Wrong(network="wordpress", options={"username": "somebody"}, fr="Vérifiez username", en="Check username"),
    "wordpress-role": Wrong(
        network="wordpress", spoil=sets(blog__account__role="contributor"), fr="le rôle « Auteur »", en="role “Author”"
    ),
    "wordpress-off": Wrong(network="wordpress", spoil=sets(blog__passwords=False), fr="sont désactivés", en="are switched off"),
    "wordpress-wall": Wrong(network="wordpress", spoil=sets(blog__rest="walled"), fr="Un pare-feu", en="A firewall"),
    "wordpress-category": Wrong(
        network="wordpress", options={"categories": ["Agenda"]}, fr="créez-les là-bas (Agenda)", en="make them there (Agenda)"
    ),
    "wordpress-calendar": Wrong(network="wordpress", options={"events": "tec"}, fr="The Events Calendar", en="The Events Calendar"),
    "youtube-strange": Wrong(
        network="youtube", secrets=strange("refresh_token"), fr="refaites le refresh_token", en="make the refresh_token anew"
    ),
    "youtube-client": Wrong(
        network="youtube", secrets=strange("client_secret"), fr="client_id et client_secret", en="client_id and client_secret"
    ),
    "youtube-rights": Wrong(network="youtube", spoil=sets(channel__scopes=("openid",)), fr="youtube.force-ssl", en="youtube.force-ssl"),
}
FORGIVEN: Mapping[str, Wrong] = {
    "matrix-link": Wrong(
        network="matrix",
        options={"homeserver": "{url}/", "room": "https://app.element.io/#/room/#annonces:asso.example"},
        secrets={"password": lambda secret: f"  {secret}\r\n\n"},
        fr="",
        en="",
    ),
    "mattermost-link": Wrong(
        network="mattermost",
        options={"url": "{url}/", "channel": "{url}/asso/channels/annonces/"},
        secrets={"token": lambda secret: f"\ufeff{secret}\u200b\n"},
        fr="",
        en="",
    ),
    "rocketchat-link": Wrong(network="rocketchat", options={"url": "{url}/", "room": "{url}/channel/annonces"}, fr="", en=""),
    "discourse-slash": Wrong(network="discourse", options={"url": "{url}/"}, fr="", en=""),
    "wordpress-page": Wrong(network="wordpress", options={"url": "{url}/agenda"}, secrets={"app_password": broken}, fr="", en=""),
    "wordpress-admin": Wrong(
        network="wordpress",
        options={"url": "{url}/wp-admin/profile.php"},
        secrets={"app_password": lambda secret: f" {secret.replace(' ', '')}\n"},
        fr="",
        en="",
    ),
}
"""Written otherwise than the manual says, and as clear."""
AT: Mapping[str, str] = {
    "discourse": "url",
    "facebook": "api",
    "instagram": "api",
    "linkedin": "api",
    "matrix": "homeserver",
    "mattermost": "url",
    "rocketchat": "url",
    "threads": "api",
    "wordpress": "url",
    "x": "api",
    "youtube": "api",
}
"""Where each network's address stands."""


@dataclass(kw_only=True)
class Account:
    """One of them at its service, which is its alone."""

    name: str
    wrong: Wrong
    folder: Path
    network: Network = field(init=False)
    right: Mapping[str, Any] = field(init=False)

    async def start(self) -> None:
        """Open the service, as it is wrong."""
        self.network = NETWORKS[self.wrong.network](now)
        await self.network.simulator.start()
        self.right = self.network.options()
        self.wrong.spoil(self.network.simulator)

    async def mend(self) -> None:
        """Another service at the same address, with which nothing is wrong."""
        port = int(self.network.simulator.url.rpartition(":")[2])
        await self.network.simulator.stop()
        self.network = NETWORKS[self.wrong.network](now)
        await self.network.simulator.start(port)
        self.right = self.network.options()

    async def stop(self) -> None:
        """Close the service."""
        await self.network.simulator.stop()

    def section(self, *, mended: bool = False) -> str:
        """Its section of the configuration; every secret is in a file of its own."""
        wrong = {} if mended else self.wrong.options
        lines = [f"[destinations.{self.name}]", f'type = "{self.wrong.network}"']
        for key, value in {**self.right, **wrong}.items():
            lines.append(f"{key} = {self._secret(key, value, mended) if key in SECRETS else self._plain(value)}")
        return "\n".join(lines)

    def _plain(self, value: Any) -> str:
        return json.dumps(value.replace("{url}", self.network.simulator.url) if isinstance(value, str) else value)

    def _secret(self, key: str, value: str, mended: bool) -> str:
        path = self.folder / f"{self.name}.{key}"
        path.touch(mode=0o600)
        path.write_text(value if mended or key not in self.wrong.secrets else self.wrong.secrets[key](value), newline="")
        return f'{{ file = "{path}" }}'

    @property
    def secrets(self) -> set[str]:
        """Whatever must not be seen anywhere."""
        return {value for key, value in self.right.items() if key in SECRETS}
