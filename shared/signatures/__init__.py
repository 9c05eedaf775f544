"""Signed calls from elsewhere: which vendor signed how, and whether a secret of ours made it (platform §14).

Pure and total: whatever the headers and the body hold, the answer is a match or a refusal.
"""

from shared.signatures.verify import Match, SigningSecret, is_signed, verify

__all__ = ["Match", "SigningSecret", "is_signed", "verify"]
