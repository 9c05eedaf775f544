"""The ids that examples use. A test puts real ones in their place and makes the calls."""

from __future__ import annotations

IDS: dict[str, str] = {
    "organizationId": "Zk3vR8qLw2Tn5Yc7Xb1M",
    "userId": "u8Pq2WmN4kLs6Jd0Rt3V",
    "keyId": "k5Hn7Bv2Cx9Zq4Wm1TsA",
    "projectId": "p4Jf9Kd2Ls7Qw1Er6Ty3",
    "processId": "c7Gh2Nb5Mv8Xz1Ka4Sd9",
    "templateId": "t1Yu6Io3Pq8Wl5Ej2Rk7",
    "processInstanceId": "019ab3f2-5d0a-7c41-9e3b-6a2f1c8d4e70",
    "workflowId": "submit-feedback",
    "executionId": "019ab3f2-6c1e-7d60-8a55-2f4f8f1b7c10",
    "file": "public.pem",
}
"""By the name of the parameter or field that takes such an id."""
