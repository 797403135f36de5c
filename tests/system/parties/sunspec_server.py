#!/usr/bin/python3
"""
An inverter with SunSpec models by pymodbus: PORT. Unit 1 has the chain at register 40000: common, an inverter (103), and
the end; any other register is refused, as by devices that have these models alone. Says "ready" on standard output.
"""
import asyncio
import sys

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server import StartAsyncTcpServer
from pymodbus_here import reuse

BASE = 40000


def text(words, size):
    data = words.encode().ljust(2 * size, b"\0")
    return [data[place] << 8 | data[place + 1] for place in range(0, 2 * size, 2)]


def inverter():
    """Model 103 by its registers from the number on; what is not named has the mark of no value."""
    names = {"A": (2, 183), "A_SF": (6, -1), "PhVphA": (10, 2301), "V_SF": (13, -1), "W": (14, 4217), "W_SF": (15, 0),
             "Hz": (16, 4998), "Hz_SF": (17, -2), "WH": (24, 0x0012), "WH low": (25, 0xD687), "WH_SF": (26, 0),
             "TmpCab": (33, 415), "Tmp_SF": (37, -1), "St": (38, 4)}
    model = [103, 50] + [0xFFFF] * 50
    for place, value in names.values():
        model[place] = value & 0xFFFF
    return model


def chain():
    common = text("Acme", 16) + text("Sun 5", 16) + text("", 8) + text("1.2", 8) + text("SN42", 16) + [1, 0x8000]
    return [0x5375, 0x6E53, 1, 66] + common + inverter() + [0xFFFF, 0]


async def serve(port):
    # The context adds one to each address on the wire.
    block = ModbusSparseDataBlock({BASE + 1 + place: value for place, value in enumerate(chain())})
    context = ModbusServerContext(slaves={1: ModbusSlaveContext(hr=block, ir=block)}, single=False)
    print("ready", flush=True)
    await StartAsyncTcpServer(context=context, address=("127.0.0.1", int(port)), **reuse())


asyncio.run(serve(*sys.argv[1:]))
