"""One trial for one identity, however many names it comes under: by its mail, its browser, and so many for one network.

What is stored is a keyed hash, which nobody without the gateway's secret can trace, and not for longer than it counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from gateway.core.keyring import tag
from gateway.core.quantity import Allowance
from gateway.core.rule import OncePer
from gateway.core.subject import Subject, SubjectKind
from gateway.ports.trials import TrialClaim

_DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Where dots in the name say nothing, and what the domain is the same as."""


_SIGNED_IN = frozenset({SubjectKind.PERSON, SubjectKind.ACCOUNT})
"""Who claims a browser. A visitor is gone with its cookies anyway, and a key has none."""


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a request comes from, as far as that can be believed."""

    address: str
    device: str = ""
    """The browser's number (`gateway.access.device`)."""


NOWHERE = Whence("")


class Once:
    """What a subject's trial is claimed under."""

    def __init__(self, per: OncePer, key: bytes) -> None:
        self._per, self._key = per, key

    def claims(self, subject: Subject, claims: Mapping[str, object], whence: Whence) -> tuple[TrialClaim, ...]:
        """In the order that they are asked in; none for what the request does not tell."""
        per = self._per
        found = []
        said = claims.get(per.mail_claim) if per.mail_claim else subject.id if per.mail_is_subject else None
        if mail := normal_mail(said) if isinstance(said, str) else "":
            found.append(TrialClaim("mail", tag(self._key, "mail", mail), Allowance(1, per.kept_ms)))
        if per.device and whence.device and subject.kind in _SIGNED_IN:
            found.append(TrialClaim("device", tag(self._key, "device", whence.device), Allowance(1, per.kept_ms)))
        if per.network.count and (network := network_of(whence.address)):
            found.append(TrialClaim("network", tag(self._key, "network", network), per.network))
        return tuple(found)


def normal_mail(address: str) -> str:
    """One spelling for all addresses that lead to the same box, as far as that is known; empty for what is none."""
    name, at, domain = unicodedata.normalize("NFKC", address.strip()).casefold().rpartition("@")
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace("\\", "")  # RFC 5321 section 4.1.2: quoted or not is the same
    name = name.partition("+")[0] or name
    try:
        domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    if domain in _DOTLESS:
        name, domain = name.replace(".", ""), _DOTLESS[domain]
    return f"{name}@{domain}" if at and name and domain else ""


def network_of(address: str) -> str:
    """The /24 or /48 that an address is in; empty for what is none, as of a client on a unix socket."""
    # Some proxies name the port, too.
    host = address.partition("]")[0].removeprefix("[") if address.startswith("[") else address
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        ip = ip_address(host)
    except ValueError:
        return ""
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    bits = 48 if isinstance(ip, IPv6Address) and mapped is None else 24
    return str(ip_network(f"{mapped or ip}/{bits}", strict=False))
