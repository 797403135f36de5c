"""A gateway as it comes out of its box, and around it all that its first owner needs: meters that answer on a line, a device in
the network, a broker with TLS, and somebody who listens there."""
import argparse
import json
import sys
import time

from demo import Demo, Stop, free_port, hold

LINE = "19200 8E1"
METERS = ("2:incomer,regs=400", "5:other,regs=400")


class FirstRun(Demo):
    def start(self):
        self.say("== certificates, broker, sensors, gateway")
        self.start_broker("+")
        units = [word for meter in METERS for word in ("--unit", meter)]
        self.simulate("rs485-line", "sim_rtu", "--link", str(self.folder / "rs485"), "--baud", LINE.split()[0], *units, "--realtime")
        self.tcp_port = int(self.simulate("tcp-device", "sim_tcp", "--unit", "1:chiller,regs=40"))
        page_port = free_port()
        self.start_gateway(self.write_empty(page_port), page_port)

    def write_empty(self, page_port):
        """The line is there, as on a board whose image knows its ports; devices and brokers are its owner's."""
        config = {
            "version": 1,
            "gateway": {"id": "new"},
            "journal": {"path": str(self.folder / "journal")},
            "web": {"listen": ["127.0.0.1"], "https": page_port, "redirect": False},
            "buses": [{"id": "rs485", "driver": "modbus-rtu", "port": str(self.folder / "rs485"), "line": LINE}],
        }
        path = self.folder / "sluice.json"
        if path.exists():
            raise Stop(f"{self.folder} has a gateway that was begun before: name a new folder, or remove this one")
        path.write_text(json.dumps(config, indent=1) + "\n")
        return path

    def told(self):
        """What the owner needs to know, for people and for programs."""
        return {"page": self.page, "code": self.code, "line": "rs485", "host": f"127.0.0.1:{self.tcp_port}",
                "broker": f"mqtts://127.0.0.1:{self.broker.port}", "ca": str(self.folder / "ca.pem"),
                "cert": str(self.folder / "demo.pem"), "key": str(self.folder / "demo.key"), "socket": str(self.socket)}

    def tell_owner(self):
        told = self.told()
        self.say(f"""
A gateway that nobody has set up yet. Its page, signed by itself: {told["page"]}
  setup code      {told["code"]}
  on the line     {told["line"]}: two meters, units 2 and 5; unit 2 answers as an Eastron SDM120
  in the network  {told["host"]}: a Modbus TCP device, unit 1
  the broker      {told["broker"]}
    authority     {told["ca"]}
    certificate   {told["cert"]}
    private key   {told["key"]}
  the way in      {self.way_in()}
                  and then: sluice status, sluice check {self.folder / "sluice.json"}
Somebody listens at the broker: the first value of each device is told here. Ctrl-C ends all that was started.
""")
        # Whole when it is there.
        part = self.folder / "first-run.part"
        part.write_text(json.dumps(told) + "\n")
        part.rename(self.folder / "first-run.json")

    def run(self):
        heard = set()
        while True:
            self.parts.check()
            with self.subscriber.lock:
                latest = dict(self.subscriber.latest)
            for (device, point), event in latest.items():
                if device not in heard:
                    heard.add(device)
                    self.say(f"arrived from {device}: {point} = {event['v']}")
            time.sleep(0.2)


def stay(first):
    try:
        first.start()
        first.tell_owner()
        first.run()
    except KeyboardInterrupt:
        print()
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--keep")
    parser.set_defaults(json=False)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(hold(FirstRun, parse_arguments(), stay))
