"""httpx-sse with nothing but what a subscription needs."""

import json

import httpx
from httpx_sse import aconnect_sse
from session import main


async def subscribe(url, query, variables):
    body = {"query": query, "variables": variables}
    async with httpx.AsyncClient(timeout=None) as client:
        async with aconnect_sse(client, "POST", url, json=body) as source:
            source.response.raise_for_status()
            async for event in source.aiter_sse():
                if event.event == "complete":
                    return
                yield json.loads(event.data) if event.data else None


main(subscribe)
