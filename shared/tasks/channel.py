"""The connection to Cloud Tasks: Google's, or any server that speaks the protocol in plain text."""

from __future__ import annotations

import asyncio
from typing import cast

import google.auth
import grpc
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from google.protobuf.message import Message

SERVICE = "google.cloud.tasks.v2.CloudTasks"

CALL_SECONDS = 10.0
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.1

# A plaintext server is near: no proxy leads to it, and after a restart it is found again within a second
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


class TaskChannel:
    """Opened at the first call, in the event loop of that call."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint
        self._channel: grpc.aio.Channel | None = None
        self._opening = asyncio.Lock()
        self._calls: dict[str, grpc.aio.UnaryUnaryMultiCallable] = {}

    async def call(self, method: str, request: Message, routing: str) -> bytes:
        """Return the serialised answer of a method.

        A server that cannot be reached is tried again three times within a second. ``routing`` is the
        ``field=resource`` header Google uses to find the region.

        Raises:
            grpc.aio.AioRpcError: the server refused, or stayed out of reach.
        """
        call = self._calls.get(method) or await self._prepare(method)
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await call(
                    request, timeout=CALL_SECONDS, metadata=(("x-goog-request-params", routing),)
                )
                return cast(bytes, answer)
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        channel, self._channel = self._channel, None
        self._calls.clear()
        if channel is not None:
            await channel.close()

    async def _prepare(self, method: str) -> grpc.aio.UnaryUnaryMultiCallable:
        async with self._opening:
            if self._channel is None:
                self._channel = await self._open()
        # The answer stays bytes: nobody reads the task that was just sent.
        call = self._channel.unary_unary(
            f"/{SERVICE}/{method}", request_serializer=lambda message: message.SerializeToString()
        )
        self._calls[method] = call
        return call

    async def _open(self) -> grpc.aio.Channel:
        if self._endpoint is not None:
            return grpc.aio.insecure_channel(self._endpoint, options=_OPTIONS)
        # Finding the credentials may ask the metadata server, which would block the loop.
        credentials, _ = await asyncio.to_thread(
            google.auth.default, scopes=CloudTasksGrpcAsyncIOTransport.AUTH_SCOPES
        )
        host = f"{CloudTasksGrpcAsyncIOTransport.DEFAULT_HOST}:443"
        return CloudTasksGrpcAsyncIOTransport.create_channel(host, credentials=credentials)
