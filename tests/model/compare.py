"""What must be true after every step. Each function raises `AssertionError` and says what is not."""

from __future__ import annotations

from gateway.core.quantity import MINUTE
from gateway.payments.audit import audit
from gateway.ports.books import Book
from gateway.ports.state import NEVER
from tests.model.keeping import UNCOMMITTED_MS
from tests.model.money import UNPAID_SUBSCRIPTION_MS
from tests.model.promised import ALLOWANCES, Promised
from tests.model.purses import REMEMBERED_MS, VOID_MS
from tests.model.seen import Key, Seen

SLACK_MS = 5 * MINUTE
"""What a history takes by a real clock counts for less than this, and its own instants lie further apart."""

FOR_EVER = ("", "marks", "ledger", "note")
LONGEST = {"checkouts": UNPAID_SUBSCRIPTION_MS, "spent": REMEMBERED_MS, "void": VOID_MS, "reserved": UNCOMMITTED_MS}


def everything(seen: Seen, model: Promised, now: int) -> None:
    """All of it."""
    assert not seen.strange, f"keys without the subject's tag: {seen.strange}"
    records(seen, model)
    nothing_is_overdrawn(seen, model, now)
    money_is_explained(seen)
    indexes_name_all(seen)
    chunks_belong_to_something(seen, model, now)
    for key in seen.keys.values():
        lifetime_is_right(key, seen, model, now)


def records(seen: Seen, model: Promised) -> None:
    """Holds, checkouts, the ledger and the note are what was promised."""
    assert seen.holds() == model.keeping.held
    assert seen.checkouts() == model.money.checkouts
    assert seen.ledger() == model.money.ledger
    note = seen.keys["note"].content.decode() if "note" in seen.keys else ""
    assert note == model.note
    assert int(seen.fields().get("ea", 0)) == model.erased_at


def nothing_is_overdrawn(seen: Seen, model: Promised, now: int) -> None:
    """Never more is taken than there is."""
    for scope, allowance in ALLOWANCES.items():
        taken = seen.members(f"grace:{scope}").values()
        counted = [at for at in taken if not allowance.window_ms or at > now - allowance.window_ms]
        assert len(counted) <= allowance.count, f"{len(counted)} results taken of {scope}, which has {allowance}"
    assert model.credit.left >= 0 and model.window.left >= 0
    assert int(seen.fields().get("wa:USD", 0)) == model.wallet >= 0


def money_is_explained(seen: Seen) -> None:
    """Whoever adds up the ledger comes to the credits, the period and the payments."""
    fields = seen.fields()
    entitled, credits, settled = (int(fields.get(name, 0)) for name in ("eu", "cr", "st"))
    wallets = {name[3:]: int(held) for name, held in fields.items() if name.startswith("wa:")}
    assert audit(Book("", entitled, credits, settled, tuple(seen.ledger()), wallets=wallets)) == []


def indexes_name_all(seen: Seen) -> None:
    """Whatever can be erased can be found: each hold and each checkout is in its index, each purse at its subject."""
    for hold in seen.holds().values():
        member = f"{hold.size}:{'p' if hold.paid else 'h'}:{hold.id}"
        assert seen.members("holds").get(member) == hold.expires, f"{hold.id} is not in the index"
    named = [member for member in seen.members("holds") if member.split(":")[2] in seen.holds()]
    assert len(named) == len(seen.holds()), f"a hold is in the index twice: {named}"
    assert seen.open_checkouts() <= seen.members("checkouts").keys()
    purses = {f"g:{name.removeprefix('grace:')}".encode() for name in seen.keys if name.startswith("grace:")}
    assert purses <= set(seen.keys[""].content[::2] if "" in seen.keys else [])


def chunks_belong_to_something(seen: Seen, model: Promised, now: int) -> None:
    """Every chunk is of a hold, and lives as long; or of one that is being written, and vanishes within the hour."""
    holds, loose = model.keeping.held, model.keeping.chunks
    committed = {(hold.id, number) for hold in holds.values() for number in range(hold.chunks)}
    assert seen.chunks().keys() == committed | loose.keys()
    for (hold, number), key in seen.chunks().items():
        ends = holds[hold].expires if (hold, number) in committed else loose[hold, number]
        assert lives_until(key, ends, now), f"chunk {number} of {hold} has {key.left} ms left"


def lives_until(key: Key, ends: int, now: int) -> bool:
    """Whether a key ends at about this instant, or not at all."""
    return key.left == -1 if ends == NEVER else key.left >= 0 and abs(key.left - (ends - now)) < SLACK_MS


def lifetime_is_right(key: Key, seen: Seen, model: Promised, now: int) -> None:
    """What is for ever stays, and what is not goes by itself, though not before its time."""
    kind, _, name = key.name.partition(":")
    if key.name in FOR_EVER:
        assert key.left == -1, f"{key.name} will be lost in {key.left} ms"
    elif kind == "checkout":
        assert abs(key.left - (model.money.ends[name] - now)) < SLACK_MS
    elif kind == "grace":
        _grace_lives(key, model, name, now)
    elif key.name in LONGEST:
        assert 0 <= key.left <= LONGEST[key.name], f"{key.name} stays for {key.left} ms"
    elif key.name == "holds":
        latest = max((hold.expires for hold in seen.holds().values()), default=0)
        stays = key.left == -1 or key.left > latest - now - SLACK_MS
        assert stays, "the index of holds goes before its last hold"
    elif kind == "hold" and name.endswith(":room"):
        assert 0 <= key.left <= UNCOMMITTED_MS and name.removesuffix(":room") not in seen.holds()
    elif kind == "hold" and ":" not in name:
        assert lives_until(key, seen.holds()[name].expires, now)
    else:
        assert kind == "hold", f"nobody knows what {key.name} is"


def _grace_lives(key: Key, model: Promised, scope: str, now: int) -> None:
    purse = model.grace[scope]
    if not purse.allowance.window_ms:
        assert key.left == -1
        return
    last = max(purse.used(now).values(), default=now - purse.allowance.window_ms)
    assert last + purse.allowance.window_ms - now - SLACK_MS < key.left <= purse.allowance.window_ms
