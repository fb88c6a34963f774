"""The loop of docs/clients/python.md, which a test keeps the same."""

import asyncio
import json
import random

import httpx
from httpx_sse import aconnect_sse
from session import main


async def results(url, query, variables):
    cursor, retry = "", 1.0
    timeout = httpx.Timeout(10, read=40)  # more than two heartbeats
    async with httpx.AsyncClient(timeout=timeout) as client:
        while True:
            headers = {"Last-Event-ID": cursor} if cursor else {}
            body = {"query": query, "variables": variables}
            try:
                async with aconnect_sse(client, "POST", url, json=body, headers=headers) as source:
                    status = source.response.status_code
                    if 400 <= status < 500 and status not in (408, 425, 429):
                        await source.response.aread()
                        source.response.raise_for_status()  # refused: asking again does not help
                    if status == 200:
                        async for event in source.aiter_sse():
                            cursor = event.id or cursor
                            retry = event.retry / 1000 if event.retry else retry
                            if event.event == "complete":
                                return
                            if event.event == "next":
                                yield json.loads(event.data)
                    else:
                        retry = float(source.response.headers.get("Retry-After", 5))
            except httpx.TransportError:
                pass  # cut, or silent for too long
            await asyncio.sleep(retry + random.random())


main(results)
