"""Documents are asked for through queries that name their tenant, and in no other way (design)."""

from __future__ import annotations

import ast
import textwrap

import pytest

from shared.model.project import Project
from shared.store import refs
from shared.store.query import TENANT_FIELDS, TENANT_ROOTS, across, below, owned_by
from tests.support.sources import Source, broken_in, sources

STORE = "shared/store"

CONSTRUCTION = frozenset(
    {"collection", "collection_group", "document", "get_all", "where", "order_by", "select"}
)
"""Names by which the client library builds references and queries. ``where`` is ours too, on ``Query``."""

MAY_BUILD = {
    "shared/store/query.py": {"collection", "collection_group", "document", "where", "order_by", "select"},
    # Content-addressed texts below one organization: which of them exist is asked for.
    "shared/store/blobs.py": {"document", "get_all"},
    # Runs of one installation by their ids: which of them exist is asked for.
    "shared/store/executions.py": {"document", "get_all"},
    # An operator's walk through everything, to seal secrets with a new key; no request leads there.
    "shared/store/sweep.py": {"collection", "collection_group", "document", "order_by", "select"},
}
"""The files that build references or queries, and what they use for it."""

MAY_SWEEP = {"shared/services/keys/walk.py"}


def called(call: ast.Call) -> str:
    """The last part of a called name."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def reaches_client(source: Source) -> list[int]:
    """Lines outside the store that touch its client."""
    if source.name.startswith(f"{STORE}/"):
        return []
    return [
        node.lineno
        for node in source.nodes
        if isinstance(node, ast.Attribute)
        and node.attr in ("client", "_client", "calls")
        and ast.unparse(node.value).rpartition(".")[2].lstrip("_") == "store"
    ]


def builds(source: Source) -> set[str]:
    """Ways of the client library to build references and queries that a file uses."""
    names = {called(call) for call in source.calls() if isinstance(call.func, ast.Attribute)} & CONSTRUCTION
    # A condition of ours is `where(name, operator, value)`, the library's is `where(filter=...)`.
    ours = all(not call.keywords for call in source.calls() if called(call) == "where")
    return names - {"where"} if ours else names


def unbound(source: Source) -> list[str]:
    """Queries of a file that are not bound to a tenant by how they are written."""
    found = []
    for call in source.calls():
        match called(call), call.args:
            case "owned_by" | "across", [ast.Constant(), _, ast.Constant(value=field), owner] if (
                field in TENANT_FIELDS and not isinstance(owner, ast.Constant)
            ):
                pass
            case "below", [owner, ast.Constant(), _] if not isinstance(owner, ast.Constant):
                pass
            case "owned_by" | "across" | "below" | "Query", _ if source.name != f"{STORE}/query.py":
                found.append(f"{source.name}:{call.lineno}: {ast.unparse(call)}")
    return found


def test_only_the_store_touches_its_client() -> None:
    assert broken_in(reaches_client) == {}


def test_queries_are_built_in_the_files_that_say_why() -> None:
    assert broken_in(lambda source: builds(source) - MAY_BUILD.get(source.name, set())) == {}


def test_every_query_names_its_tenant() -> None:
    assert broken_in(unbound) == {}


def test_nothing_but_the_rotation_of_keys_walks_through_everything() -> None:
    importing = {
        source.name
        for source in sources()
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and node.module == "shared.store.sweep"
    }
    assert importing == MAY_SWEEP


def test_there_are_queries_to_check() -> None:
    made = [call for source in sources() for call in source.calls() if called(call) in ("owned_by", "below")]
    assert len(made) > 15


@pytest.mark.parametrize(
    "code",
    [
        "platform.store.client.collection('projects').stream()",
        "self._store.client.collection_group('executions')",
        "store._client.document('a/b')",
    ],
)
def test_a_service_that_goes_past_the_store_is_found(code: str) -> None:
    source = Source("shared/services/x.py", ast.parse(code))

    assert reaches_client(source) or builds(source)
    assert builds(source)


@pytest.mark.parametrize(
    "code",
    [
        "owned_by('projects', Project, 'name', wanted)",
        "owned_by('projects', Project, field, organization_id)",
        "across('executions', Execution, 'workflow_id', wanted)",
        "owned_by('projects', Project, 'organization_id', 'somebody')",
        "below(wanted)",
        "below('organizations/x', 'members', Member)",
        "Query('projects', Project)",
        "query.Query('projects', Project)",
    ],
)
def test_a_query_without_its_tenant_is_found(code: str) -> None:
    assert unbound(Source("shared/services/x.py", ast.parse(textwrap.dedent(code))))


def test_the_store_itself_refuses_what_is_bound_to_nobody() -> None:
    with pytest.raises(ValueError, match="tenant"):
        owned_by("projects", Project, "name", "a")
    with pytest.raises(ValueError, match="tenant"):
        across("executions", Project, "name", "a")
    with pytest.raises(ValueError, match="tenant"):
        below(refs.api_key("digest"), "uses", Project)
    assert {"organizations", "processInstances"} <= set(TENANT_ROOTS)
