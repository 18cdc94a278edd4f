"""Great bodies down and up: CPU for a byte, and memory."""

from __future__ import annotations

from bench.application import application
from bench.gateway import PLAIN
from bench.peers import PEERS as PEER_PROXIES
from bench.rounds import Series, Stage, Taken, take_turns
from bench.row import PEERS, Result, Row, ratio_row, remarks
from bench.setting import Setting
from bench.transfer import pass_bodies

_GIBIBYTE = 1024**3
_MEBIBYTE = 1024**2
_PEAK, _REST = "peak_mib", "rest_mib"


def measure_stream(setting: Setting) -> Result:
    """Every round sends one body down and one up; the memory is looked at all the time."""
    size = setting.scale.body_bytes

    def turn(stage: Stage) -> Taken:
        values: dict[str, float] = {}
        troubles = []
        for passage in pass_bodies(stage.running, size):
            values[f"cpu_s_per_gib_{passage.way}"] = passage.cpu_us / 1e6 / (size / _GIBIBYTE)
            seconds = max(passage.transfer.seconds, 1e-9)
            values[f"mib_per_s_{passage.way}"] = passage.transfer.received / _MEBIBYTE / seconds
            values[_PEAK] = max(values.get(_PEAK, 0.0), passage.resident_peak / _MEBIBYTE)
            values.setdefault(_REST, passage.resident_before / _MEBIBYTE)
            troubles += [f"{passage.way}: {passage.transfer.trouble}"] if passage.transfer.trouble else []
        return Taken(values, "; ".join(troubles))

    series = take_turns(setting, application(size), (*PEER_PROXIES, PLAIN), turn)
    ways = [
        ratio_row(
            f"stream-{way}", f"a stream of {_size(size)}, {way}: CPU per byte", series, PLAIN.name, "nginx",
            f"cpu_s_per_gib_{way}", unit="x nginx", beside_unit="s/GiB", goal="<= 1.5 x nginx", limit=1.5, peers=PEERS,
        )
        for way in ("down", "up")
    ]  # fmt: skip
    return Result([*ways, _memory(series, size)], series)


def _memory(series: dict[str, Series], size: int) -> Row:
    own = series[PLAIN.name]
    growth = {name: _growth(series[name]) for name in (*PEERS, PLAIN.name)}
    value = growth.pop(PLAIN.name)
    return Row(
        "memory", f"memory with {_size(2 * size * len(own.good))} through", [] if value is None else [value], "MiB",
        "flat, <= 32 MiB", 32.0, "MiB", {"paywall": value, **growth}, tuple(remarks([own])),
    )  # fmt: skip


def _growth(series: Series) -> float | None:
    """Mebibytes by which the highest memory of all rounds stood above that before the first."""
    peaks, rests = series.values(_PEAK), series.values(_REST)
    return max(peaks) - rests[0] if peaks else None


def _size(count: int) -> str:
    return f"{count / _GIBIBYTE:g} GiB" if count >= _GIBIBYTE else f"{count // _MEBIBYTE} MiB"
