"""The OpenAPI document of all public endpoints."""

from shared.http.artefacts.openapi.document import openapi

__all__ = ["openapi"]
