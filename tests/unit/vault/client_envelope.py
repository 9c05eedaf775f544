"""What a client does before it sends a secret, written from the wire format alone (api §6)."""

from __future__ import annotations

import base64
import json
import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def encrypt_like_a_client(public_pem: bytes, plaintext: bytes, *, key_bytes: int = 32) -> dict[str, str]:
    key, iv = os.urandom(key_bytes), os.urandom(12)
    encryptor = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
    encrypted = encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag
    public = serialization.load_pem_public_key(public_pem)
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    parts = {"encryptedKey": public.encrypt(key, oaep), "encryptedData": encrypted, "iv": iv}
    return {name: base64.b64encode(data).decode() for name, data in parts.items()}


def as_sent(envelope: dict[str, str]) -> str:
    return json.dumps(envelope)
