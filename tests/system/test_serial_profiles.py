#!/usr/bin/python3
"""Each profile of a serial device that is shipped, from a sensor on the line to the values in the journal."""
import functools
import json
import operator
import os
import sys

from harness import Gateway, check, main, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
PROFILES = os.path.join(HERE, "../../drivers/profiles")
os.environ["SLUICE_PROFILES"] = PROFILES  # those of this tree, whatever is installed


def nmea(body):
    return "$%s*%02X\r\n" % (body, functools.reduce(operator.xor, body.encode()))


def bcc(text):
    """A telegram from STX to ETX with its block check."""
    covered = text + "\x03"
    return "\x02" + covered + chr(functools.reduce(operator.xor, covered.encode()))


def sum8(text):
    return "%s!%02X\r\n" % (text, sum(text.encode()) % 256)


def toledo(text):
    """A frame with the checksum behind its CR: all bytes add up to 0 in seven bits."""
    frame = "\x02" + text + "\r"
    return frame + chr(-sum(frame.encode()) % 128)


def crc16_x25(data):
    crc = 0xffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return (crc ^ 0xffff).to_bytes(2, "little")


def sml_message(number, tag, body):
    """SML_Message: transaction, group, abort, tag and body, CRC, end."""
    message = b"\x76\x05" + number.to_bytes(4, "big") + b"\x62\x00\x62\x00\x72\x63" + tag.to_bytes(2, "big") + body
    return message + b"\x63" + crc16_x25(message) + b"\x00"


def sml(entries):
    """A file as a meter pushes it: open, the list of (code, unit, scaler, element of the value), close."""
    lists = b"".join(b"\x77\x07" + bytes(code) + b"\x01\x01" + (bytes((0x62, unit)) if unit else b"\x01")
                     + (b"\x52" + scaler.to_bytes(1, "big", signed=True) if unit else b"\x01") + value + b"\x01"
                     for code, unit, scaler, value in entries)
    values = (b"\x77\x01\x0b\x0a\x01EMH\x00\x00\x12\x34\x56\x01\x72\x62\x01\x65\x00\x00\x10\x00"
              + bytes((0x70 | len(entries),)) + lists + b"\x01\x01")
    content = (sml_message(1, 0x101, b"\x76\x01\x01\x05\x00\x00\x00\x01\x0b\x0a\x01EMH\x00\x00\x12\x34\x56\x01\x01")
               + sml_message(2, 0x701, values) + sml_message(3, 0x201, b"\x71\x01"))
    fill = -len(content) % 4
    escaped = content.replace(b"\x1b\x1b\x1b\x1b", b"\x1b" * 8) + bytes(fill)
    covered = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" + escaped + b"\x1b\x1b\x1b\x1b\x1a" + bytes((fill,))
    return (covered + crc16_x25(covered)).decode("latin-1")


GOOD = "good"
METER = bcc("0.0.0(00081234)\r\n1.8.0(0012345.67*kWh)\r\n1.8.1(0002345.00*kWh)\r\n2.8.0(0000007.5*kWh)\r\n"
            "16.7.0(001.250*kW)\r\n32.7.0(230.1*V)\r\n!\r\n")

