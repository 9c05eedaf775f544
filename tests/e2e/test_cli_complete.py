"""Every command of the npm CLI is run by some test here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.conftest import CodikaCli

_COMMAND = re.compile(r"^  ([a-z][a-z-]*)(?:\|[a-z-]+)?(?=[ \n])", re.MULTILINE)
_GROUP = "\nCommands:\n"


def _commands(codika: CodikaCli, *words: str) -> Iterator[tuple[str, ...]]:
    """Yield the commands below some words, as the CLI's own help lists them."""
    help_text = codika(*words, "--help").out
    if _GROUP not in help_text:
        yield words
        return
    listed = _COMMAND.findall(help_text.partition(_GROUP)[2])
    assert listed, help_text
    for name in listed:
        if name != "help":
            yield from _commands(codika, *words, name)


def _literal_words(nodes: list[ast.expr]) -> tuple[str, ...]:
    """Return the texts a list of arguments begins with."""
    words: list[str] = []
    for node in nodes:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            break
        words.append(node.value)
    return tuple(words)


def _run_in(file: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            # The CLI itself, or a function named after a group of commands that is given the CLI.
            given = [argument for argument in node.args if not isinstance(argument, ast.Name)]
            group = (node.func.id,) if isinstance(node.func, ast.Name) else ()
            yield _literal_words(node.args)
            yield (*group, *_literal_words(given))
        elif isinstance(node, ast.Tuple | ast.List):
            yield _literal_words(node.elts)


def test_every_command_of_the_cli_is_run_by_a_test(codika: CodikaCli) -> None:
    here = Path(__file__)
    run = {words for file in here.parent.glob("test_*.py") if file != here for words in _run_in(file)}

    listed = sorted(set(_commands(codika)))

    assert len(listed) > 30
    missing = [command for command in listed if not any(words[: len(command)] == command for words in run)]
    assert [" ".join(command) for command in missing] == []
