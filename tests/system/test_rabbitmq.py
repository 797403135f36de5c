#!/usr/bin/python3
"""RabbitMQ in place of mosquitto is killed and started again: nothing is missing."""
from harness import LONG, Audit, Gateway, ModbusTcp, Rabbit, Skip, Subscriber, check, finish, main, totals, wait_for

KILLS = 3


def delivers_over_kills_of_the_broker(site):
    if not LONG:
        raise Skip("it takes minutes to start")
    broker = Rabbit(site)
    subscriber, audit = Subscriber(site, broker, version=4), Audit(site, broker, mqtt="3.1.1")
    hall = ModbusTcp(site, "hall", ["1-3:meter,regs=60"])
    devices = [hall.device("meter%d" % unit, unit, every="50ms") for unit in (1, 2, 3)]
    gateway = Gateway(site, [hall.bus()], devices, [broker.uplink()]).start()
    gateway.wait_online(60)
    for _ in range(KILLS):
        site.wait_values(200)
        connects = gateway.uplink()["connects"]
        broker.kill()
        site.wait_values(200)
        broker.start()
        wait_for(lambda: gateway.uplink()["connects"] > connects and gateway.is_online(), 60, "online again")
    result = gateway.cli("doctor", "cloud")
    check(result.returncode == 0, "the doctor finds nothing wrong", result.stdout, result.stderr)
    balance = finish(gateway, [hall], subscriber, audit, 400 * KILLS)
    totals("rabbitmq-kills", what="kill -9 of RabbitMQ while publishing", count=KILLS, lost=0,
           events=len(balance.events), duplicates=balance.duplicates)
    late = Subscriber(site, broker, version=4, topic="sluice/plant7/meta/meter1", name="late")
    wait_for(lambda: late.messages and late.messages[0].retained, 20, "what is retained, for a topic by its name")
    return "%d kills, %d events, %d duplicates" % (KILLS, len(balance.events), balance.duplicates)


main(delivers_over_kills_of_the_broker)
