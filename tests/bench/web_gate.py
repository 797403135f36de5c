"""Whether every route is asked by everybody: what the table of tests/system/test_web_gate.py leaves out."""
import json
import os
import subprocess
import sys

TEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system/test_web_gate.py")


def run(out, site):
    done = subprocess.run([sys.executable, "-B", TEST, "every_route_method_and_role"], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "SLUICE_TOTALS": site.folder}, check=False)
    if done.returncode:
        raise RuntimeError("the table of routes and roles: " + done.stdout[-2000:])
    with open(site.path("web_gate.json")) as file:
        counted = json.load(file)
    out.figure("web", "routes_untested", counted["routes_untested"], "routes", routes=counted["routes"],
               requests=counted["requests"])
