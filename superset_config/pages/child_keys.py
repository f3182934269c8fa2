"""Keys that stand for a child in an address: meaningless to others, and worthless after the session or publication."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from flask import current_app, g, session

from kodomo.home import Home
from superset_config.security.files import place_of_request

BLOCK = 32
"""Ids are padded to a multiple of this many bytes, so that the length of a key does not show the kind of id."""
LONGEST = 400
"""Characters of the longest text that is tried as a key."""


class Keys:
    """The keys of one session and publication.

    They are encrypted without a random part: a link to a child stays the same while the session and the publication
    last, so that the browser's way back leads to a page that it knows.
    """

    def __init__(self, secret: bytes, session_id: str, publication: str) -> None:
        bound_to = "\0".join(["child", session_id, publication])
        self._cipher = AESSIV(hmac.digest(secret, bound_to.encode(), hashlib.sha512))

    def key_of(self, person_id: str) -> str:
        """The key of a person: letters, digits, ``-`` and ``_``."""
        plain = person_id.encode()
        plain += b"\0" * (-len(plain) % BLOCK)
        return base64.urlsafe_b64encode(self._cipher.encrypt(plain, None)).rstrip(b"=").decode()

    def person_of(self, key: str) -> str | None:
        """The person of a key; None for one that was guessed or changed, or is of other keys than these."""
        if len(key) > LONGEST or not key.isascii():
            return None
        try:
            sealed = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(sealed, None).rstrip(b"\0").decode()
        except (binascii.Error, InvalidTag, ValueError):
            return None


def _keys_of_request() -> Keys:
    """The keys of this request, made once: a list has a link for each of its children."""
    if "kodomo_child_keys" not in g:
        g.kodomo_child_keys = _made_keys()
    return g.kodomo_child_keys


def _made_keys() -> Keys:
    secret = current_app.config["SECRET_KEY"]
    folder = place_of_request(Home.from_environment(), current_app.appbuilder.sm).folder
    return Keys(
        secret if isinstance(secret, bytes) else secret.encode(), str(session.sid), folder.name if folder else ""
    )


def key_of(person_id: str) -> str:
    """The key of a person for addresses within the session of this request and the publication it reads."""
    return _keys_of_request().key_of(person_id)


def person_of(key: str) -> str | None:
    """The person of a key that this session was given for the publication it reads; None for any other text."""
    return _keys_of_request().person_of(key)
