"""A request the server refuses, with the gRPC status production would answer."""

from __future__ import annotations

from grpc import StatusCode


class Refusal(Exception):
    """Ends a request. ``code`` and ``message`` are what the caller sees; nothing was changed."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The numeric status code, as ``google.rpc.Status`` wants it."""
        number: int = self.code.value[0]
        return number


def invalid(message: str) -> Refusal:
    """The request breaks a rule, whatever is stored."""
    return Refusal(StatusCode.INVALID_ARGUMENT, message)


def missing(message: str) -> Refusal:
    """The document is not there."""
    return Refusal(StatusCode.NOT_FOUND, message)


def exists(message: str) -> Refusal:
    """The document is there already."""
    return Refusal(StatusCode.ALREADY_EXISTS, message)


def unfit(message: str) -> Refusal:
    """What is stored forbids the request: another version, or no index."""
    return Refusal(StatusCode.FAILED_PRECONDITION, message)


def contended(message: str) -> Refusal:
    """Somebody else was faster; the caller may try again."""
    return Refusal(StatusCode.ABORTED, message)


def unsupported(message: str) -> Refusal:
    """The method or option exists in production and not here."""
    return Refusal(StatusCode.UNIMPLEMENTED, message)
