#!/usr/bin/python3
"""Who may ask what over HTTPS: every route, method and role, of which the table is the server's own."""
import http.client
import json
import re
import ssl

from harness import EXIT_FAILED, EXIT_OK, EXIT_USAGE, Gateway, ModbusTcp, check, main, totals, wait_for

PASSWORD = "three plain words"
ROLES = ["anybody", "viewer", "operator", "owner"]
# Their answers end with the connection only: it is enough that they begin.
HEAD_ONLY = re.compile(r"/(live|trace|lines)$")


class Caller:
    """Somebody with cookies and the session's token, or with a program's token."""

    def __init__(self, gateway, name="", token=None):
        self.gateway = gateway
        self.name = name
        self.cookie = None
        self.csrf = None
        self.token = token
        self.context = ssl.create_default_context(cafile=gateway.certificate)
        self.connection = None

    def _request(self, *request):
        """On the connection that there is; where the gateway has ended that, on a new one."""
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection("localhost", self.gateway.https, timeout=30,
                                                              context=self.context)
                attempt = 2
            try:
                self.connection.request(*request)
                return self.connection.getresponse()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        return None

    def ask(self, method, path, body=None, headers=None):
        sent = {"Content-Type": "application/json"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf and method != "GET":
            sent["X-Sluice-CSRF"] = self.csrf
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        sent.update(headers or {})
        response = self._request(method, path, body, {name: value for name, value in sent.items() if value is not None})
        cookies = [line.split(";")[0] for line in response.headers.get_all("Set-Cookie") or []]
        if HEAD_ONLY.search(path.split("?")[0]) and response.status == 200:
            text = ""
            response.close()
            self.connection.close()
            self.connection = None
        else:
            text = response.read().decode()
        if cookies and response.status == 200:
            self.cookie = "; ".join(cookies)
        return response.status, text

    def login(self, password=PASSWORD):
        self.cookie = None
        status, text = self.ask("POST", "/api/v1/login", json.dumps({"name": self.name, "password": password}))
        if status == 200:
            self.csrf = json.loads(text)["csrf"]
        return status


def set_up(gateway):
    """The owner, logged in."""
    done = gateway.cli("setup")
    check(done.returncode == EXIT_OK, "sluice setup", done.stdout, done.stderr)
    owner = Caller(gateway, "owner")
    status, text = owner.ask("POST", "/api/v1/setup",
                             json.dumps({"code": done.stdout.strip(), "password": PASSWORD, "language": "de"}))
    check(status == 200, "setup", status, text)
    owner.csrf = json.loads(text)["csrf"]
    return owner


def callers_of(gateway, owner):
    """One of each role, with a session and with a token."""
    callers = {"anybody": Caller(gateway), "owner": owner}
    for role in ("viewer", "operator"):
        body = json.dumps({"role": role, "password": PASSWORD})
        check(owner.ask("PUT", "/api/v1/accounts/" + role, body)[0] == 200, "account", role)
        callers[role] = Caller(gateway, role)
        check(callers[role].login() == 200, "login", role)
    for role in ROLES[1:]:
        status, text = owner.ask("POST", "/api/v1/tokens", json.dumps({"name": "t-" + role, "role": role}))
        check(status == 200, "token", role, text)
        callers["token of " + role] = Caller(gateway, token=json.loads(text)["token"])
    return callers


def expect(status, caller_role, needed, what):
    """Whether a status is what the role may expect. What is asked for is not there, or not well put."""
    if ROLES.index(caller_role) >= ROLES.index(needed):
        check(status not in (401, 403, 405, 500), "refused, or failed", what, status)
    else:
        check(status == (401 if caller_role == "anybody" else 403), "not refused", what, status)


def every_route_method_and_role(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    owner = set_up(gateway)
    callers = callers_of(gateway, owner)
    status, text = owner.ask("GET", "/api/v1/routes")
    check(status == 200, "routes", text)
    # Behind the restart of everything nobody answers for a moment.
    routes = sorted(json.loads(text)["routes"], key=lambda row: row["path"].endswith("/v1/restart"))
    tested, asked = set(), 0
    for row in routes:
        method, needed = row["method"], row["role"]
        path = re.sub(r"{\w+}", "nobody", row["path"])
        # One's own session would end here: tried by those whom it does not matter to.
        ends = path.endswith("/logout")
        for name, caller in callers.items():
            role = name.split()[-1]
            if ends and not caller.token and role != "anybody":
                continue
            starts = gateway.process.log().count(", configuration ")
            status, _ = caller.ask(method, path, "[" if method != "GET" else None)
            if path.endswith("/v1/restart") and status < 300:
                wait_for(lambda: gateway.process.log().count(", configuration ") > starts and
                         gateway.cli("status", "--json").returncode == EXIT_OK, 20, "everything has restarted")
            # Logging in, setting up: 401 and 409 are answers of theirs, not of the gate.
            expect(status, role, needed, [method, path, name])
            asked += 1
        for foreign in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            status, _ = owner.ask(method, path, None, foreign)
            check(status == 403, "not refused", method, path, foreign, status)
            asked += 1
        if method != "GET" and needed != "anybody":
            for csrf in (None, "0" * 64):
                status, _ = owner.ask(method, path, None, {"X-Sluice-CSRF": csrf})
                check(status == 403, "without the session's token", method, path, status)
                asked += 1
        status, _ = Caller(gateway, token="0" * 64).ask(method, path)
        check(status == 401, "a token that is not known", method, path, status)
        status, _ = owner.ask("TRACE" if method != "TRACE" else "PATCH", path)
        check(status in (400, 405, 501), "a method that is none", path, status)
        tested.add((method, row["path"]))
    totals("web_gate", routes=len(routes), routes_untested=len(routes) - len(tested), requests=asked)
    gateway.stop()
    return "%d routes, %d requests" % (len(routes), asked)


def no_secret_in_any_answer_log_or_event(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    code = gateway.cli("setup").stdout.strip()
    owner = set_up(gateway)
    callers = callers_of(gateway, owner)
    canary = "canary-8471 of a password"
    owner.ask("PUT", "/api/v1/accounts/anna", json.dumps({"role": "viewer", "password": canary}))
    Caller(gateway, "anna").login(canary + " wrong")
    Caller(gateway, canary).login("x")
    secrets = [canary, PASSWORD, "argon2", code] + [caller.token for caller in callers.values() if caller.token]
    secrets += [caller.cookie.split(";")[0].split("=", 1)[1] for caller in callers.values() if caller.cookie]
    texts = {"the log": gateway.process.log(), "the events": json.dumps(gateway.replay()),
             "the configuration": open(gateway.config_path).read()}
    for row in json.loads(owner.ask("GET", "/api/v1/routes")[1])["routes"]:
        if row["method"] == "GET" and "{" not in row["path"]:
            texts["GET " + row["path"]] = owner.ask("GET", row["path"])[1]
    for where, text in texts.items():
        for secret in secrets:
            # The code is told once in the log, which is what it is for; it is used up by now.
            if secret in text and not (secret == code and where in ("the log", "GET /api/v1/log")):
                check(False, "a secret in", where, secret)
    gateway.stop()


def a_command_from_the_page_is_stored_with_its_sender(site):
    hall = ModbusTcp(site, "hall", ["1:meter"])
    mode = {"id": "mode", "reg": 10, "type": "u16", "write": {"min": 0, "max": 9}}
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, points=[mode])], [], web=True).start()
    callers = callers_of(gateway, set_up(gateway))
    body = json.dumps({"id": "7c1", "op": "write", "d": "meter", "p": "mode", "v": 3})
    check(callers["viewer"].ask("POST", "/api/v1/commands?wait", body)[0] == 403, "a viewer writes")
    for caller, sender in (("operator", "web:operator"), ("token of operator", "token:t-operator")):
        status, text = callers[caller].ask("POST", "/api/v1/commands?wait", body.replace("7c1", caller[:5]))
        check(status == 200 and '"accepted":true' in text, "the command", status, text)
        commands = wait_for(lambda: [event for event in gateway.replay("--kind", "command")
                                     if event["by"] == sender], 10, "stored with its sender")
        check(commands[-1]["d"] == "meter", "the command", commands)
    gateway.stop()


