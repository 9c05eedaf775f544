"""gRPC services made of plain ``async def`` methods and raw protobuf messages.

Message classes come from Google's client packages; their proto-plus wrappers are unwrapped once, here,
because wrapping and unwrapping every message costs more than all the rest of a call.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from types import ModuleType

import grpc
from google.protobuf.message import Message

log = logging.getLogger(__name__)


class Refusal(Exception):
    """A call the service answers with a gRPC status other than OK."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    """Return the refusal of a malformed request (INVALID_ARGUMENT)."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> Refusal:
    """Return the refusal of a name that does not exist (NOT_FOUND)."""
    return Refusal(grpc.StatusCode.NOT_FOUND, message)


def exists(message: str) -> Refusal:
    """Return the refusal of a name that is taken (ALREADY_EXISTS)."""
    return Refusal(grpc.StatusCode.ALREADY_EXISTS, message)


def forbidden_state(message: str) -> Refusal:
    """Return the refusal of a change the object's state forbids (FAILED_PRECONDITION)."""
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)


def unsupported(message: str) -> Refusal:
    """Return the refusal of a feature this server does not have (UNIMPLEMENTED)."""
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, message)


Method = Callable[[Message], Awaitable[Message]]


def generic_handler(service: str, implementation: object, requests: ModuleType) -> grpc.GenericRpcHandler:
    """Return the handler that serves each CamelCase method of ``implementation``.

    ``Foo`` takes the message ``FooRequest`` of the module ``requests``. Methods the implementation lacks
    are answered with UNIMPLEMENTED by gRPC itself.
    """
    methods = {
        name: _unary(method, getattr(requests, f"{name}Request").pb())
        for name, method in inspect.getmembers(implementation, inspect.iscoroutinefunction)
        if name[0].isupper()
    }
    return grpc.method_handlers_generic_handler(service, methods)


def _unary(method: Method, request_class: type[Message]) -> grpc.RpcMethodHandler:
    async def call(request: Message, context: grpc.aio.ServicerContext) -> Message:
        try:
            return await method(request)
        except Refusal as refusal:
            await context.abort(refusal.code, refusal.message)
        except Exception:
            log.exception("call failed: %s", getattr(method, "__name__", "unknown"))
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; see the server's log")

    return grpc.unary_unary_rpc_method_handler(
        call,
        request_deserializer=request_class.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )
