"""Reads an event stream from stdin as readers of lines do, and prints each result as JSON in ASCII: its own lines only."""

import json
import sys

text = sys.stdin.buffer.read().decode("utf-8")
lines = text.splitlines()
# Only what the format says ends a line.
assert lines == text.removesuffix("\n").split("\n"), "str.splitlines finds other lines"
for line in lines:
    if line.startswith("data: "):
        print(json.dumps(json.loads(line.removeprefix("data: "))))
