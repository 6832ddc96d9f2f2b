"""The command that rebuilds the site."""

from __future__ import annotations

from connectors.website.static.commands import NOT_FOUND, NOT_RUNNABLE, Ended, run
from connectors.website.static.options import Options
from syndicator.errors import Transient, words


async def rebuild(options: Options) -> None:
    """Run it; Transient, in plain words, when it did not do its work."""
    command = options.hook[0]
    limit_s = options.hook_timeout.total_seconds()
    ended = await run(*options.hook, cwd=options.site, time_s=limit_s)
    if ended.code is None:
        raise Transient(
            f"{command}: no end after {limit_s:.0f} s; {ended.tail()}",
            hint=words(
                fr=f"« {command} » n'a pas fini en {limit_s:.0f} secondes et a été arrêté. S'il lui faut plus, augmentez hook_timeout. "
                "Les fichiers du site sont à jour ; la commande sera relancée.",
                en=f'"{command}" had not finished after {limit_s:.0f} seconds and was stopped. If it needs more, raise hook_timeout. '
                "The site's files are up to date; the command will be run again.",
            ),
        )
    if ended.code in (NOT_FOUND, NOT_RUNNABLE):
        raise Transient(
            f"{command}: cannot be run ({ended.code}); {ended.tail()}",
            hint=words(
                fr=f"La commande « {command} » est introuvable ou n'a pas le droit d'être lancée : écrivez son chemin entier dans hook.",
                en=f'The command "{command}" is not found or may not be run: write its whole path in hook.',
            ),
        )
    if ended.code:
        raise _failed(command, ended)


def _failed(command: str, ended: Ended) -> Transient:
    last = ended.tail(1)
    return Transient(
        f"{command}: ended with {ended.code}; {ended.tail()}",
        hint=words(
            fr=f"La construction du site a échoué : « {command} » a rendu {ended.code}, et son dernier mot est « {last} ». Lancez-la "
            "vous-même dans le dossier du site pour voir. Les fichiers du site sont à jour ; elle sera relancée.",
            en=f'Building the site failed: "{command}" ended with {ended.code}, and its last word is "{last}". Run it yourself in the '
            "site's folder to see. The site's files are up to date; it will be run again.",
        ),
    )
