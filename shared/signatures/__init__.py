"""Signed calls from elsewhere: which vendor signed how, and whether a secret of ours made it (platform §14).

Pure and total: whatever the headers and the body hold, the answer is a match or a refusal.
"""

from shared.signatures.secret import check_secret
from shared.signatures.verify import Match, Signature, SigningSecret, is_signed, read_signature, verify

__all__ = ["Match", "Signature", "SigningSecret", "check_secret", "is_signed", "read_signature", "verify"]
