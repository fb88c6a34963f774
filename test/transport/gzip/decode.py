"""Prints an event stream as soon as it is decoded, by zlib: python3 decode.py URL"""

import http.client
import ssl
import sys
import urllib.parse
import zlib

url = urllib.parse.urlsplit(sys.argv[1])
if url.scheme == "https":
    unverified = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(url.hostname, url.port, context=unverified)
else:
    connection = http.client.HTTPConnection(url.hostname, url.port)
headers = {"accept": "text/event-stream", "accept-encoding": "gzip"}
connection.request("GET", f"{url.path}?{url.query}", headers=headers)
response = connection.getresponse()
assert response.getheader("content-encoding") == "gzip"
gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
while data := response.read1():
    sys.stdout.buffer.write(gunzip.decompress(data))
    sys.stdout.flush()
print("whole" if gunzip.eof else "cut")
