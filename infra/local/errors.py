"""What the local stack says when it cannot go on."""

from __future__ import annotations


class LocalStackError(Exception):
    """The stack cannot be started, stopped or read; the message is one sentence a user can act on.

    The command line prints it as ``podium: <message>`` and exits with 1. It never carries a secret.
    """
