"""E-mail addresses as people give them (platform §5)."""

from __future__ import annotations

import re

from shared.errors import InvalidRequest

_LONGEST = 254
_LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+(?=[a-z])[a-z0-9-]*[a-z0-9]{{1,63}}")


def email_address(given: object) -> str:
    """Return an address as it is kept: trimmed, in lower case, plain ASCII.

    Raises:
        InvalidRequest: ``EMAIL_REQUIRED``, there is none; ``EMAIL_INVALID``, no mail could be sent to it.
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        raise InvalidRequest(
            "An e-mail address is required.",
            code="EMAIL_REQUIRED",
            field="email",
            next_action="Send the request again with your e-mail address in the field email.",
        )
    # Some letters of other alphabets become ASCII in lower case: two people must not share an address.
    if isinstance(given, str) and len(given) <= 2 * _LONGEST and given.isascii():
        address = given.strip().lower()
        if len(address) <= _LONGEST and _ADDRESS.fullmatch(address):
            return address
    raise InvalidRequest(
        "This is not an e-mail address we can send mail to.",
        code="EMAIL_INVALID",
        field="email",
        next_action="Check the address for typing errors: it looks like name@example.com.",
    )
