"""What a benchmark says: one figure at a time, for people or as a line of JSON."""
import json
import statistics
import sys

# What the project wants to reach: on the ratio or the value, at least or at most.
GOALS = {
    "append_ceiling_100": ("ratio", ">=", 0.9), "append_ceiling_1000": ("ratio", ">=", 0.9),
    "append_sqlite_100": ("ratio", ">=", 1.8), "append_sqlite_1000": ("ratio", ">=", 4),
    "codec_encode": ("value", ">=", 10e6), "codec_decode": ("value", ">=", 10e6),
    "rtu_9600": ("ratio", ">=", 0.98), "rtu_19200": ("ratio", ">=", 0.98), "rtu_115200": ("ratio", ">=", 0.95),
    "plan_optimal": ("value", "<=", 1.02), "jitter_half_dead": ("value", "<=", 10), "jitter_added": ("value", "<=", 10), "profiles": ("value", ">=", 209),
    "tcp_rate": ("value", ">=", 2e6), "tcp_1000_cpu": ("value", "<=", 15), "tcp_1000_rss": ("value", "<=", 32),
    "wrong_values": ("value", "<=", 0),
    "e2e_rate": ("ratio", ">=", 2.5), "e2e_cpu": ("ratio", "<=", 0.25),
    "e2e_latency_p99": ("value", "<=", 20), "drain_bridge": ("ratio", ">=", 20),
    "rss_10000_points": ("value", "<=", 16), "rss_backlog_growth": ("value", "<=", 1),
    "series_10m_ms": ("value", "<=", 1500),
    "page_bytes": ("value", "<=", 122880), "first_value_ms": ("value", "<=", 300),
    "viewers_50_cpu": ("value", "<=", 5), "viewers_50_rss": ("value", "<=", 8), "list_frame_ms": ("value", "<=", 50),
    "slow_attack_ms": ("value", "<=", 500), "axe_violations": ("value", "<=", 0), "routes_untested": ("value", "<=", 0),
    "deb_bytes": ("value", "<=", 716800), "node_code_bytes": ("value", "<=", 16384), "node_data_bytes": ("value", "<=", 2048),
    "image_bytes": ("value", "<=", 47185920), "tiny_bytes": ("value", "<=", 16777216), "tiny_boot_s": ("value", "<=", 20),
    "install_cuts": ("value", ">=", 200),
    "open_10m": ("value", "<=", 0.2), "cpu_1000_values_s": ("value", "<=", 2),
}

ROUNDS = 5


class Out:
    """Prints figures; counts those that fall short of their goal."""

    def __init__(self, as_json):
        self.as_json = as_json
        self.short = []

    def note(self, *words):
        """Progress, and what a figure means: for people."""
        print(*words, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def figure(self, bench, figure, value, unit, baseline=None, **settings):
        row = {"bench": bench, "figure": figure, "value": value, "unit": unit}
        if baseline is not None:
            row.update(baseline=baseline, ratio=round(value / baseline, 4))
        if settings:
            row["settings"] = settings
        self.row(row)

    def row(self, row):
        met = self._met(row)
        if met is False:
            self.short.append(row["figure"])
        if self.as_json:
            print(json.dumps(row, separators=(",", ":")), flush=True)
            return
        words = "%-20s %14s %s" % (row["figure"], number(row["value"]), row["unit"])
        if "ratio" in row:
            words += ", %s of the baseline's %s" % (number(row["ratio"]), number(row["baseline"]))
        if met is not None:
            of, sense, goal = GOALS[row["figure"]]
            words += " (%s %s %s %s: %s)" % (of, "at least" if sense == ">=" else "at most", number(goal),
                                            "is wanted", "yes" if met else "NO")
        print(words)
        for key, value in row.get("settings", {}).items():
            print("    %s: %s" % (key.replace("_", " "), value))
        sys.stdout.flush()

    def _met(self, row):
        goal = GOALS.get(row["figure"])
        if not goal or goal[0] not in row:
            return None
        return row[goal[0]] >= goal[2] if goal[1] == ">=" else row[goal[0]] <= goal[2]


def number(value):
    if isinstance(value, float) and abs(value) < 100:
        return "%.4g" % value
    return "{:,.0f}".format(value)


def median(values):
    return statistics.median(values)
