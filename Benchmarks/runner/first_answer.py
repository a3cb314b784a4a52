# SPDX-License-Identifier: Apache-2.0
"""One call of bench.Echo/Echo, spelled out byte by byte: no client's own start is in the time that it takes."""

import socket
import struct

DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload) << 8 | kind) + struct.pack(">BI", flags, stream) + payload


def _field(name: bytes, value: bytes) -> bytes:
    # RFC 7541, section 6.2.2: a literal that is not indexed, with a new name.
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _request() -> bytes:
    fields = [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/bench.Echo/Echo"), (b":authority", b"localhost"),
        (b"te", b"trailers"), (b"content-type", b"application/grpc"),
    ]  # fmt: skip
    block = b"".join(_field(name, value) for name, value in fields)
    message = bytes([0x18, 7])  # id = 7
    body = b"\0" + struct.pack(">I", len(message)) + message
    return _frame(HEADERS, END_HEADERS, 1, block) + _frame(DATA, END_STREAM, 1, body)


def first_answer(port: int) -> None:
    """Returns when the server has answered with a message."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(SETTINGS, 0, 0) + _request())
        stream = connection.makefile("rb")
        while True:
            header = stream.read(9)
            if len(header) < 9:
                raise ConnectionError("the server closed the connection")
            payload = stream.read(int.from_bytes(header[:3], "big"))
            if header[3] == SETTINGS and not header[4] & ACK:
                connection.sendall(_frame(SETTINGS, ACK, 0))
            if header[3] == DATA and payload:
                return
