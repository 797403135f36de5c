"""What pymodbus wants to be told, in Debian 12 and in Debian 13."""


def framer(name):
    try:
        from pymodbus.framer import FramerType  # as in Debian 13
        return FramerType(name)
    except ImportError:  # as in Debian 12
        from pymodbus import transaction
        return {"socket": transaction.ModbusSocketFramer, "rtu": transaction.ModbusRtuFramer,
                "ascii": transaction.ModbusAsciiFramer}[name]


def reuse():
    """Debian 13's always takes a port that was just given up, and no argument that says so."""
    try:
        from pymodbus.framer import FramerType  # noqa: F401
        return {}
    except ImportError:
        return {"allow_reuse_address": True}