# profile -> line of the bus, keys of the device, what the sensor does, and what must be read.
ROWS = {
    "nmea-0183-gnss": {
        "line": "4800 8N1", "every_ms": 300, "talk": [
            nmea("GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W"),
            nmea("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"), nmea("GPGSV,1,1,00")],
        "values": {"valid": True, "latitude": 48.1173, "longitude": 11.5166667, "speed": 11.524, "course": 84.4,
                   "fix": 1, "satellites": 8, "hdop": 0.9, "altitude": 545.4, "utc": 764426119}},
    "nmea-0183-weather": {
        "line": "4800 8N1", "every_ms": 300, "talk": [
            nmea("WIMDA,29.9870,I,1.0154,B,20.5,C,,,48.2,,9.1,C,231.0,T,228.3,M,9.7,N,5.0,M"),
            nmea("WIMWV,084.0,R,4.6,M,A"), nmea("WIMWV,120.0,T,5.0,M,A")],
        "values": {"air_pressure": 1015.4, "temperature": 20.5, "humidity": 48.2, "dew_point": 9.1,
                   "wind_direction_true": 231, "wind_speed_true": 5, "wind_direction": 84, "wind_speed": 4.6}},
    "mt-sics-scale": {
        "line": "9600 8N1", "answers": [{"to": "SI\r\n", "say": "S D     -100.25 g\r\n"}],
        "values": {"weight": (-100.25, "uncertain", "not stable"), "stable": False}},
    "toledo-continuous": {
        "line": "9600 7E1", "device": {"checksum": "sum7"}, "every_ms": 200,
        "talk": ["noise", toledo(",2   1234    10")],
        "values": {"weight": -12.34, "tare": 0.1, "net": False, "motion": False}},
    "sdi-12": {
        "device": {"address": "3"}, "answers": [
            {"to": "3M!", "baud": 1200, "say": "30012\r\n3\r\n"}, {"to": "3D0!", "baud": 1200, "say": "3+21.5-0.25\r\n"}],
        "values": {"value_1": 21.5, "value_2": -0.25}, "absent": ["value_3"]},
    "iec-62056-21": {
        "device": {"every": "2s"}, "answers": [
            {"to": "/\\?!\r\n", "baud": 300, "say": "/ISK5ME162-0033\r\n", "after_ms": 200},
            {"to": "\x06050\r\n", "baud": 300, "say": METER, "say_baud": 9600, "after_ms": 600}],
        "values": {"energy_import": 12345.67, "energy_export": 7.5, "active_power_total": 1250, "voltage_l1_n": 230.1,
                   "meter_number": "00081234"}, "absent": ["voltage_l2_n"]},
    "sml-meter": {
        "every_ms": 700, "talk": [sml([
            ((1, 0, 96, 1, 0, 255), None, 0, b"\x09EMH1A001"),
            ((1, 0, 1, 8, 0, 255), 30, -1, b"\x65\x1b\x1b\x1b\x1b"),
            ((1, 0, 2, 8, 0, 255), 30, -1, b"\x62\x4b"),
            ((1, 0, 16, 7, 0, 255), 27, -2, b"\x54\xff\x9e\x58")])],
        "values": {"energy_import": 45476.1243, "energy_export": 0.0075, "active_power_total": -250,
                   "meter_number": "EMH1A001"}, "absent": ["voltage_l1_n"]},
    "csv-line": {
        "line": "9600 8N1", "every_ms": 200, "talk": ["21.5,-3,4e2\r\n"],
        "values": {"column_0": 21.5, "column_1": -3, "column_2": 400}, "absent": ["column_3"]},
    "tuf-2000-ascii": {
        "line": "9600 8N1", "device": {"address": "4321"}, "answers": [
            {"to": "W4321PDQH\r", "say": sum8("+1.250000E+01m3/h")}, {"to": "W4321PDV\r", "say": sum8("+7.500000E-01m/s")},
            {"to": "W4321PDI\\+\r", "say": sum8("+1234567E+0m3 ")}, {"to": "W4321PDI-\r", "say": sum8("-0000007E-1m3 ")}],
        "values": {"flow_rate": 12.5, "flow_velocity": 0.75, "volume_forward": 1234567, "volume_reverse": -0.7}},
}


