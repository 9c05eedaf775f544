"""Examples of calls: files beside the endpoints, one for each, shown in the OpenAPI document.

They were recorded from a real gateway, and a test makes the calls again with ids of real objects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

IDS: dict[str, str] = {
    "organizationId": "Zk3vR8qLw2Tn5Yc7Xb1M",
    "userId": "u8Pq2WmN4kLs6Jd0Rt3V",
    "teamId": "m2Tc8Wq5Rv1Yx6Bn3Zp7",
    "invitationId": "n4Vf9Xs1Ht6Gj2Kd8Lw5",
    "processDeploymentId": "t1Yu6Io3Pq8Wl5Ej2Rk7",
    "deploymentInstanceId": "d6Mr3Ua8Ib5Oc1Pe7Sg2",
    "keyId": "k5Hn7Bv2Cx9Zq4Wm1TsA",
    "projectId": "p4Jf9Kd2Ls7Qw1Er6Ty3",
    "rolloutId": "r3Lo7Ut5Qx9Wn2Vb8Kz1",
    "processId": "c7Gh2Nb5Mv8Xz1Ka4Sd9",
    "templateId": "t1Yu6Io3Pq8Wl5Ej2Rk7",
    "processInstanceId": "019ab3f2-5d0a-7c41-9e3b-6a2f1c8d4e70",
    "workflowId": "submit-feedback",
    "executionId": "019ab3f2-6c1e-7d60-8a55-2f4f8f1b7c10",
    "secretId": "s8Wb4Hk2Qy6Vd1Nf9Jx3",
    "jobId": "j6Gt3Pn8Uc5Mw2Ex7Ld9",
    "file": "public.pem",
}
"""By the name of the parameter or field that takes such an id."""


@dataclass(frozen=True, slots=True)
class Example:
    """A call that works: body or query, and the answer within its envelope."""

    request: Mapping[str, object]
    response: Mapping[str, object]


def read_examples(folder: Path) -> dict[str, Example]:
    """Return the examples of a folder by the name of their endpoint."""
    files = sorted(folder.glob("*.json"))
    return {file.stem: Example(**json.loads(file.read_text())) for file in files}