def the_first_visitor_names_the_gateway(site):
    gateway = Gateway(site, [], [], [], web=True)
    with open(gateway.config_path) as file:
        text = file.read().replace("{", "{ // written by hand", 1)
    with open(gateway.config_path, "w") as file:
        file.write(text)
    gateway.start()
    owner = Caller(gateway, "owner")
    code = gateway.cli("setup").stdout.strip()
    wishes = {"code": code, "password": PASSWORD, "gateway": {"id": "plant9", "name": 'Boiler "room"'}}
    status, answer = owner.ask("POST", "/api/v1/setup", json.dumps(wishes))
    check(status == 200 and json.loads(answer)["notes"] == [], "setup", status, answer)

    def named():
        try:
            return json.loads(owner.ask("GET", "/api/v1/session")[1])["gateway"]["id"] == "plant9"
        except OSError:
            return False
    wait_for(named, 20, "the gateway has its new id")
    session = json.loads(owner.ask("GET", "/api/v1/session")[1])
    check(session["gateway"]["name"] == 'Boiler "room"', "the name", session)
    check(session["account"] == {"name": "owner", "role": "owner"}, "the session goes on", session)
    check("// written by hand" in open(gateway.config_path).read(), "the comment is gone")
    # A new id has a journal of its own; the trail up to here is in the one before.
    check("did=gateway-named by=owner from=127.0.0.1 id=plant9" in gateway.process.log(), "the trail")
    gateway.stop()


