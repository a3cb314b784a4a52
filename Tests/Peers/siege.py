# SPDX-License-Identifier: Apache-2.0
"""Measures a good client's latency while another one attacks: siege.py [--tls] <port> <server's pid> [attack ...].

The server is `apus-bench-server` (any that serves /bench.Echo/Echo will do; `--path` names another unary method that
takes an empty message). With `--tls` both clients speak TLS, and the attacks on handshakes are played, too. For each
attack: a quiet phase, then the attack at full speed, then a rest. An attack comes from one connection, made anew when
the server closes it; those on handshakes and the slow ones come from as many as their name's line below says. Prints
the good client's p50 and p99 in both phases, its errors, the server's CPU, and its memory before, at its peak and
after. Not a part of the timed tests: the figures mean something on a quiet machine alone.
"""

import argparse
import functools
import multiprocessing
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 1, 4, 8, 1
STREAMS = 20_000
HELD = 500


class Target:
    """How the server is reached, the same in all processes."""
    port = 0
    tls = None
    path = "/bench.Echo/Echo"

    @classmethod
    def connect(cls):
        peer = socket.create_connection(("127.0.0.1", cls.port), timeout=10)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = cls.tls.wrap_socket(peer, server_hostname="localhost") if cls.tls else peer
        peer.settimeout(None)
        return peer


def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    value = value.encode() if isinstance(value, str) else value
    assert len(value) < 127
    return bytes([len(value)]) + value


def literal(name, value):
    return b"\0" + text(name) + text(value)


@functools.cache
def head(path=None):
    path = path or Target.path
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "siege"), ("te", "trailers"),
              ("content-type", "application/grpc")]
    return b"".join(literal(name, value) for name, value in fields)


EMPTY = b"\0\0\0\0\0"
UNLIMITED = frame(SETTINGS, payload=struct.pack(">HI", 4, 0x7fffffff)) + frame(
    WINDOW_UPDATE, payload=struct.pack(">I", 0x7fffffff - 65535))


def request(stream, body=EMPTY, block=None):
    block = block or head()
    return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body)


def each_stream(make):
    return b"".join(make(number * 2 + 1) for number in range(STREAMS))


# What one connection sends, over and over or (with streams of its own) once, behind preface and SETTINGS.
def attacks():
    block = head()
    opened = frame(HEADERS, END_HEADERS, 1, block)
    bomb = block + b"\x40" + text("x-bomb") + b"\x7f\xa1\x1e" + b"b" * 4000 + b"\xbe" * 12_000
    chunks = b"".join(
        frame(HEADERS if index == 0 else CONTINUATION, END_HEADERS if index == 1 else 0, 1, bomb[offset:offset + 16_000])
        for index, offset in enumerate(range(0, len(bomb), 16_000)))
    tiny = block + b"\0\1a\0" * 3_500
    return {
        "rapid_reset": (each_stream(lambda s: request(s) + frame(RST, 0, s, struct.pack(">I", 8))), False),
        "window_overflow": (each_stream(
            lambda s: frame(HEADERS, END_HEADERS, s, block) + frame(WINDOW_UPDATE, 0, s, b"\x7f\xff\xff\xff")), False),
        "pseudo_trailers": (each_stream(lambda s: frame(HEADERS, END_HEADERS, s, block) + frame(
            HEADERS, END_HEADERS | END_STREAM, s, literal(":path", "/x"))), False),
        "open_trailers": (each_stream(lambda s: frame(HEADERS, END_HEADERS, s, block) + frame(
            HEADERS, END_HEADERS, s, literal("x", "y"))), False),
        "content_length": (each_stream(lambda s: request(s, block=block + literal("content-length", "1"))), False),
        "continuation": (frame(HEADERS, 0, 1, block) + frame(CONTINUATION, 0, 1, literal("x", "y")) * 10_000, False),
        "hpack_bomb": (chunks, False),
        "tiny_headers": (each_stream(lambda s: frame(HEADERS, END_HEADERS, s, tiny))[:40_000_000], False),
        "empty_names": (each_stream(lambda s: frame(HEADERS, END_HEADERS, s, block + b"\0\0\1x")), False),
        "settings": (frame(SETTINGS) * 10_000, True),
        "settings_ack": (frame(SETTINGS, ACK) * 10_000, True),
        "ping": (frame(PING, payload=b"12345678") * 10_000, True),
        "empty_data": (opened + frame(DATA, 0, 1) * 10_000, False),
        "window_update": (frame(WINDOW_UPDATE, payload=b"\0\0\0\1") * 10_000, True),
        "priority": (each_stream(lambda s: frame(PRIORITY, 0, s, b"\0\0\0\0\1")), True),
        "unknown_frames": (frame(0x42, payload=b"x" * 100) * 1_000, True),
        "padding": (opened + frame(DATA, PADDED, 1, b"\xff" + b"\0" * 255) * 10_000, False),
        "refused_streams": (each_stream(lambda s: frame(HEADERS, END_HEADERS, s, block)), False),
        "unknown_method": (each_stream(lambda s: request(s, block=head("/no.Such/Method"))), False),
        "calls": (each_stream(request), False),
        "stalled_reader": (UNLIMITED + each_stream(lambda s: request(
            s, b"\0\0\0\0\x08\x08\xa0\x8d\x06\x10\x80\x80\x04", head("/bench.Echo/Download")))[:100_000], None),
        "connections": (b"", False),
        "garbage": (os.urandom(100_000), False),
    }


