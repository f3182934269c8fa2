"""Names of accounts as they are looked up and counted: one name, however it is typed."""

from __future__ import annotations

import ipaddress
import unicodedata

MAIL_DOMAIN = "kodomo.invalid"
"""Of the addresses that accounts are made with: no mail is delivered there, but an address logs in as its name does."""
LONGEST = 64


def account_name(given: object) -> str:
    """The name of the account that a typed name stands for; empty for what is no text.

    Width, case, spaces around it, characters that are not seen, and the account's mail address make no other account,
    and so no other count of attempts.
    """
    if not isinstance(given, str):
        return ""
    seen = "".join(c for c in unicodedata.normalize("NFKC", given[: 4 * LONGEST]) if unicodedata.category(c)[0] != "C")
    return seen.strip().casefold().removesuffix(f"@{MAIL_DOMAIN}").strip()[:LONGEST]


def client_address(given: str | None) -> str:
    """An address as attempts are counted by: an IPv4 address within IPv6 is the same, and so is all of a /64."""
    try:
        address = ipaddress.ip_address(given or "")
    except ValueError:
        return given or ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    # One household or one machine has a whole network of these.
    return str(ipaddress.ip_network((address, 64), strict=False))
