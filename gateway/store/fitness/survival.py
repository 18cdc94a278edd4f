"""What a payment survives that somebody was told of, by the settings of the server: pure, a part of `findings`."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.finding import Finding, Gravity, Matter
from gateway.store.fitness.examination import Examination

_TO_DISK = "CONFIG SET appendonly yes, and `appendonly yes` in its configuration file"
_AT_ONCE = "CONFIG SET appendfsync always, and the same in its configuration file"


def payments(examination: Examination) -> Iterator[Finding]:
    """How long an acknowledged payment lasts. Not for a replica, which takes none."""
    said = examination.refused.get("WAITAOF", "").lower()
    keeps = examination.settings.get("appendonly") or {"1": "yes", "0": "no"}.get(
        examination.info.get("aof_enabled", "")
    )
    fsync = examination.settings.get("appendfsync", "")
    if keeps == "no" or "appendonly is disabled" in said:
        yield _nothing_kept(examination)
    elif fsync == "no" and not said:
        text = "appendfsync is no: it does not tell when a payment is on its disk, so every payment is refused (503)"
        mend = "CONFIG SET appendfsync everysec, and the same in its configuration file"
        yield Finding(Gravity.FAULT, Matter.STORE_PAYMENTS, examination.name, text, mend)
    elif not said:
        yield _lasting(examination, "is on its disk before anyone is told")
    elif "unknown command" in said:
        yield _without_waiting(examination, keeps, fsync)
    elif fsync == "always":
        yield _lasting(examination, "is on its disk before anyone is told, by appendfsync always alone")
    else:
        text = (
            f"it does not let itself be asked when a payment is on its disk ({examination.refused['WAITAOF'].strip()})"
        )
        text += ": a power cut can lose payments that people were told of"
        mend = f"ACL SETUSER {examination.user or 'USER'} +waitaof"
        yield Finding(Gravity.FAULT, Matter.STORE_PAYMENTS, examination.name, text, mend)
    if examination.replicas is None:
        text = "whether replicas are connected, as INFO is refused: payments don't wait for any, "
        text += "and a fail-over can lose one that people were told of"
        yield Finding(Gravity.UNKNOWN, Matter.STORE_PAYMENTS, examination.name, text, "allow INFO (+info)")


def _nothing_kept(examination: Examination) -> Finding:
    snapshots = examination.settings.get("save", "")
    if snapshots:
        text = "it keeps snapshots only (appendonly no): when it ends, the payments since the last one are lost"
    elif "save" in examination.settings:
        text = "it keeps nothing on a disk (appendonly no, no snapshots): when it restarts, every payment is lost"
    else:
        text = "it does not keep payments on a disk as they come (appendonly no): when it ends, they are lost"
    return Finding(Gravity.FAULT, Matter.STORE_PAYMENTS, examination.name, f"{text}{_copies(examination)}", _TO_DISK)


def _copies(examination: Examination) -> str:
    return "; a replica has a copy in its memory" if examination.replicas else ""


def _lasting(examination: Examination, how: str) -> Finding:
    if examination.replicas:
        survives = "a replica has it then, too: it survives the end of the server, a power cut and a fail-over"
    else:
        survives = "it survives the end of the server and a power cut, not the loss of that disk"
        if examination.replicas == 0:
            survives += " (no replica is connected)"
    text = f"a payment {how}; {survives}"
    return Finding(Gravity.GOOD, Matter.STORE_PAYMENTS, examination.name, text)


def _without_waiting(examination: Examination, keeps: str | None, fsync: str) -> Finding:
    """A server without WAITAOF, which came with Redis 7.2: only what it has written before it answers is safe."""
    old = "it is older than Redis 7.2 and can't be asked when a payment is on its disk (WAITAOF)"
    if keeps is None or not fsync:
        text = f"what a payment survives: {old}, and its settings are not told"
        return Finding(
            Gravity.UNKNOWN, Matter.STORE_PAYMENTS, examination.name, text, f"see to it: appendonly yes; {_AT_ONCE}"
        )
    if fsync == "always":
        return _lasting(examination, "is on its disk before anyone is told, by appendfsync always")
    behind = "a second" if fsync == "everysec" else "half a minute"
    text = (
        f"{old}, and appendfsync is {fsync}: a power cut can lose payments of up to {behind} that people were told of"
    )
    return Finding(
        Gravity.FAULT, Matter.STORE_PAYMENTS, examination.name, text, f"{_AT_ONCE}; or upgrade to Redis 7.2 or Valkey"
    )