# What many connections send that stay open: at once, and then a byte a second. In TLS mode inside of TLS, but for
# the last two, which are about handshakes.
def slow_attacks():
    start = PREFACE + frame(SETTINGS)
    block = head() + literal("x", "y" * 100) * 100
    held = {
        "slow_preface": (PREFACE[:1], PREFACE[1:]),
        "slow_headers": (start + frame(HEADERS, END_HEADERS, 1, block)[:9], block),
        "slow_frame_head": (start, frame(HEADERS, 0, 1, head())),
        "slow_body": (start + frame(HEADERS, END_HEADERS, 1, head()) + frame(DATA, 0, 1, bytes(16_000))[:9],
                      b"\0\0\0\x3e\x7b" + bytes(15_000)),
        "slow_message": (start + frame(HEADERS, END_HEADERS, 1, head()) + frame(DATA, 0, 1, b"\0\0\0\x3e\x7b"),
                         frame(DATA, 0, 1, b"\0") * 1_000),
    }
    if Target.tls:
        hello = client_hello()
        held |= {"tls_half_open": (hello, b""), "tls_slow_hello": (hello[:1], hello[1:])}
    return held


def client_hello():
    outgoing = ssl.MemoryBIO()
    client = trusting().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


# One handshake after the other: the first part of it alone, or all of it.
HANDSHAKES = {"tls_hello_flood": False, "tls_handshake_flood": True}


def names():
    return list(attacks()) + list(slow_attacks()) + (list(HANDSHAKES) if Target.tls else [])


def handshakes(until, whole):
    connections = failures = 0
    hello = client_hello()
    while time.monotonic() < until:
        try:
            connections += 1
            if whole:
                Target.connect().close()
                continue
            with socket.create_connection(("127.0.0.1", Target.port)) as peer:
                peer.sendall(hello)
        except OSError:
            failures += 1
    return connections, connections * len(hello), f", {failures} failed"


def hold(until, name):
    """Keeps HELD connections that send a byte a second, and makes those anew that the server closes."""
    first, rest = slow_attacks()[name]
    peers, connections, sent = {}, 0, 0
    while time.monotonic() < until:
        began = time.monotonic()
        while len(peers) < HELD and time.monotonic() < min(until, began + 1):
            try:
                peer = socket.create_connection(("127.0.0.1", Target.port)) if name.startswith("tls") else (
                    Target.connect())
                peer.sendall(first)
                peer.setblocking(False)
                peers[peer] = 0
                connections += 1
            except OSError:
                pass
        for peer, offset in list(peers.items()):
            try:
                while peer.recv(1 << 16):
                    pass
                raise OSError("closed")
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except OSError:
                peer.close()
                del peers[peer]
                continue
            try:
                peers[peer] += peer.send(rest[offset:offset + 1])
                sent += 1
            except OSError:
                pass
        time.sleep(max(0, min(until, began + 1) - time.monotonic()))
    return connections, sent, f", {len(peers)} still open"


def attack(name, until):
    """Runs in a process of its own, and tells at the end how many connections and bytes it took."""
    if name in HANDSHAKES:
        connections, sent, more = handshakes(until, HANDSHAKES[name])
    elif name in slow_attacks():
        connections, sent, more = hold(until, name)
    else:
        connections, sent, more = flood(until, name)
    print(f"{name}: {connections} connections, {sent} bytes{more}", file=sys.stderr)


