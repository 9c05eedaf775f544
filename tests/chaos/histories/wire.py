"""The wires of a process: to Firestore and Cloud Tasks, inside this process, and as bad as the seed says.

Store, queue and their retries are the platform's own; only the channel below them is another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

import grpc

from infra.local.firestore.refusal import Refusal
from tests.chaos.histories.faults import Faults

T = TypeVar("T")


class Alive(Protocol):
    """The process at the near end."""

    faults: Faults

    async def still_lives(self) -> None:
        """Return if it does; never return if it does not."""

    def die(self, kind: str) -> None:
        """Kill it."""


class Wire:
    """One way from a process to a service."""

    def __init__(self, near: Alive, service: str) -> None:
        self.near = near
        self._service = service

    async def exchange(self, there: Callable[[], Awaitable[T]]) -> T:
        """Do something at the far end and return its answer, or lose one of both."""
        near, faults = self.near, self.near.faults
        await near.still_lives()
        if faults.strikes("platform: killed before a call"):
            near.die("before a call")
        await near.still_lives()
        await asyncio.sleep(faults.between(0.0005, 0.006))
        if faults.strikes(f"{self._service}: slow"):
            await asyncio.sleep(faults.between(0.1, 3))
        if faults.strikes(f"{self._service}: unavailable"):
            raise status(grpc.StatusCode.UNAVAILABLE, "not reached")
        try:
            answer = await there()
        except Refusal as refusal:
            raise status(refusal.code, refusal.message) from None
        if faults.strikes("platform: killed after a call"):
            near.die("after a call")
        await asyncio.sleep(faults.between(0.0005, 0.006))
        await near.still_lives()
        if faults.strikes(f"{self._service}: answer lost"):
            raise status(grpc.StatusCode.UNAVAILABLE, "the connection broke off")
        if faults.strikes(f"{self._service}: no answer in time"):
            await asyncio.sleep(10)
            raise status(grpc.StatusCode.DEADLINE_EXCEEDED, "no answer in time")
        return answer


def status(code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    """Return an error as a channel raises it."""
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)


class _Unary(grpc.aio.UnaryUnaryMultiCallable):  # type: ignore[misc]  # grpc has no types here
    def __init__(self, call: Callable[[Any], Awaitable[Any]]) -> None:
        self._call = call

    def __call__(self, request: Any, **_: Any) -> Any:
        return asyncio.ensure_future(self._call(request))


class _Answers:
    """A stream of answers, all of them there at once."""

    def __init__(self, answers: Awaitable[list[Any]]) -> None:
        self._answers = answers

    async def wait_for_connection(self) -> None:
        """It is there."""

    def cancel(self) -> None:
        """End it."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        for answer in await self._answers:
            yield answer


class _Streamed(grpc.aio.UnaryStreamMultiCallable):  # type: ignore[misc]  # grpc has no types here
    def __init__(self, call: Callable[[Any], Awaitable[list[Any]]]) -> None:
        self._call = call

    def __call__(self, request: Any, **_: Any) -> Any:
        return _Answers(self._call(request))


class _Duplex(grpc.aio.StreamStreamMultiCallable):  # type: ignore[misc]  # grpc has no types here
    def __init__(self, open_: Callable[[], Any]) -> None:
        self._open = open_

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self._open()


class _Listening:
    """A Listen call: the requests go to the engine's own handler, its answers come back."""

    def __init__(self, wire: Wire, method: Any, decode: Callable[[bytes], Any]) -> None:
        self._requests: asyncio.Queue[Any] = asyncio.Queue()
        self._wire, self._method, self._decode = wire, method, decode

    async def write(self, request: Any) -> None:
        """Send a request."""
        self._requests.put_nowait(self._method.request_deserializer(request.SerializeToString()))

    async def _asked(self) -> AsyncIterator[Any]:
        while True:
            yield await self._requests.get()

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for answer in self._method.stream_stream(self._asked(), Context()):
            await self._wire.exchange(_nothing)
            yield self._decode(answer)

    def cancel(self) -> None:
        """End it."""


async def _nothing() -> None:
    return None


class Context:
    """What the engine's handlers use of a call."""

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        """End the call with a status."""
        raise Refusal(code, details)


class EngineChannel(grpc.aio.Channel):  # type: ignore[misc]  # grpc has no types here
    """A channel to handlers that run in this process."""

    def __init__(self, wire: Wire, handler: Any) -> None:
        self._wire = wire
        self._handler = handler
        self._unary_unary_interceptors: list[Any] = []

    def _method(self, path: str) -> Any:
        return self._handler.service(_Path(path))

    def unary_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        *_: Any,
        **__: Any,
    ) -> Any:
        """A call with one answer."""
        handler = self._method(method)

        async def call(request: Any) -> Any:
            message = handler.request_deserializer(_bytes(request, request_serializer))
            answer = await self._wire.exchange(lambda: handler.unary_unary(message, Context()))
            return response_deserializer(answer) if response_deserializer else answer

        return _Unary(call)

    def unary_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        *_: Any,
        **__: Any,
    ) -> Any:
        """A call with many answers."""
        handler = self._method(method)

        async def call(request: Any) -> list[Any]:
            message = handler.request_deserializer(_bytes(request, request_serializer))

            async def there() -> list[bytes]:
                return [answer async for answer in handler.unary_stream(message, Context())]

            return [response_deserializer(answer) for answer in await self._wire.exchange(there)]

        return _Streamed(call)

    def stream_stream(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        *_: Any,
        **__: Any,
    ) -> Any:
        """A call with both."""
        handler = self._method(method)
        return _Duplex(lambda: _Listening(self._wire, handler, response_deserializer))

    def stream_unary(self, *_: Any, **__: Any) -> Any:
        """Nobody asks for one."""
        raise NotImplementedError

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def close(self, grace: float | None = None) -> None:
        """Nothing is open."""

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """It is there."""
        return grpc.ChannelConnectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """It never changes."""

    async def channel_ready(self) -> None:
        """It is there."""


class _Path:
    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()


def _bytes(request: Any, serializer: Any) -> bytes:
    serialized: bytes = serializer(request) if serializer else request
    return serialized
