"""What is wrong with a server, out of its examination: pure, so that every fault is a row of a table in the tests.

A fault is what keeps results from people who paid, or lets a payment be lost that somebody was told of. Texts are read
at three in the morning: what is the matter, what follows, what to type.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.finding import Finding, Gravity, Matter
from gateway.store.fitness.examination import Examination
from gateway.store.fitness.survival import payments

OLDEST = (7, 0)
"""Debian's Redis. Valkey has been newer than that from its first version on."""
_NEARLY_FULL = 0.9
_CLOCKS_APART_MS = 1_000
_CLOCKS_FAR_APART_MS = 60_000


def findings(examination: Examination, now: int) -> tuple[Finding, ...]:
    """What an operator should know of this server, in the order to look at it. `now` is this machine's clock."""
    if examination.trouble:
        return (_away(examination),)
    if examination.is_loading:
        text = "it still reads its data from the disk; until it has, browsing works and results answer 503"
        mend = "wait: `INFO persistence` on it tells how far it is (loading_eta_seconds)"
        return (Finding(Gravity.FAULT, Matter.STORE, examination.name, text, mend),)
    if examination.mode == "sentinel":
        mend = "give the address of the server itself in `store`: `SENTINEL MASTERS` there tells it"
        return (
            Finding(Gravity.FAULT, Matter.STORE_ROLE, examination.name, "this is a Sentinel and holds no data", mend),
        )
    found = [*_version(examination), *_role(examination)]
    if not examination.is_replica:
        found += payments(examination)
    found += [*_disk(examination), *_memory(examination), *_clock(examination, now), *_rights(examination)]
    return tuple(found)


def _away(examination: Examination) -> Finding:
    said = examination.trouble.lower()
    if any(word in said for word in ("password", "wrongpass", "noauth", "authentication")):
        mend = "put the right user and password into `store`: redis://USER:PASSWORD@HOST:6379"
    elif "certificate" in said or "ssl" in said:
        mend = "with rediss:// the server must speak TLS and have a certificate that this machine trusts"
    elif "max number of clients" in said:
        mend = "too many connections are open there: find out whose they are (CLIENT LIST), or raise maxclients"
    else:
        mend = "is it running, is the address in `store` right, and does a firewall let this machine through?"
    text = f"{examination.trouble}; browsing works, results answer 503"
    return Finding(Gravity.FAULT, Matter.STORE, examination.name, text, mend)


def _version(examination: Examination) -> Iterator[Finding]:
    version = ".".join(map(str, examination.version))
    if not version:
        text = "which version it is: it answers neither HELLO nor INFO"
        yield Finding(
            Gravity.UNKNOWN, Matter.STORE_VERSION, examination.name, text, "see to it that it is 7.0 or newer"
        )
    elif examination.product == "Redis" and examination.version < OLDEST:
        text = f"{examination.product} {version} is older than 7.0, the oldest that the gateway is tested with"
        yield Finding(Gravity.FAULT, Matter.STORE_VERSION, examination.name, text, "upgrade it to Redis 7.2 or Valkey")
    else:
        text = f"{examination.product} {version} answers"
        yield Finding(Gravity.GOOD, Matter.STORE_VERSION, examination.name, text)


def _role(examination: Examination) -> Iterator[Finding]:
    if examination.is_replica:
        host, port = examination.info.get("master_host"), examination.info.get("master_port")
        primary = f" ({host}:{port})" if host and port else ""
        text = "it is a replica: what is written there is refused or lost, so no payment and no trial can be kept"
        mend = f"give the address of its primary{primary} in `store`, or make it one: REPLICAOF NO ONE"
        yield Finding(Gravity.FAULT, Matter.STORE_ROLE, examination.name, text, mend)
    if examination.mode == "cluster" and not examination.in_cluster:
        text = "it is one node of a cluster: whoever's data is on another node gets 503"
        mend = "write its address as redis+cluster://HOST:PORT (rediss+cluster:// over TLS)"
        yield Finding(Gravity.FAULT, Matter.STORE_ROLE, examination.name, text, mend)
    # Without a replica there is nobody who could take its place, and the mend would stop every write.
    if examination.has_sentinels and examination.replicas and examination.settings.get("min-replicas-to-write") == "0":
        text = (
            "it takes writes without any replica (min-replicas-to-write 0): parted from the others it goes on doing so "
        )
        text += "when another has taken its place, and loses all of that when it learns, payments included"
        mend = "CONFIG SET min-replicas-to-write 1 on each server that the sentinels watch, and the same in its "
        mend += "configuration file; better with two replicas, so that the loss of one stops nothing"
        yield Finding(Gravity.WARNING, Matter.STORE_ROLE, examination.name, text, mend)


