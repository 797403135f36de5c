"""What the Modbus parties of the tests share: the checksum of RTU, and bytes of a connection."""


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
