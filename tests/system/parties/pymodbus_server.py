#!/usr/bin/python3
"""
A Modbus server by pymodbus, with units 1 to N: WHERE UNITS TRUTH-FILE [NAME [FRAMES [SAID]]]. WHERE is a TCP port, or the
link to be made to a pty; FRAMES are socket (Modbus TCP), rtu or ascii. Registers 0 and 1 hold a counter that rises with
each read of register 0, which is written to the truth file as that of device NAME and unit ("meter1"); the others hold
100 times the unit plus their number. What is written to it is told on standard output, behind "ready". It identifies itself
(function 43/14). SAID is a JSON object: "serial" is what registers 40 and 41 hold, the rest replaces what it says of itself.
"""
import asyncio
import json
import os
import select
import sys
import threading
import time
import tty

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

from pymodbus_here import framer, reuse

REGISTERS = 60
IDENTITY = {"VendorName": "Eastron", "ProductCode": "SDM120", "MajorMinorRevision": "1.07"}


def cable(link):
    """Two ptys with a wire between them: one is for the link, the path of the other is returned."""
    ends = [os.openpty() for _ in range(2)]
    for end in ends:
        for fd in end:
            tty.setraw(fd)
    masters = [end[0] for end in ends]

    def carry():
        while True:
            for fd in select.select(masters, [], [])[0]:
                os.write(masters[1 - masters.index(fd)], os.read(fd, 4096))

    threading.Thread(target=carry, daemon=True).start()
    os.symlink(os.ttyname(ends[0][1]), link)
    return os.ttyname(ends[1][1])


class Counting(ModbusSequentialDataBlock):
    """The context adds one to each address on the wire, so that the block begins at 1."""

    def __init__(self, name, unit, truth, serial):
        super().__init__(1, [0, 0] + [100 * unit + number for number in range(2, REGISTERS)])
        if serial is not None:
            self.values[40:42] = [serial >> 16, serial & 0xFFFF]
        self.name = "%s%d" % (name, unit)
        self.truth = truth
        self.counter = 0

    def getValues(self, address, count=1):
        if address == 1:
            self.counter += 1
            self.values[0:2] = [self.counter >> 16, self.counter & 0xFFFF]
            self.truth.write(json.dumps({"d": self.name, "p": "counter", "v": self.counter,
                                         "t": int(time.time() * 1000)}) + "\n")
        return super().getValues(address, count)

    def setValues(self, address, values):
        values = values if isinstance(values, list) else [values]
        print(json.dumps({"d": self.name, "reg": address - 1, "values": [int(value) for value in values]}), flush=True)
        return super().setValues(address, values)


async def serve(where, units, truth, name="meter", frames="socket", said="{}"):
    slaves, said = {}, json.loads(said)
    serial = said.pop("serial", None)
    for unit in range(1, int(units) + 1):
        block = Counting(name, unit, open(truth, "a", buffering=1), serial)
        slaves[unit] = ModbusSlaveContext(di=block, co=block, hr=block, ir=block)
    context = ModbusServerContext(slaves=slaves, single=False)
    port = None if where.isdigit() else cable(where)
    print("ready", flush=True)
    common = {"context": context, "framer": framer(frames),
              "identity": ModbusDeviceIdentification(info_name=said or IDENTITY)}
    if port:
        await StartAsyncSerialServer(port=port, baudrate=115200, **common)
    else:
        await StartAsyncTcpServer(address=("127.0.0.1", int(where)), **reuse(), **common)


asyncio.run(serve(*sys.argv[1:]))
