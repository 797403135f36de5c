#!/usr/bin/python3
"""Visitors of a page who hold their connections open: slow_visitors.py PORT COUNT PATH

A quarter each never finishes the TLS handshake, dribbles headers, dribbles a body, and asks for PATH over and over
without reading the answers. Who is thrown out comes again after about two seconds. Prints a line when all have come, and ends with
how often they were thrown out.
"""
import asyncio
import contextlib
import random
import signal
import ssl
import sys

DRIBBLE_S = 1
PAUSE_S = 2
PORT, COUNT, PATH = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
came, thrown_out = 0, 0

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


def client_hello():
    out = ssl.MemoryBIO()
    talk = CONTEXT.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return out.read()


async def dribble(writer, pieces):
    while True:
        writer.write(next(pieces))
        await writer.drain()
        await asyncio.sleep(DRIBBLE_S)


def repeat(piece):
    while True:
        yield piece


async def greeting():
    hello = client_hello()
    _, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(hello[:20])
    return writer, iter([hello[at:at + 1] for at in range(20, len(hello) - 1)])


async def over_tls(first):
    _, writer = await asyncio.open_connection("127.0.0.1", PORT, ssl=CONTEXT, server_hostname="localhost")
    writer.write(first)
    return writer


async def headers():
    return await over_tls(b"GET / HTTP/1.1\r\nHost: localhost\r\n"), repeat(b"X-Slow: yes\r\n")


async def body():
    first = (b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             b"Content-Length: 100000\r\n\r\n{")
    return await over_tls(first), repeat(b" ")


async def unread():
    ask = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % PATH.encode()
    writer = await over_tls(ask * 50)
    writer.transport.pause_reading()
    return writer, repeat(b"")


async def visit(kind):
    global came, thrown_out
    first = True
    while True:
        writer = None
        try:
            writer, pieces = await kind()
            came += first
            first = False
            if came == COUNT:
                print("all have come", flush=True)
                came += 1
            await dribble(writer, pieces)
        except (OSError, EOFError, StopIteration, RuntimeError):
            thrown_out += 1
        finally:
            if writer:
                writer.transport.abort()
        await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_S)


async def attack():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    kinds = (greeting, headers, body, unread)
    visits = [asyncio.ensure_future(visit(kinds[i % len(kinds)])) for i in range(COUNT)]
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    for one in visits:
        one.cancel()
    print("thrown out %d times" % thrown_out, flush=True)


asyncio.run(attack())
