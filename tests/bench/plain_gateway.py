"""
The gateway that everyone has written once, to compare with: reads, makes JSON, publishes; no journal, no TLS, QoS 0.

  plain_gateway.py MODBUS_PORT MQTT_PORT DEVICES REGISTERS
"""
import inspect
import json
import sys
import time

import paho.mqtt.client as mqtt
from pymodbus.client import ModbusTcpClient

modbus_port, mqtt_port, devices, registers = map(int, sys.argv[1:5])
newer = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
broker = mqtt.Client(*newer)
broker.connect("127.0.0.1", mqtt_port)
broker.loop_start()

points = ["r%d" % register for register in range(registers)]
clients = [ModbusTcpClient("127.0.0.1", port=modbus_port) for _ in range(devices)]
names = inspect.signature(clients[0].read_holding_registers).parameters
unit_name = next((name for name in ("device_id", "slave", "unit") if name in names), "slave")
for client in clients:
    client.connect()
while True:
    for unit, client in enumerate(clients, 1):
        reply = client.read_holding_registers(0, count=registers, **{unit_name: unit})
        message = {"device": unit, "t": int(time.time() * 1000), "values": dict(zip(points, reply.registers))}
        broker.publish("plain/device%d" % unit, json.dumps(message))
