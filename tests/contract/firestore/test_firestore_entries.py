"""Whatever happens to documents, the stored index entries are those that follow from what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.firestore import names
from infra.local.firestore.catalogue import IndexCatalogue
from infra.local.firestore.clock import CommitClock
from infra.local.firestore.entries import Indexer
from infra.local.firestore.refusal import Refusal
from infra.local.firestore.storage import Row, Storage
from infra.local.firestore.store import Store, parsed
from infra.local.firestore.wire import Value, Write
from tests.contract.firestore.servers import INDEXES
from tests.contract.firestore.test_firestore_encoding import VALUES, Plain, wire_value

ROOT = "projects/p/databases/(default)"
NAMES = st.sampled_from(["runs/a", "runs/b", "x/y/runs/c", "sessions/s", "other/o"])
FIELDS = st.sampled_from(["at", "state", "owner", "tags", "cost", "payload", "expiresAt", "m"])
BODIES = st.dictionaries(FIELDS, VALUES, max_size=5)
STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "merge", "delete", "union", "increment"]), NAMES, BODIES), max_size=12
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    storage = Storage(tmp_path_factory.mktemp("entries") / "firestore.db")
    yield Store(storage, Indexer(IndexCatalogue(INDEXES)), CommitClock())
    storage.close()


def write_of(kind: str, name: str, body: dict[str, Plain]) -> Write:
    write = Write()
    if kind == "delete":
        write.delete = f"{ROOT}/documents/{name}"
        return write
    write.update.name = f"{ROOT}/documents/{name}"
    if kind in ("set", "merge"):
        for field, plain in body.items():
            write.update.fields[field].CopyFrom(wire_value(plain))
    if kind != "set":
        write.update_mask.field_paths.extend([*body, "m.inner"] if kind == "merge" else [])
    for field in body if kind in ("union", "increment") else ():
        transform = write.update_transforms.add(field_path=field)
        if kind == "union":
            transform.append_missing_elements.values.append(Value(string_value="new"))
        else:
            transform.increment.integer_value = 1
    return write


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_entries_follow_from_documents(store: Store, steps: list[tuple[str, str, dict[str, Plain]]]) -> None:
    for kind, name, body in steps:
        with suppress(Refusal):  # a refused write must leave the entries alone, too
            store.commit(ROOT, [write_of(kind, name, body)])
    expected = {}
    for identifier, name, updated, data in store.storage.main.execute(
        "SELECT id, name, updated, data FROM documents"
    ):
        row = Row(identifier, name, updated, data)
        for key in store.indexer.keys(names.place(name), parsed(row).fields):
            expected[key] = identifier
    assert dict(store.storage.main.execute("SELECT key, document FROM entries")) == expected
