"""The bytes of an answer as they come, with an end when the reader has had enough."""

import contextlib
from collections.abc import AsyncGenerator

import httpx


async def raw(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Close it (`aclosing`) to leave the answer, whole or not."""
    source = response.aiter_raw()
    try:
        async for chunk in source:
            yield chunk
    finally:
        # httpx's generators lie in each other and do not close what is within: read on from the closed connection,
        # which ends all of them now, not when the collector finds them.
        await response.aclose()
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
            async for _ in source:
                pass
