"""The command line's grammar: argparse, speaking the person's language, with every command's arguments read only when it is chosen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from syndicator.words import pick, say

USAGE = 2

# argparse's own sentences, by the English text it looks up with gettext; what is not here stays English.
_FRENCH = {
    "usage: ": "utilisation : ",
    "options": "options",
    "positional arguments": "arguments",
    "show this help message and exit": "affiche cette aide",
    "%(prog)s: error: %(message)s\n": "%(prog)s : %(message)s\n",
    "argument %(argument_name)s: %(message)s": "argument %(argument_name)s : %(message)s",
    "unrecognized arguments: %s": "arguments inconnus : %s",
    "the following arguments are required: %s": "il manque : %s",
    "one of the arguments %s is required": "il faut l'un de : %s",
    "expected one argument": "il manque sa valeur",
    "expected at least one argument": "il faut au moins une valeur",
    "not allowed with argument %s": "ne va pas avec %s",
    "ignored explicit argument %r": "ne prend pas de valeur (%r)",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r n'est pas possible (possible : %(choices)s)",
    "invalid %(type)s value: %(value)r": "%(value)r n'est pas une valeur possible",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s est ambigu (%(matches)s)",
}


def speak(language: str) -> None:
    """Make argparse speak ``language``: it looks its sentences up through a module-level gettext, which is the place to answer."""
    if pick({"fr": "fr", "en": "en"}, language) == "fr":
        vars(argparse)["_"] = lambda text: _FRENCH.get(text, text)
    else:
        vars(argparse)["_"] = lambda text: text


def program(language: str, commands: Mapping[str, Mapping[str, str]], version: str) -> argparse.ArgumentParser:
    """The parser of what stands before the command, and the help that lists the commands."""
    width = max(map(len, commands))
    listed = "\n".join(f"  {name:<{width}}  {pick(text, language)}" for name, text in commands.items())
    parser = argparse.ArgumentParser(
        prog="syndicator",
        usage=say(language, "cli.usage"),
        description=say(language, "cli.description"),
        epilog=f"{say(language, 'cli.commands')}\n{listed}\n\n{say(language, 'cli.epilog')}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_common(parser, language)
    parser.add_argument("--version", action="version", version=f"syndicator {version}", help=say(language, "cli.version"))
    parser.add_argument("command", nargs="?", metavar=say(language, "cli.command"), help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def of_command(name: str, module: Any, language: str, before: argparse.Namespace) -> argparse.ArgumentParser:
    """The parser of one command; the common options may stand before or after its name."""
    parser = argparse.ArgumentParser(
        prog=f"syndicator {name}",
        description=pick(module.HELP, language),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser, language)
    add_common(parser, language)
    parser.set_defaults(**{key: getattr(before, key) for key in ("config", "config_dir", "verbose")})
    return parser


def add_common(parser: argparse.ArgumentParser, language: str) -> None:
    """What every command takes."""
    group = parser.add_argument_group(say(language, "cli.common"))
    group.add_argument("--config", type=Path, metavar=say(language, "cli.file"), help=say(language, "cli.config"))
    group.add_argument("--config-dir", type=Path, metavar=say(language, "cli.folder"), help=say(language, "cli.config-dir"))
    group.add_argument("-v", "--verbose", action="store_true", help=say(language, "cli.verbose"))


def unknown_command(name: str, commands: Mapping[str, Any], language: str) -> NoReturn:
    """Say that there is no such command, and which was meant."""
    from difflib import get_close_matches

    close = get_close_matches(name, commands, n=1)
    meant = say(language, "config.did-you-mean", name=close[0]) if close else say(language, "config.choices", names=", ".join(commands))
    print(say(language, "cli.unknown-command", name=name, meant=meant), file=sys.stderr)
    raise SystemExit(USAGE)
