#!/usr/bin/python3
"""docs/openapi.json and the server say the same: every route, every role, every field of what is answered."""
import http.client
import json
import os
import re
import socket

import jsonschema

from harness import Gateway, ModbusTcp, check, main, wait_for

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/openapi.json")
# What stands for {…} in a path, and for the queries that a route requires.
NAMES = {"name": "nobody", "profile": "janitza-umg96", "job": "1", "change": "1", "d": "meter", "p": "counter"}
STREAM_LINES = 2
MODE = {"id": "mode", "reg": 10, "type": "u16", "write": {"min": 0, "max": 9}}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(gateway, method, path, body=None):
    """Returns status, content type and text; of a stream that does not end what came first."""
    connection = UnixConnection(gateway.socket)
    connection.request(method, path, body=body, headers={"Content-Type": "application/json"})
    response = connection.getresponse()
    kind = (response.getheader("Content-Type") or "").split(";")[0]
    if kind == "text/event-stream" or "/trace" in path:
        lines = [response.readline() for _ in range(STREAM_LINES)]
        response.close()
        connection.close()
        return response.status, kind, b"".join(lines).decode()
    text = response.read().decode()
    connection.close()
    return response.status, kind, text


def strict(schema):
    """The same schema, but what it does not name is wrong."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if "properties" in made and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


class Document:
    def __init__(self):
        with open(DOCUMENT) as file:
            self.json = json.load(file)
        self.components = strict(self.json["components"])

    def operations(self):
        """(method, path, operation) of each."""
        for path, methods in self.json["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def schema_of(self, operation, status, kind):
        response = operation["responses"].get(str(status))
        check(response is not None, "a status that is not documented", status)
        if "$ref" in response:
            response = self.components["responses"][response["$ref"].rsplit("/", 1)[1]]
        content = response.get("content", {})
        check(kind in content or not content and not kind, "a content type that is not documented", kind)
        return strict(content.get(kind, {}).get("schema", {}))

    def validate(self, operation, status, kind, text):
        schema = {**self.schema_of(operation, status, kind), "components": self.components}
        validator = jsonschema.Draft202012Validator(schema)
        if kind == "application/json":
            pieces = [text]
        elif kind == "application/x-ndjson":
            pieces = [line for line in text.split("\n") if line]
        else:
            pieces = []
        for piece in pieces:
            errors = sorted(validator.iter_errors(json.loads(piece)), key=lambda error: len(error.path))
            check(not errors, "not as documented", errors and errors[0].message, errors and list(errors[0].path),
                  piece[:600])


def start(site):
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, points=[MODE])], []).start()
    wait_for(lambda: gateway.device("meter")["up"], 20, "the device answers")
    site.wait_values(5)
    return gateway


def fill(path, operation):
    """The path with its names, and with the queries that have to be there."""
    path = re.sub(r"{(\w+)}", lambda match: NAMES.get(match[1], "none"), path)
    queries = {"bus": "hall", "device": "meter", "point": NAMES["p"]}
    wanted = [query["name"] for query in operation.get("parameters", [])
              if query["in"] == "query" and query.get("required")]
    return path + "".join("%s%s=%s" % ("&" if index else "?", name, queries.get(name, "x"))
                          for index, name in enumerate(wanted))


def the_document_is_sound(_site):
    document = Document()
    check(document.json["openapi"].startswith("3.1"), "version", document.json["openapi"])
    for name, schema in document.json["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        check(name[0].isupper(), "the name of a schema", name)
    for used in re.findall(r'"\$ref": "#/components/(\w+)/(\w+)"', json.dumps(document.json)):
        check(used[1] in document.json["components"][used[0]], "refers to nothing", used)
    for method, path, operation in document.operations():
        names = set(re.findall(r"{(\w+)}", path))
        declared = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        check(names == declared, "names of the path", method, path)
        check(operation.get("summary"), "no summary", method, path)


def every_route_is_documented_and_every_documented_route_is_there(site):
    gateway = Gateway(site, [], [], []).start()
    document = Document()
    status, _, text = ask(gateway, "GET", "/api/v1/routes")
    check(status == 200, "routes", status, text)
    anonymous = re.compile(r"{\w+}")
    offered = {(row["method"], anonymous.sub("{}", row["path"])): row["role"] for row in json.loads(text)["routes"]
               if row["path"].startswith("/api/") or row["path"] == "/metrics"}
    documented = {(method, anonymous.sub("{}", path)): operation["x-role"]
                  for method, path, operation in document.operations()}
    check(not set(offered) - set(documented), "not in docs/openapi.json", sorted(set(offered) - set(documented)))
    check(not set(documented) - set(offered), "not in the server", sorted(set(documented) - set(offered)))
    for route, role in offered.items():
        check(documented[route] == role, "x-role", route, documented[route], role)
    gateway.stop()
    return "%d routes" % len(offered)


def what_is_answered_has_the_documented_fields(site):
    gateway = start(site)
    document = Document()
    for method, path, operation in document.operations():
        if method == "GET":
            where = fill(path, operation)
            try:
                document.validate(operation, *ask(gateway, method, where))
            except Exception as error:
                raise type(error)("GET %s: %s" % (where, error)) from None
    gateway.stop()


def a_question_that_is_wrong_is_answered_as_documented(site):
    gateway = start(site)
    document = Document()
    # A restart takes no body, and so no wrong one: it is done, and nothing can be asked meanwhile.
    for method, path, operation in sorted(document.operations(), key=lambda one: one[1].endswith("/restart")):
        if method != "GET":
            where = fill(path, operation)
            status, kind, text = ask(gateway, method, where, "[")
            check(status < 500, method + " " + where, status, text)
            try:
                document.validate(operation, status, kind, text)
            except Exception as error:
                raise type(error)("%s %s: %d: %s" % (method, where, status, error)) from None
    gateway.stop()


def what_is_done_is_answered_as_documented(site):
    os.environ["SLUICE_PROFILES"] = site.path("profiles")
    gateway = start(site)
    del os.environ["SLUICE_PROFILES"]
    document = Document()
    operations = {(method, path): operation for method, path, operation in document.operations()}

    def do(method, path, body=None, pattern=None, expected=200):
        status, kind, text = ask(gateway, method, path, None if body is None else json.dumps(body))
        check(status == expected, method, path, status, text)
        document.validate(operations[method, pattern or path.split("?")[0]], status, kind, text)
        return json.loads(text.split("\n")[0] if kind == "application/x-ndjson" else text or "null")

    api = "/api/v1"
    check(do("GET", api + "/session")["setup"], "nobody owns it yet")
    code = do("GET", api + "/setup")["code"]
    do("POST", api + "/setup", {"code": code})
    do("POST", api + "/setup", {"code": "AAAA-AAAA"}, expected=409)
    do("POST", api + "/setup", {"code": code, "password": "three plain words", "language": "de"})
    check(not do("GET", api + "/setup")["needed"], "there is an owner")
    do("POST", api + "/login", {"name": "owner", "password": "three plain words"})
    do("POST", api + "/login", {"name": "owner", "password": "wrong"}, expected=401)
    do("PUT", api + "/accounts/ben", {"role": "viewer", "password": "four plain words"}, api + "/accounts/{name}")
    do("GET", api + "/accounts")
    do("DELETE", api + "/accounts/ben", None, api + "/accounts/{name}")
    token = do("POST", api + "/tokens", {"name": "grafana", "role": "viewer"})["token"]
    check(re.fullmatch("[0-9a-f]{64}", token), "a token has 256 bits", token)
    do("GET", api + "/tokens")
    do("DELETE", api + "/tokens/grafana", None, api + "/tokens/{name}")
    do("POST", api + "/commands?wait", {"id": "7c1", "op": "write", "d": "meter", "p": "mode", "v": 1},
       api + "/commands")
    lease = do("POST", api + "/forget?device=meter")
    check(lease["device"] == "meter", "forget", lease)
    told = do("POST", api + "/told?kind=node-update&of=meter&by=somebody", None, api + "/told")
    do("POST", api + "/told?kind=node-update&of=meter&by=another", None, api + "/told", 409)
    do("DELETE", api + "/jobs/" + told["job"], None, api + "/jobs/{job}")
    check(do("POST", api + "/told?kind=node-update&of=meter&by=somebody&exit=1&words=gone&job=" + told["job"], None, api + "/told")["stop"], "a job that is told of")
    produced = do("POST", api + "/events", {"device": "weather", "point": "temp", "type": "number", "events": [{"v": 20.5}]})
    one = api + "/consumers/{name}"
    do("PUT", api + "/consumers/erp", {"from": "oldest"}, one, 201)
    do("PUT", api + "/consumers/erp", {"from": "oldest"}, one)
    do("GET", api + "/consumers/erp/events?limit=20", None, one + "/events")
    do("POST", api + "/consumers/erp/ack", {"epoch": produced["epoch"], "n": produced["stored"][1]}, one + "/ack")
    do("GET", api + "/consumers")
    do("DELETE", api + "/consumers/erp", None, one, 204)
    shown = api + "/displays/{d}/{p}"
    check(do("PUT", api + "/displays/meter/counter", {"shown": "7"}, shown)["shown"] == "7", "what a display shows")
    check(do("GET", api + "/displays")["displays"][0]["p"] == "counter", "it is kept")
    do("GET", api + "/export/report")
    do("GET", api + "/export/backup")
    do("DELETE", api + "/displays/meter/counter", None, shown, 204)
    do("DELETE", api + "/displays/meter/counter", None, shown, 404)
    profile = {"vendor": "Acme", "model": "X1", "drivers": ["modbus-tcp"], "numbering": "0-based", "points": [{"id": "u", "reg": 4, "type": "u16"}]}
    named = api + "/profiles/{profile}"
    kept = do("PUT", api + "/profiles/acme-x1", profile, named, 201)
    with open(kept["path"]) as text:
        check(json.load(text) == profile, "the profile is kept", kept)
    check(do("GET", api + "/profiles/acme-x1", None, named)["profile"]["model"] == "X1", "it is in the library")
    do("PUT", api + "/profiles/acme-x1", profile, named, 409)
    refused = do("PUT", api + "/profiles/acme-x2", {**profile, "points": [{"id": "u", "reg": 4, "type": "u17"}]}, named, 400)
    check("u17" in refused["error"] and not os.path.exists(site.path("profiles/acme-x2.json")), "one with a mistake", refused)
    do("POST", api + "/logout")
    gateway.stop()


main(the_document_is_sound, every_route_is_documented_and_every_documented_route_is_there,
     what_is_answered_has_the_documented_fields, a_question_that_is_wrong_is_answered_as_documented,
     what_is_done_is_answered_as_documented)
