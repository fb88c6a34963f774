"""A library of Python beside the test: commands come as lines of JSON, and what is seen goes out as such."""

import asyncio
import json
import sys

# How much faster the clock of clients is than the test's: see fast-clock.ts.
SPEED = 20

_sleep = asyncio.sleep


async def hasty_sleep(seconds, *rest):
    await _sleep(seconds / SPEED if seconds > 0.2 else seconds, *rest)


asyncio.sleep = hasty_sleep


def tell(key, sight):
    print(json.dumps({"key": key, **sight}), flush=True)


def sight_of(result):
    data = result.get("data")
    if data:
        return {"saw": "order", "id": next(iter(data.values()))["id"]}
    if result.get("errors"):
        extensions = result["errors"][0].get("extensions") or {}
        return {"saw": "errors", "code": extensions.get("code", "none")}
    return {"saw": "empty"}


async def watch(key, subscribe, request):
    """subscribe(url, query, variables) gives results until the library regards the subscription as over."""
    try:
        async for result in subscribe(request["url"], request["query"], request["variables"]):
            tell(key, sight_of(result) if result is not None else {"saw": "empty"})
        tell(key, {"saw": "end"})
    except asyncio.CancelledError:
        raise
    except Exception as error:
        sight = {"saw": "error", "message": f"{type(error).__name__}: {error}"}
        errors = getattr(error, "errors", None)
        code = errors[0].get("extensions", {}).get("code") if errors else None
        tell(key, sight | ({"code": code} if code else {}))


async def run(subscribe):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = {}
    tell(-1, {})
    while line := await reader.readline():
        command = json.loads(line)
        key = command.get("key")
        if command["do"] in ("subscribe", "flash"):
            tasks[key] = asyncio.create_task(watch(key, subscribe, command))
        if command["do"] in ("unsubscribe", "flash") and key in tasks:
            tasks.pop(key).cancel()


def main(subscribe):
    asyncio.run(run(subscribe))
