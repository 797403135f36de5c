#!/usr/bin/python3
"""
A Modbus TCP server by pymodbus, with units 1 to N: PORT UNITS TRUTH-FILE. Registers 0 and 1 hold a counter that rises
with each read of register 0, which is written to the truth file; the others hold 100 times the unit plus their number.
It identifies itself (function 43/14). Says "ready" on standard output.
"""
import asyncio
import json
import sys
import time

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartAsyncTcpServer

REGISTERS = 60
IDENTITY = {"VendorName": "Eastron", "ProductCode": "SDM120", "MajorMinorRevision": "1.07"}


class Counting(ModbusSequentialDataBlock):
    """The context adds one to each address on the wire, so that the block begins at 1."""

    def __init__(self, unit, truth):
        super().__init__(1, [0, 0] + [100 * unit + number for number in range(2, REGISTERS)])
        self.unit = unit
        self.truth = truth
        self.counter = 0

    def getValues(self, address, count=1):
        if address == 1:
            self.counter += 1
            self.values[0:2] = [self.counter >> 16, self.counter & 0xFFFF]
            self.truth.write(json.dumps({"d": "meter%d" % self.unit, "p": "counter", "v": self.counter,
                                         "t": int(time.time() * 1000)}) + "\n")
        return super().getValues(address, count)


async def serve(port, units, truth):
    slaves = {}
    for unit in range(1, units + 1):
        block = Counting(unit, truth)
        slaves[unit] = ModbusSlaveContext(di=block, co=block, hr=block, ir=block)
    print("ready", flush=True)
    await StartAsyncTcpServer(context=ModbusServerContext(slaves=slaves, single=False), address=("127.0.0.1", port),
                              identity=ModbusDeviceIdentification(info_name=IDENTITY))


asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], "a", buffering=1)))
