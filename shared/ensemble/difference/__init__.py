"""What differs between two versions of a use case, for people and for programs (platform §10). Pure.

Total: any two stored versions can be compared, whatever their authors wrote. Nothing resolved is compared,
so nothing secret can show; what n8n keeps for itself (positions, pinned data, static data) is left out.
"""

from shared.ensemble.difference.difference import Difference, Sources, difference

__all__ = ["Difference", "Sources", "difference"]