def _disk(examination: Examination) -> Iterator[Finding]:
    if examination.info.get("aof_last_write_status", "ok") != "ok":
        text = "its last write to the disk failed: it refuses all writes until one succeeds"
        mend = "make room on its disk (df -h), then look at its log"
        yield Finding(Gravity.FAULT, Matter.STORE_DISK, examination.name, text, mend)
    elif examination.info.get("rdb_last_bgsave_status", "ok") != "ok":
        text = "its last snapshot failed: it may refuse all writes (stop-writes-on-bgsave-error)"
        mend = "look at its log; the usual causes are a full disk and too little memory to fork"
        yield Finding(Gravity.WARNING, Matter.STORE_DISK, examination.name, text, mend)


def _memory(examination: Examination) -> Iterator[Finding]:
    place, limit, used = examination.name, examination.number("maxmemory"), examination.number("used_memory")
    policy = examination.info.get("maxmemory_policy", "")
    if limit is None or used is None:
        text = "whether it forgets things when its memory is full, nor how full it is: INFO is refused"
        mend = "see to it where it is managed: maxmemory-policy noeviction; or allow INFO (+info)"
        yield Finding(Gravity.UNKNOWN, Matter.STORE_MEMORY, place, text, mend)
        return
    if limit and policy and policy != "noeviction":
        text = f"maxmemory-policy is {policy}: when its memory is full it forgets trials, held results and payments"
        mend = "CONFIG SET maxmemory-policy noeviction, and the same in its configuration file"
        yield Finding(Gravity.FAULT, Matter.STORE_EVICTION, place, text, mend)
    room = limit or examination.number("total_system_memory") or 0
    whose = "maxmemory" if limit else "its machine's memory, without a limit of its own"
    if limit and used >= limit:
        text = f"its memory is full ({_size(used)} of {_size(limit)}): no payment can be kept, and results answer 503"
        mend = "CONFIG SET maxmemory to more, or let held results go sooner (holds.ttl, holds.max_total)"
        yield Finding(Gravity.FAULT, Matter.STORE_MEMORY, place, text, mend)
    elif room and used >= room * _NEARLY_FULL:
        text = f"it uses {used * 100 // room} % of {_size(room)} ({whose}): when that is full, no payment can be kept"
        mend = "give it more, or let held results go sooner (holds.ttl, holds.max_total)"
        yield Finding(Gravity.WARNING, Matter.STORE_MEMORY, place, text, mend)
    else:
        of = f" of {_size(room)} ({whose})" if room else ", without a limit"
        yield Finding(Gravity.GOOD, Matter.STORE_MEMORY, place, f"it uses {_size(used)}{of}")


def _size(amount: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount} {unit}"
        amount //= 1024
    return f"{amount} GiB"


def _clock(examination: Examination, now: int) -> Iterator[Finding]:
    if not examination.clock_ms:
        text = f"how its clock is: {examination.refused.get('TIME', 'TIME is refused')}"
        yield Finding(Gravity.UNKNOWN, Matter.STORE_CLOCK, examination.name, text, "allow TIME (+time)")
        return
    # It was read somewhere within `took_ms` before now.
    ahead, behind = examination.clock_ms - now, now - examination.took_ms - examination.clock_ms
    apart = max(ahead, behind)
    if apart <= _CLOCKS_APART_MS:
        yield Finding(Gravity.GOOD, Matter.STORE_CLOCK, examination.name, "its clock and this machine's agree")
        return
    gravity = Gravity.FAULT if apart > _CLOCKS_FAR_APART_MS else Gravity.WARNING
    side = "ahead of" if ahead > behind else "behind"
    text = f"its clock is {apart // 1000} s {side} this machine's: trials, links and held results end at wrong times"
    mend = "set both by the network: `timedatectl` on each machine says whether that is so"
    yield Finding(gravity, Matter.STORE_CLOCK, examination.name, text, mend)


def _rights(examination: Examination) -> Iterator[Finding]:
    place, denied = examination.name, examination.denied
    if "ACL" in examination.refused:
        text = f"what the gateway's user may do there: {examination.refused['ACL'].strip()}"
        mend = "compare its rights with those in docs/operations.md, or allow it to be asked (+acl|whoami +acl|dryrun)"
        yield Finding(Gravity.UNKNOWN, Matter.STORE_RIGHTS, place, text, mend)
        return
    missing = [f"the commands {', '.join(denied.commands)}"] if denied.commands else []
    missing += ["the keys pw:* and {pw:*"] if denied.keys else []
    missing += ["the channels pw:*"] if denied.channels else []
    if missing:
        text = f"its user {examination.user!r} may not use {' and '.join(missing)}: what needs them fails with 503"
        mend = f"ACL SETUSER {examination.user} {denied.rules()}, then ACL SAVE"
        yield Finding(Gravity.FAULT, Matter.STORE_RIGHTS, place, text, mend)
    else:
        text = f"its user {examination.user!r} may do all that the gateway needs"
        yield Finding(Gravity.GOOD, Matter.STORE_RIGHTS, place, text)