# What documents, or recordings of devices, show byte for byte, with the checksums that stand there.
PUBLISHED = {
    # The usual examples of descriptions of NMEA 0183.
    "nmea-0183-gnss": {
        "line": "4800 8N1", "every_ms": 300, "talk": [
            "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n",
            "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"],
        "values": {"valid": True, "latitude": 48.1173, "longitude": 11.5166667, "altitude": 545.4, "satellites": 8}},
    # MWV: Vaisala, user's guide of the WXT520. MDA: recorded, with fields that the station lacks.
    "nmea-0183-weather": {
        "line": "4800 8N1", "every_ms": 300, "talk": [
            "$WIMWV,282,R,0.1,M,A*37\r\n", "$WIMDA,29.796,I,1.009,B,31.7,C,,,,,,,82.3,T,72.3,M,7.4,N,3.8,M*23\r\n"],
        "values": {"air_pressure": 1009, "temperature": 31.7, "wind_direction_true": 82.3, "wind_speed_true": 3.8,
                   "wind_direction": 282, "wind_speed": 0.1, "humidity": (None, "bad", "not available")}},
    # Mettler Toledo, reference manual MT-SICS 11780711.
    "mt-sics-scale": {
        "line": "9600 8N1", "answers": [{"to": "SI\r\n", "say": "S S     100.00 g\r\n"}],
        "values": {"weight": 100, "stable": True}},
    # Sommer, manual of the USH-9, commands 0M! and 0D0!.
    "sdi-12": {
        "device": {"address": "0", "also": ["value_4"]}, "answers": [
            {"to": "0M!", "baud": 1200, "say": "00084\r\n0\r\n"},
            {"to": "0D0!", "baud": 1200, "say": "0+2591+706+25.53+0\r\n"}],
        "values": {"value_1": 2591, "value_2": 706, "value_3": 25.53, "value_4": 0}},
    # Recorded from an Iskraemeco MT174, its check character included.
    "iec-62056-21": {
        "device": {"every": "2s"}, "answers": [
            {"to": "/\\?!\r\n", "baud": 300, "say": "/ISk5MT174-0002\r\n", "after_ms": 200},
            {"to": "\x06050\r\n", "baud": 300, "say_baud": 9600, "after_ms": 600,
             "say": "\x021-0:0.9.2*255(0220127)\r\n1-0:0.9.1*255(105644)\r\n1-0:1.8.0*255(0000502.853*kWh)\r\n"
                    "1-0:2.8.0*255(0098697.318*kWh)\r\n!\r\n\x03\x19"}],
        "values": {"energy_import": 502.853, "energy_export": 98697.318}},
    # Recorded from an EMH eHZ, a whole file.
    "sml-meter": {
        "every_ms": 700, "talk": [bytes.fromhex(
            "1b1b1b1b01010101760700190b4cbead6200620072630101760101070019063f3f8f0b0901454d48000041f045010163662d0076070019"
            "0b4cbeae620062007263070177010b0901454d48000041f045070100620affff72620165063f2f357777078181c78203ff010101010445"
            "4d480177070100000009ff010101010b0901454d48000041f0450177070100010800ff6400018201621e52ff560009247a550177070100"
            "010801ff0101621e52ff560009247a550177070100010802ff0101621e52ff5600000000000177070100100700ff0101621b52ff550000"
            "16030177078181c78205ff0172620165063f2f3501018302e77ef33ea97bb6bba9bfa4fbd8b9f2ede51207b15acf6b98a237c21ca4982e"
            "e3ce18efe8438f1deba9d5c40eb68ae8f201010163574a00760700190b4cbeb16200620072630201710163d658000000001b1b1b1b1a03"
            "e566").decode("latin-1")],
        "values": {"energy_import": 15338.5557, "active_power_total": 563.5}, "absent": ["energy_export"]},
    # User manual of the TUF-2000F, answers to W4321PDV&PDI+. The two others are not in it: of the flow it shows m3/d.
    "tuf-2000-ascii": {
        "line": "9600 8N1", "device": {"address": "4321"}, "answers": [
            {"to": "W4321PDQH\r", "say": sum8("+0.000000E+00m3/h")}, {"to": "W4321PDI-\r", "say": sum8("+0000000E+0m3 ")},
            {"to": "W4321PDV\r", "say": "+0.000000E+00m/s!88\r\n"},
            {"to": "W4321PDI\\+\r", "say": "+1234567E+0m3 !F7\r\n"}],
        "values": {"flow_velocity": 0, "volume_forward": 1234567}},
}


def start_sensor(site, name, row):
    spec = {key: row[key] for key in ("every_ms", "talk", "answers") if key in row}
    link = site.path(name + ".tty")
    site.start("sensor-" + name, sys.executable, os.path.join(HERE, "parties/serial_sensor.py"), link,
               site.write(name + ".json", json.dumps(spec)))
    wait_for(lambda: os.path.islink(link), 10, "the sensor %s is there" % name)
    return link


