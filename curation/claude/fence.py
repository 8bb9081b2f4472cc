"""Fences stand around data in a message, and the data cannot guess them."""

import hmac

KEY_LENGTH = 32  # hexadecimal digits: 128 bits, out of reach of guessing


def fence_key(secret: bytes, sample_id: str, data: str) -> str:
    """The key that marks this sample's fences: the same in every run, and never a part of the data itself.

    It is an HMAC of the sample's id, so whoever wrote the data cannot know it without the warehouse's secret.
    """
    turn = 0
    while True:
        key = hmac.new(secret, f"{sample_id}/{turn}".encode(), "sha256").hexdigest()[:KEY_LENGTH]
        if key not in data:
            return key
        turn += 1
