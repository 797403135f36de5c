"""What the Modbus parties of the tests share: the checksum of RTU, connections and their bytes, a device of registers."""
import socket
import struct


def crc(data):
    """As it is sent: the low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return bytes([value & 0xFF, value >> 8])


def receive(peer, size):
    data = b""
    while len(data) < size:
        part = peer.recv(size - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def connections(port):
    """Those who come, for ever. Says "ready" on standard output first."""
    listener = socket.create_server(("127.0.0.1", int(port)))
    print("ready", flush=True)
    while True:
        yield listener.accept()[0]


def question(peer):
    """The next one's transaction, unit, function, and the two numbers behind it."""
    transaction, _, size, unit = struct.unpack(">HHHB", receive(peer, 7))
    return (transaction, unit, *struct.unpack(">BHH", receive(peer, size - 1)[:5].ljust(5, b"\0")))


def tcp_frame(transaction, unit, pdu):
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def numbers(function, address, count):
    """What a device answers whose registers hold their own numbers."""
    if function in (3, 4) and 0 < count <= 125:
        return struct.pack(">BB%dH" % count, function, 2 * count, *(place % 65536 for place in range(address, address + count)))
    return bytes([function | 0x80, 1])
