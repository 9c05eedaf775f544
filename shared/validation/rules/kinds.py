"""What nodes do, as far as their types and names tell (platform §23.1).

The words are those that authors' checks have always gone by; a type has a kind when it contains one of its
words, in any case.
"""

from __future__ import annotations

from shared.validation.engine.workflow import Connection, Node

_CALLS = ("http", "request", "google", "facebook", "ads")
_CHANGES = (
    *(
        "write",
        "insert",
        "update",
        "delete",
        "post",
        "put",
        "patch",
        "database",
        "mongo",
        "supabase",
        "sheet",
    ),
)
_RUNS = ("execute", "workflow", "function")
_TELLS = (
    *("slack", "discord", "email", "gotify", "mattermost", "microsoftteams", "pushbullet", "pushover"),
    *("rocketchat", "zulip", "telegram"),
)
_HANDLERS = ("stopanderror", "errorhandler", "raiseerror")
_HANDLER_NAMES = ("stop and error", "error handler")
_LAST = (
    *("respond", "reply", "end", "stop", "terminate", "return", "sticky", "note", "noop", "no operation"),
    *("slack", "email", "discord", "teams", "webhook", "telegram", "pushbullet", "mattermost", "notifier"),
    *("notification", "alert", "sms", "call"),
)
_BEGINS = ("webhook", "trigger", "start")


def contains(text: str, words: tuple[str, ...]) -> bool:
    """Return whether a lower-case text contains one of the words."""
    for word in words:  # noqa: SIM110 - most of the time of a check is spent here
        if word in text:
            return True
    return False


def calls_service(node: Node) -> bool:
    """Return whether a node calls a service over HTTP."""
    return contains(node.lower_type, _CALLS)


def changes_data(node: Node) -> bool:
    """Return whether a node changes data outside of the run."""
    # What parses output, or takes input, puts nothing anywhere.
    return contains(node.lower_type.replace("output", "").replace("input", ""), _CHANGES)


def can_fail(node: Node) -> bool:
    """Return whether a node depends on what is outside of the run, or runs code."""
    return calls_service(node) or changes_data(node) or contains(node.lower_type, _RUNS)


def tells_somebody(node: Node) -> bool:
    """Return whether a node sends people a message."""
    return contains(node.lower_type, _TELLS)


def handles_errors(node: Node) -> bool:
    """Return whether a node is there for what failed."""
    return contains(node.lower_type, _HANDLERS) or contains(node.name.lower(), _HANDLER_NAMES)


def uses_data(node: Node) -> bool:
    """Return whether what a node is given leaves the run: it is written, sent or answered."""
    leaves = changes_data(node) or tells_somebody(node) or calls_service(node)
    return leaves or "respondtowebhook" in node.lower_type


def may_be_last(node: Node) -> bool:
    """Return whether nothing need follow a node."""
    return contains(f"{node.type} {node.name}".lower(), _LAST)


def begins_runs(node: Node) -> bool:
    """Return whether a node is where runs begin."""
    return contains(node.lower_type, _BEGINS)


def is_error_path(connection: Connection) -> bool:
    """Return whether a connection is taken when its source failed."""
    if connection.channel == "main":
        return connection.output > 0 and can_fail(connection.source)
    return connection.channel == "error"
