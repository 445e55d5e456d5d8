"""The leak scan: whether a text contains any part of a secret. A part is sixteen bytes, or a whole access key id."""

import re

WINDOW = 16
KEY_ID = re.compile("A[KS]IA[A-Z0-9]{16}")


def parts(secret: str) -> set[str]:
    window = len(secret) if KEY_ID.fullmatch(secret) else min(WINDOW, len(secret))
    return {secret[start : start + window] for start in range(len(secret) - window + 1)} - {""}


def find(secrets: list[str], text: str) -> str | None:
    """Where the first part is; never what it is."""
    for number, secret in enumerate(secrets, 1):
        at = min((text.find(part) for part in parts(secret) if part in text), default=None)
        if at is not None:
            return f"a part of secret {number} of {len(secrets)} at character {at}"
    return None
