"""What ``up`` shows: an example deployed with the npm CLI, one run that succeeds, one that fails."""

from infra.local.demo.demo import run

__all__ = ["run"]