def flood(until, name):
    content, repeats = attacks()[name]
    connections = sent = 0
    while time.monotonic() < until:
        try:
            peer = Target.connect()
            connections += 1
            peer.sendall(PREFACE + frame(SETTINGS))
            peer.setblocking(False)
            while time.monotonic() < until:
                sent += push(peer, content, until, reads=repeats is not None)
                if not content or repeats is not True:
                    break
            if content:
                drain(peer, until if repeats is None else time.monotonic() + 1, reads=repeats is not None)
            peer.close()
        except OSError:
            pass
    return connections, sent, ""


def push(peer, content, until, reads):
    view = memoryview(content)
    while view and time.monotonic() < until:
        readable, writable, _ = select.select([peer] if reads else [], [peer], [], 0.5)
        if readable:
            take_all(peer)
        if writable:
            try:
                view = view[peer.send(view[:1 << 18]):]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
    return len(content) - len(view)


def take_all(peer):
    try:
        while peer.recv(1 << 16):
            pass
    except (BlockingIOError, ssl.SSLWantReadError):
        return
    raise OSError("closed")


def drain(peer, until, reads):
    while time.monotonic() < until:
        readable, _, _ = select.select([peer], [], [], 0.1)
        if readable and reads:
            take_all(peer)
        if not reads:
            time.sleep(0.1)


class GoodClient(threading.Thread):
    """One call at a time; its latencies and errors."""

    def __init__(self):
        super().__init__()
        self.latencies = []
        self.errors = []
        self.stopped = False

    def run(self):
        self.connect()
        while not self.stopped:
            begin = time.perf_counter()
            try:
                self.call()
                self.latencies.append(time.perf_counter() - begin)
            except (OSError, AssertionError) as error:
                self.errors.append(repr(error))
                self.connect()
            time.sleep(0.001)
        self.socket.close()

    def connect(self):
        self.socket = Target.connect()
        self.socket.sendall(PREFACE + UNLIMITED)
        self.buffer = b""
        self.stream = -1

    def call(self):
        self.stream += 2
        self.socket.sendall(request(self.stream))
        while True:
            kind, flags, stream, payload = self.next()
            if kind == SETTINGS and not flags & ACK:
                self.socket.sendall(frame(SETTINGS, ACK))
            elif kind == PING and not flags & ACK:
                self.socket.sendall(frame(PING, ACK, 0, payload))
            assert kind not in (RST, GOAWAY), f"frame {kind}"
            if stream == self.stream and kind in (HEADERS, DATA) and flags & END_STREAM:
                return

    def next(self):
        header = self.take(9)
        size = int.from_bytes(header[:3], "big")
        return header[3], header[4], int.from_bytes(header[5:9], "big") & 0x7fffffff, self.take(size)

    def take(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(1 << 16)
            if not more:
                raise OSError("closed")
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024


def cpu(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def phase(pid, seconds):
    client = GoodClient()
    client.start()
    peak, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        peak = max(peak, memory(pid))
        time.sleep(0.05)
    client.stopped = True
    client.join()
    ordered = sorted(client.latencies)
    at = lambda share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6 if ordered else float("nan")
    return at(0.5), at(0.99), client.errors, peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--path", default=Target.path)
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("attacks", nargs="*")
    options = parser.parse_args()
    Target.port, Target.path, Target.tls = options.port, options.path, trusting() if options.tls else None
    pid = options.pid
    chosen = options.attacks or names()
    seconds = float(os.environ.get("SIEGE_SECONDS", "10"))
    phase(pid, 2)
    print("attack             quiet p50/p99 µs   attacked p50/p99 µs  p99 ×  errors  RSS MiB before/peak/after  "
          "CPU s")
    failed = False
    for name in chosen:
        quiet = phase(pid, seconds / 2)
        before, used = memory(pid), cpu(pid)
        context = multiprocessing.get_context("fork")
        attacker = context.Process(target=attack, args=(name, time.monotonic() + seconds))
        attacker.start()
        attacked = phase(pid, seconds)
        attacker.join()
        used = cpu(pid) - used
        time.sleep(3)
        after = memory(pid)
        ratio = attacked[1] / quiet[1]
        wrong = bool(attacked[2] or quiet[2]) or ratio >= 4 or attacked[3] - before >= 64
        failed = failed or wrong
        print(f"{name:18} {quiet[0]:8.0f} {quiet[1]:8.0f}   {attacked[0]:8.0f} {attacked[1]:8.0f}   {ratio:6.1f} "
              f"{len(attacked[2]) + len(quiet[2]):6} {before:8.1f} {attacked[3]:8.1f} {after:8.1f}   {used:6.1f}"
              f"{'   FAILED ' + ' '.join(attacked[2][:1]) if wrong else ''}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
