"""The command ``syndicator``: one file per command, imported only when it is chosen.

A command's module has ``HELP`` (words), ``add_arguments(parser, language)`` and ``run(args) -> int``; ``args`` carries, besides its own
arguments, ``config``, ``config_dir``, ``verbose``, ``environ`` (the environment) and ``language`` (the person's; the association's once
``configuration.py`` has read one). What it raises as a SyndicatorError is printed plainly here.

Exit codes: 0 all is right; 1 something failed; 2 the command line is wrong; 75 it failed and may work later (EX_TEMPFAIL);
78 the configuration is wrong (EX_CONFIG); 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import syndicator
from syndicator.errors import ConfigError, SyndicatorError, Transient, words
from syndicator.words import language_of, pick, say

OK = 0
FAILED = 1
TEMPORARY = 75
BAD_CONFIG = 78
INTERRUPTED = 130

COMMANDS = {
    "demo": words(
        fr="un petit fediverse sur cette machine, et une journée de l'association sous vos yeux",
        en="a small fediverse on this machine, and a day of the association before your eyes",
    ),
    "try": words(
        fr="lit les adresses publiques d'une association, sans compte ni configuration",
        en="reads an association's public addresses, without account or configuration",
    ),
    "check": words(
        fr="vérifie configuration, adresses, secrets et droits, sans rien publier",
        en="verifies configuration, addresses, credentials and rights, without posting",
    ),
    "preview": words(
        fr="montre ce que chaque destination recevrait maintenant",
        en="shows what each destination would receive now",
    ),
    "newsletter": words(
        fr="la lettre d'information : voir le prochain numéro, l'essayer, l'envoyer, lister",
        en="the newsletter: look at the next issue, try it, send it, list",
    ),
    "run": words(fr="le service, jusqu'à ce qu'on l'arrête", en="the daemon, until it is stopped"),
    "once": words(fr="un seul tour, puis fin (cron)", en="one round, then ends (cron)"),
    "status": words(
        fr="ce qui va, ce qui attend, ce qui demande une personne",
        en="what is well, what waits, what needs a person",
    ),
    "outbox": words(
        fr="la file d'envoi : lister, régler, relancer, abandonner",
        en="the outbox: list, settle, retry, drop",
    ),
    "accept": words(
        fr="confirme qu'une source s'est vraiment vidée",
        en="confirms that a source really emptied itself",
    ),
    "depart": words(
        fr="quitte une destination : retire tout ce que nous y avons publié",
        en="leaves a destination: removes all that we posted there",
    ),
    "version": words(fr="la version, et les connecteurs installés", en="the version, and the connectors installed"),
}


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command; the exit code."""
    environ = os.environ if environ is None else environ
    language = language_of(environ)
    try:
        return _run(sys.argv[1:] if argv is None else argv, environ, language)
    except SystemExit as end:  # argparse's way to end
        return end.code if isinstance(end.code, int) else OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left: the rest of it has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(argv: Sequence[str], environ: Mapping[str, str], language: str) -> int:
    from syndicator.cli.arguments import USAGE, of_command, program, speak, unknown_command

    speak(language)
    parser = program(language, COMMANDS, syndicator.__version__)
    before = parser.parse_args(argv)
    if before.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    if before.command not in COMMANDS:
        unknown_command(before.command, COMMANDS, language)
    module = importlib.import_module(f"syndicator.cli.{module_of(before.command)}")
    chosen = of_command(before.command, module, language, before)
    args = chosen.parse_args(before.rest)
    if args.config and args.config_dir:
        chosen.error(say(language, "cli.one-of", options="--config, --config-dir"))
    args.environ, args.language = environ, language
    try:
        code: int = module.run(args)
        sys.stdout.flush()
    except SyndicatorError as error:
        print(told(error, args.language), file=sys.stderr)
        return code_for(error)
    return code


def module_of(command: str) -> str:
    """The file of a command: its name, unless Python wants that word for itself."""
    return f"{command}_" if command == "try" else command


def told(error: SyndicatorError, language: str) -> str:
    """What to do and what went wrong, without credentials, for a terminal."""
    from syndicator.logs import clean

    hint: Mapping[str, str] | None = getattr(error, "hint", None)
    if isinstance(error, ConfigError):
        return clean(f"{error}\n{say(language, 'cli.config-wrong', count=len(error.problems))}")
    return clean(f"{pick(hint, language)} ({error})" if hint else str(error))


def code_for(error: SyndicatorError) -> int:
    """The exit code that tells a script what kind of failure it was."""
    if isinstance(error, ConfigError):
        return BAD_CONFIG
    return TEMPORARY if isinstance(error, Transient) else FAILED


def show_json(value: Any) -> None:
    """Print ``value`` for a script."""
    import json

    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))
