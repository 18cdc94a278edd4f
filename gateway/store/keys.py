"""How the store names things. Written by these functions and, where a name follows from stored data, by the scripts.

| key | what it is |
|---|---|
| `pw:{S}` | hash, the subject: `id` as the operator knows it, `ts` `te` trial start and end, `eu` entitled until, `cr` credits, `we` `wl` window end and results left, `da` `dr` date and reason of a refusal, `st` payments settled, `rn` results it got, `su` open by subscriptions until, `uc` the checkout that is unknown, `wa:CURRENCY` what is in the wallet, `ea` erased at, `mi` `mn` key of whom it was merged into and how often, `g:SCOPE` one mark for each grace purse |
| `pw:{S}:grace:SCOPE` | sorted set: operations that took a grace result, by instant |
| `pw:{S}:spent` | sorted set: operations that took a credit or a window result, by instant |
| `pw:{S}:void` | sorted set: operations that were given back, by instant: they take nothing any more |
| `pw:{S}:had` | that it had a trial, where the subject itself is forgotten after a while (`retention`) |
| `pw:{S}:note` | free text of a refusal |
| `pw:{S}:parcel` | JSON: what is on its way to the subject that this one was merged into |
| `pw:{S}:holds` | sorted set: holds by the instant they end, `SIZE:h\\|p:ID` |
| `pw:{S}:reserved` | sorted set: holds that are being written, by instant |
| `pw:{S}:hold:ID` | hash, one hold; its chunks in the store are `pw:{S}:hold:ID:0` and so on; `pw:{S}:hold:ID:room` says how many bytes are reserved for one that is being written |
| `pw:{S}:checkouts` | sorted set: open checkouts by the instant they end |
| `pw:{S}:checkout:ID` | hash, one checkout, until it is paid or ends |
| `pw:{S}:subscriptions` | hash of JSON: subscriptions by provider and its id, also those that have ended |
| `pw:{S}:ledger` | list of JSON entries, append-only: payments (with their checkouts), grants, spent credits, an erasure |
| `pw:{S}:marks` | hash, for ever: digests of events, payments, checkouts, paid offers, grants, extensions and unmatched payments, each with the number of its entry on the ledger; an erasure takes those of checkouts and offers |
| `pw:payments:{B}` | hash, for ever: digests of payments, each with the `S` it belongs to, or `erased`; `B` is one of 16,384 buckets |
| `pw:attempt:{D}` | hash, one payment that came signed with a request, under what can move its money only once: `state`, `holder`, `ends` and `pause` of who is at it, `digest` of all that came, `hold` `owner` `checkout` `amount` it is for, `transaction` `reason`, and the `request` for its settlement until it is known what came of it; a year, and for ever while it is in doubt |
| `pw:trial:{D}` | sorted set: subjects that got a trial under `D`, keyed hash of an address of mail or a network, by instant; as long as it counts |
| `{pw:schema}` | hash: `newest` schema that was ever worked with here, and the `oldest` that still may be |
| `{pw:store}` | the store's own name, made once: what waits on disk says for which store it waits |
| `{pw:events}` | stream of events |
| `{pw:events}:writer:W` | how many of the events of the process `W` are in the stream; for 90 days after its last one |
| `{pw:events}:once:M` | that an event with the mark `M` is in the stream; for 90 days |
| `{pw:pending}` | sorted set: references of checkouts of which it is not known how they ended, by when their provider is to be asked |
| `{pw:stock}` | hash: `id` and `key` of this store in the storage of large held results, `bytes` there, `sweeps` so far |
| `{pw:stock}:turn` | whose turn it was to sweep that storage; as long as nobody else's is |

`S` is `Subject.key`. The short field names keep a subject that only browses under 400 bytes.
"""  # noqa: E501 - a table row can't be broken

from __future__ import annotations

import hashlib

from gateway.core.subject import Subject

CHANGED_CHANNEL = "pw:changed"
"""Subject keys are published here whenever a verb changed a subject."""

STORE_NAME = "{pw:store}"

EVENT_STREAM = "{pw:events}"

STOCK = "{pw:stock}"

PENDING_CHECKOUTS = "{pw:pending}"

SCHEMA_KEY = "{pw:schema}"


def event_writer_key(writer: str) -> str:
    """Where the store remembers what it has of one writer of events.

    A key for each and not one hash for all: so the store itself forgets who is gone, without looking for them.
    """
    return f"{EVENT_STREAM}:writer:{writer}"


_BUCKETS = 16_384
"""A bucket of some hundred payments is packed tightly by the server, 40 bytes for each: good for millions of them."""


def payment_claim(provider: str, payment: str, event: str) -> tuple[str, bytes]:
    """Where it is kept whom a payment belongs to: the key of a bucket, and the payment's digest in it.

    One without a name of its own goes by its event's. Providers may number both from 1, so they are told apart.
    """
    name = f"{provider}:{payment}" if payment else f"{provider} event:{event}"  # no provider's name has a space
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).digest()
    return f"pw:payments:{{{int.from_bytes(digest[:2], 'big') % _BUCKETS:04x}}}", digest[2:]


def trial_claim(digest: str) -> str:
    """Where it is kept who got a trial under a mail or a network."""
    return f"pw:trial:{{{digest}}}"


def attempt_key(key: str) -> str:
    """Where the store keeps how far a payment has come that was signed with a request."""
    return f"pw:attempt:{{{key}}}"


def event_mark_key(mark: str) -> str:
    """Where the store remembers that an event with this mark is in the stream."""
    return f"{EVENT_STREAM}:once:{mark}"


def subject_key(subject: Subject) -> str:
    """The subject's own key, and what all its other keys begin with."""
    return key_of(subject.key)


def key_of(key: str) -> str:
    """The same out of `Subject.key`, where the subject itself is not known yet."""
    return f"pw:{{{key}}}"


def subject_id(subject: Subject) -> bytes:
    """The subject as an operator knows it. Bytes, because an id may hold lone surrogates."""
    return str(subject).encode("utf-8", "surrogatepass")
