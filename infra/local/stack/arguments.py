"""What may stand on the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from infra.local.stack import client, commands
from infra.local.stack.addresses import OPTIONS, Ports
from infra.local.stack.options import UpOptions

Command = Callable[[], int]


def parse(arguments: list[str], environ: Mapping[str, str] = os.environ) -> Command:
    """Return the command to run.

    Raises:
        SystemExit: wrong usage (exit code 2) or ``--help``; the text is printed.
    """
    parser = argparse.ArgumentParser(prog="podium", description="The platform on one machine.")
    commands_of = parser.add_subparsers(required=True, metavar="command")
    _add_up(commands_of.add_parser("up", help="install what is missing and start everything"), environ)
    for name, run, about in (
        ("down", commands.down, "stop exactly what up started"),
        ("status", commands.status, "show the processes"),
        ("env", client.print_variables, 'print addresses and keys for a shell: eval "$(./podium env)"'),
    ):
        simple = commands_of.add_parser(name, help=about)
        _add_state(simple, environ)
        simple.set_defaults(command=lambda given, run=run: partial(run, given.state.absolute()))
    for name, argument, print_it, about in (
        ("code", "address", client.print_code, "print the newest code mailed to an address"),
        ("key", "instance", client.print_key, "print the key of a process instance"),
    ):
        asking = commands_of.add_parser(name, help=about)
        _add_state(asking, environ)
        asking.add_argument("about", metavar=argument.upper())
        asking.set_defaults(
            command=lambda given, run=print_it: partial(run, given.state.absolute(), given.about)
        )
    _add_logs(commands_of.add_parser("logs", help="show the ends of the logs"), environ)
    # Options are the CLI's own, the first argument too: no argument starts with the prefix.
    codika = commands_of.add_parser(
        "codika", help="run the npm CLI on the stack", add_help=False, prefix_chars="\0"
    )
    _add_codika(codika, environ)
    given = parser.parse_args(arguments)
    command: Command = given.command(given)
    return command


def _add_up(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    _add_state(parser, environ)
    for part, option in OPTIONS.items():
        default = environ.get("PODIUM_" + option[2:].replace("-", "_").upper(), getattr(Ports(), part))
        parser.add_argument(
            option, dest=part, type=_port, default=str(default), metavar="N", help=f"port: {part}"
        )
    parser.add_argument("--stack-file", type=Path, help="default: stack.json in the state folder")
    parser.add_argument("--n8n-url", help="use this n8n instead of installing one")
    parser.add_argument("--n8n-api-key", default=environ.get("PODIUM_N8N_API_KEY"), help="its API key")
    parser.add_argument("--n8n-engine", choices=("legacy", "isolate"), default="legacy")
    parser.add_argument("--firestore", dest="firestore_kind", choices=("own", "google"), default="own")
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="do not run the demo at the end")
    parser.set_defaults(command=partial(_up, parser))


def _up(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Command:
    if given.n8n_url and not given.n8n_api_key:
        parser.error("--n8n-url needs --n8n-api-key (or PODIUM_N8N_API_KEY)")
    if given.n8n_url and not given.n8n_url.startswith(("http://", "https://")):
        parser.error("--n8n-url must begin with http:// or https://")
    state = given.state.absolute()
    options = UpOptions(
        state=state,
        stack_file=(given.stack_file or state / "stack.json").absolute(),
        ports=Ports(**{part: getattr(given, part) for part in OPTIONS}),
        n8n_url=given.n8n_url and given.n8n_url.rstrip("/"),
        n8n_api_key=given.n8n_api_key,
        n8n_engine=given.n8n_engine,
        google_firestore=given.firestore_kind == "google",
        demo=given.demo,
    )
    return partial(commands.up, options)


def _add_codika(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    state = Path(environ.get("PODIUM_STATE", ".local")).absolute()
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(command=lambda given: partial(client.codika, state, given.arguments))


def _add_logs(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    _add_state(parser, environ)
    names = "firestore, tasks, mail, n8n, gateway, supervisor; default: all"
    parser.add_argument("names", nargs="*", help=names)
    parser.add_argument("-n", dest="count", type=int, default=30, help="lines of each")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as they grow")
    parser.set_defaults(
        command=lambda given: partial(
            commands.logs, given.state.absolute(), given.names, given.count, given.follow
        )
    )


def _add_state(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    default = Path(environ.get("PODIUM_STATE", ".local"))
    parser.add_argument("--state", type=Path, default=default, help="folder of everything it keeps")


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port (1 to 65535)")
    return port
