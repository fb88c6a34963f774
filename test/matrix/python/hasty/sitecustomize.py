"""On the PYTHONPATH: a clock as fast as that of the clients of the table (SPEED in fast-clock.ts)."""

import asyncio

_sleep = asyncio.sleep


async def hasty_sleep(seconds, *rest):
    await _sleep(seconds / 20 if seconds > 0.2 else seconds, *rest)


asyncio.sleep = hasty_sleep
