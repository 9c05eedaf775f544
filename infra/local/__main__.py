"""The command line of the local stack: ``python -m infra.local up | down | status | logs``."""

from __future__ import annotations

import os
import sys

from infra.local.errors import LocalStackError
from infra.local.stack.arguments import parse


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 ``status``: not up."""
    command = parse(arguments)
    try:
        return command()
    except LocalStackError as error:
        print(f"podium: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (`| head`) has gone; nothing more can be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("podium: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