def accounts_survive_a_kill_and_sessions_do_not(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    owner = set_up(gateway)
    names = []
    for round_number in range(5):
        name = "account-%d" % round_number
        status, _ = owner.ask("PUT", "/api/v1/accounts/" + name, json.dumps({"role": "viewer", "password": PASSWORD}))
        check(status == 200, "account", status)
        gateway.kill()
        names.append(name)
        gateway.start()
        check(owner.ask("GET", "/api/v1/status")[0] == 401, "the session has outlived the process")
        check(owner.login() == 200, "the owner logs in")
        listed = [entry["name"] for entry in json.loads(owner.ask("GET", "/api/v1/accounts")[1])["accounts"]]
        check(listed == ["owner"] + names, "accounts", listed)
    gateway.stop()


def a_lost_password_is_set_on_the_machine(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    owner = set_up(gateway)
    check(gateway.cli("setup").returncode == EXIT_FAILED, "the code is used up")
    done = gateway.cli("password", "owner", input="short\n")
    check(done.returncode == EXIT_USAGE and "at least 10" in done.stderr, "a short one", done.returncode, done.stderr)
    done = gateway.cli("password", "owner", input="another good one\n")
    check(done.returncode == EXIT_OK, "sluice password", done.stderr)
    check(owner.ask("GET", "/api/v1/status")[0] == 401, "the session has ended")
    check(owner.login() == 401 and owner.login("another good one") == 200, "only the new one counts")
    done = gateway.cli("accounts", "add", "ben", "operator", input=PASSWORD + "\n")
    check(done.returncode == EXIT_OK, "sluice accounts add", done.stderr)
    done = gateway.cli("accounts", "role", "ben", "viewer")
    check(done.returncode == EXIT_OK, "sluice accounts role", done.stderr)
    done = gateway.cli("accounts")
    check(re.search(r"^owner +owner\nben +viewer\n$", done.stdout), "sluice accounts", done.stdout)
    check(gateway.cli("accounts", "remove", "owner").returncode == EXIT_USAGE, "the last owner stays")
    token = gateway.cli("tokens", "add", "grafana", "viewer").stdout.strip()
    check(Caller(gateway, token=token).ask("GET", "/api/v1/status")[0] == 200, "the token lets in")
    check(gateway.cli("tokens", "remove", "grafana").returncode == EXIT_OK, "sluice tokens remove")
    check(Caller(gateway, token=token).ask("GET", "/api/v1/status")[0] == 401, "the token is void")
    gateway.stop()


def a_configuration_that_restarts_everything_logs_nobody_out(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    owner = set_up(gateway)
    before = gateway.process.log().count("everything restarts")

    def change(settings):
        settings["journal"]["commit"] = "60ms"
    gateway.tell(change)
    wait_for(lambda: gateway.process.log().count("everything restarts") > before, 20, "it restarts")

    def answers():
        try:
            return owner.ask("GET", "/api/v1/session")[1]
        except OSError:
            return None
    text = wait_for(answers, 20, "the page answers again")
    check(json.loads(text)["account"] == {"name": "owner", "role": "owner"}, "the session", text)
    gateway.stop()


main(every_route_method_and_role, no_secret_in_any_answer_log_or_event,
     a_command_from_the_page_is_stored_with_its_sender, accounts_survive_a_kill_and_sessions_do_not,
     a_lost_password_is_set_on_the_machine, a_configuration_that_restarts_everything_logs_nobody_out,
     the_first_visitor_names_the_gateway)