def newest_of(gateway):
    """(device, point) -> its newest reading in the journal."""
    return {(event["d"], event["p"]): event for event in gateway.replay() if event["k"] == "reading"}


def is_read(event, wanted):
    value, quality, why = wanted if isinstance(wanted, tuple) else (wanted, GOOD, None)
    if event is None or event["q"] != quality or event.get("why") != why:
        return False
    if value is None or isinstance(value, (bool, str)):
        return event["v"] == value
    return event["v"] is not None and abs(event["v"] - value) < 1e-6


def missing(gateway, rows):
    newest = newest_of(gateway)
    return [(name, point, wanted, newest.get((name, point))) for name, row in rows.items()
            for point, wanted in row["values"].items() if not is_read(newest.get((name, point)), wanted)]


def read_all(site, rows):
    """Each row on a line of its own, until its values are in the journal."""
    buses, devices = [], []
    for name, row in rows.items():
        port = start_sensor(site, name, row)
        line = {"line": row["line"]} if "line" in row else {}
        buses.append({"id": "bus-" + name, "driver": "serial", "port": port, **line})
        devices.append({"id": name, "bus": "bus-" + name, "profile": name, "every": "500ms", **row.get("device", {})})
    gateway = Gateway(site, buses, devices, []).start()
    try:
        wait_for(lambda: not missing(gateway, rows), 40, "the values of all sensors")
    finally:
        left = missing(gateway, rows)
        for problem in left:
            print("not read:", problem)
    newest = newest_of(gateway)
    for name, row in rows.items():
        for point in row.get("absent", []):
            check((name, point) not in newest, "a value that the sensor never sent", newest.get((name, point)))
        check(gateway.device(name)["up"], "the device is up", gateway.device(name))
    gateway.stop()
    gateway.verify()
    return "%d profiles, %d points" % (len(rows), sum(len(row["values"]) for row in rows.values()))


def every_shipped_profile_reads_its_sensor(site):
    shipped = [name[:-5] for name in os.listdir(PROFILES) if name.endswith(".json")
               and json.load(open(os.path.join(PROFILES, name))).get("drivers") == ["serial"]]
    check(sorted(shipped) == sorted(ROWS), "profiles without a row here, or rows without a profile", sorted(shipped))
    return read_all(site, ROWS)


def what_is_published_is_read_byte_for_byte(site):
    return read_all(site, PUBLISHED)


def serves_the_other_probes_when_one_is_dead(site):
    answers = [{"to": "%sM!" % address, "say": "%s0002\r\n" % address} for address in "13"]
    answers += [{"to": "%sD0!" % address, "say": "%s+%s.5+1\r\n" % (address, address)} for address in "13"]
    port = start_sensor(site, "probes", {"answers": answers})
    devices = [{"id": "probe%s" % address, "bus": "soil", "profile": "sdi-12", "address": address, "every": "1s",
                "timeout": "200ms"} for address in "123"]
    gateway = Gateway(site, [{"id": "soil", "driver": "serial", "port": port}], devices, [])
    gateway.start()
    wait_for(lambda: not gateway.device("probe2")["up"] and gateway.device("probe2")["timeouts"] >= 5, 60,
             "the dead probe is down")
    before = {name: gateway.device(name)["replies"] for name in ("probe1", "probe3")}
    wait_for(lambda: all(gateway.device(name)["replies"] >= before[name] + 6 for name in before), 30,
             "the others are read on")
    newest = newest_of(gateway)
    check(newest["probe1", "value_1"]["v"] == 1.5 and newest["probe3", "value_1"]["v"] == 3.5, "values", str(newest))
    check(newest["probe2", "value_1"]["q"] == "bad" and newest["probe2", "value_1"]["why"] == "timeout", "the dead one",
          newest["probe2", "value_1"])
    states = [event for event in gateway.replay() if event["k"] == "state" and event.get("d") == "probe2"]
    check(states and states[-1]["v"] is False, "its state", states)
    gateway.stop()
    gateway.verify()


main(every_shipped_profile_reads_its_sensor, what_is_published_is_read_byte_for_byte, serves_the_other_probes_when_one_is_dead)
