"""What the system tests share: parties, processes, waiting, and the balance at the end."""
from .api import Api
from .broker import Broker, Subscriber
from .certificates import Authority
from .field import Line, ModbusTcp, RtuLine, Scale, Talker, doubted, patient
from .gateway import (EXIT_CONFIG, EXIT_FAILED, EXIT_NO_DAEMON, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Gateway,
                      check_ledger, sluice)
from .page import Page
from .proof import PUBLISHED, Audit, Balance, finish, settle
from .proxy import Proxy
from .rabbit import Rabbit
from .site import LONG, Failure, Skip, Site, check, free_port, program, slowness, totals, wait_for
from .run import main

__all__ = ["Api", "Audit", "Authority", "Balance", "Broker", "EXIT_CONFIG", "EXIT_FAILED", "EXIT_NO_DAEMON", "EXIT_OK",
           "EXIT_SYSTEM", "EXIT_USAGE", "Failure", "Gateway", "LONG", "Line", "ModbusTcp", "Page",
           "PUBLISHED", "Proxy", "Rabbit", "RtuLine", "Scale", "Site", "Skip", "Subscriber", "Talker", "check",
           "check_ledger", "doubted", "finish", "free_port", "main", "patient", "program", "settle",
           "slowness", "sluice", "totals", "wait_for"]
