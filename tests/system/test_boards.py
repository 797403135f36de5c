#!/usr/bin/python3
"""The board that the gateway runs on: its ports by the labels on the housing, its description and its drawing."""
import glob
import json
import os
import subprocess

from harness import Gateway, RtuLine, check, main, wait_for
from harness.api import Api
from harness.gateway import EXIT_CONFIG, EXIT_OK
from harness.site import program

BOARDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../boards")


def on(folder):
    """What makes a program take that folder for the description of its board."""
    return ("env", "SLUICE_BOARD=" + folder)


def sluice(folder, *arguments):
    return subprocess.run([*on(folder), program("sluice"), *arguments], capture_output=True, text=True)


def gateways():
    """Folder and description of each board that runs the gateway."""
    for path in sorted(glob.glob(os.path.join(BOARDS, "*/board.json"))):
        with open(path) as file:
            board = json.load(file)
        if board["kind"] == "gateway":
            yield os.path.dirname(path), board


def configuration(site, port):
    path = site.path("one.json")
    with open(path, "w") as file:
        json.dump({"version": 1, "gateway": {"id": "plant7"}, "buses": [{"id": "hall", "driver": "modbus-rtu", "port": port}],
                   "devices": [{"id": "meter", "bus": "hall", "unit": 1, "numbering": "0-based",
                                "points": [{"id": "power", "reg": 1, "type": "u16"}]}]}, file)
    return path


def every_label_of_every_board_is_taken_and_no_other(site):
    count = 0
    for folder, board in gateways():
        for port in board["serial"]:
            answer = sluice(folder, "check", configuration(site, "board:" + port["label"]))
            check(answer.returncode == EXIT_OK, board["id"], port["label"], answer.stdout, answer.stderr)
            count += 1
        answer = sluice(folder, "check", configuration(site, "board:RS485-9"))
        check(answer.returncode == EXIT_CONFIG, board["id"], answer.stdout)
        check(board["serial"][0]["label"] in answer.stdout + answer.stderr, "what it has", answer.stdout, answer.stderr)
        listed = sluice(folder, "ports").stdout
        for port in board["serial"]:
            check("board:" + port["label"] in listed and port["terminals"] in listed, "ports", port["label"], listed)
    check(count > 10, "labels", count)
    return "%d labels" % count


def a_device_behind_a_label_is_read(site):
    line = RtuLine(site, "line", ["1:meter"])
    bus = line.bus()
    folder = site.path("toy")
    os.makedirs(folder)
    with open(os.path.join(folder, "board.json"), "w") as file:
        json.dump({"id": "toy", "name": "Toy Board", "serial": [{
            "label": "RS485-1", "port": bus["port"], "use": "field", "driver_enable": "hardware", "terminals": "A and B"}]}, file)
    bus["port"] = "board:rs485-1"
    gateway = Gateway(site, [bus], [line.device("meter", 1)], []).start(before=on(folder))
    wait_for(lambda: gateway.device("meter")["up"], 20, "the device answers")
    site.wait_values(5)
    check("port board:rs485-1 is " in open(site.path("sluiced.log")).read(), "the log says which port it is")


def the_description_and_the_drawing_are_served(site):
    folder, board = next((folder, board) for folder, board in gateways() if board["id"] == "orangepi-zero")
    gateway = Gateway(site, [], [], []).start(before=on(folder))
    api = Api(gateway)
    check(api.get("/api/v1/board") == {"board": board}, "the description", api.get("/api/v1/board"))
    drawing = api.ask("GET", "/api/v1/board/drawing")
    with open(os.path.join(folder, "wiring.svg")) as file:
        check(drawing.status == 200 and drawing.text == file.read(), "the drawing", drawing.status, drawing.text[:200])
    check(drawing.headers["Content-Type"] == "image/svg+xml", "its type", dict(drawing.headers))
    check("sandbox" in drawing.headers["Content-Security-Policy"], "it may do nothing", dict(drawing.headers))
    gateway.stop()


def without_a_description_there_is_none_and_a_damaged_one_is_told(site):
    folder = site.path("damaged")
    gateway = Gateway(site, [], [], []).start(before=on(folder))
    api = Api(gateway)
    check(api.get("/api/v1/board") == {"board": None}, "no board", api.get("/api/v1/board"))
    check(api.ask("GET", "/api/v1/board/drawing").status == 404, "no drawing")
    os.makedirs(folder)
    with open(os.path.join(folder, "board.json"), "w") as file:
        file.write('{"id":')
    answer = api.ask("GET", "/api/v1/board")
    check(answer.status == 500 and folder in answer.text and "install it anew" in answer.text, "damaged", answer.status, answer.text)
    gateway.stop()


main(every_label_of_every_board_is_taken_and_no_other, a_device_behind_a_label_is_read,
     the_description_and_the_drawing_are_served, without_a_description_there_is_none_and_a_damaged_one_is_told)
