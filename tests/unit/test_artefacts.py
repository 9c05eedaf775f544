"""What is generated from the endpoint registry is up to date, and says what the gateway does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from functions import load_all
from infra.artefacts.__main__ import artefacts
from shared.http.access import TaskCall
from shared.http.artefacts.firebase import pattern
from shared.http.declaration import REGISTRY
from shared.http.routes import first_segment, route_table

ROOT = Path(__file__).resolve().parents[2]
load_all()
ENDPOINTS = REGISTRY.all()
PUBLIC = [endpoint for endpoint in ENDPOINTS if not isinstance(endpoint.access, TaskCall)]
ALL_NAMES = [(endpoint, name) for endpoint in PUBLIC for name in endpoint.names]


def test_every_generated_file_is_what_the_registry_generates() -> None:
    generated = artefacts()
    assert len(generated) > 5
    assert [path for path, text in generated.items() if path.read_text() != text] == []


@given(
    which=st.sampled_from(range(len(ALL_NAMES))),
    upper=st.lists(st.booleans(), min_size=40, max_size=40),
    slashes=st.integers(1, 3),
)
def test_hosting_and_gateway_lead_every_spelling_of_a_path_to_the_same_function(
    which: int, upper: list[bool], slashes: int
) -> None:
    endpoint, name = ALL_NAMES[which]
    spelled = "".join(c.upper() if up else c.lower() for c, up in zip(name, upper, strict=False))
    path = "/" * slashes + "/".join([spelled, *("x" * 3 for _ in endpoint.params)])
    matching = [other.name for other in PUBLIC if re.search(pattern(other), path)]
    assert matching == [endpoint.name]
    assert route_table(ENDPOINTS)[first_segment(path)] is endpoint


def test_task_handlers_are_not_reachable_through_hosting() -> None:
    rewrites = json.loads((ROOT / "firebase.json").read_text())["hosting"]["rewrites"]
    served = {rewrite["run"]["serviceId"] for rewrite in rewrites}
    assert served == {endpoint.name.lower() for endpoint in PUBLIC}


def test_the_openapi_document_is_valid() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    validate(document)
    assert len(document["paths"]) == len(PUBLIC)


def test_every_endpoint_is_a_cloud_function_with_its_own_entry_point() -> None:
    functions = json.loads((ROOT / "infra" / "terraform" / "functions.json").read_text())
    assert {entry["entry_point"] for entry in functions.values()} == {e.name for e in ENDPOINTS}


def test_a_function_imports_its_own_module_alone() -> None:
    script = (
        "import sys; from functions.targets import load_target; load_target('verifyApiKey');"
        "print([m for m in sys.modules if m.startswith('functions.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(eval(done.stdout)) == {"functions.targets", "functions.identity"}
