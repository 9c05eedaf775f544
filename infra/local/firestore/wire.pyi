"""The types of ``wire``: the messages as attributes, which is all that the server uses of them."""

from collections.abc import Iterable, Iterator, MutableSequence
from typing import ClassVar, Protocol, Self, TypeVar

K = TypeVar("K")
M = TypeVar("M", bound="Message")

class Message:
    def __init__(self, **fields: object) -> None: ...
    @classmethod
    def FromString(cls, data: bytes) -> Self: ...
    def SerializeToString(self) -> bytes: ...
    def ByteSize(self) -> int: ...
    def CopyFrom(self, other: Self) -> None: ...
    def Clear(self) -> None: ...
    def ClearField(self, name: str) -> None: ...
    def HasField(self, name: str) -> bool: ...
    def SetInParent(self) -> None: ...
    def WhichOneof(self, name: str) -> str | None: ...

class Messages(Protocol[M]):
    def __iter__(self) -> Iterator[M]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> M: ...
    def add(self, **fields: object) -> M: ...
    def append(self, message: M) -> None: ...
    def extend(self, messages: Iterable[M]) -> None: ...

class MessageMap(dict[K, M]): ...

class Timestamp(Message):
    seconds: int
    nanos: int

class Empty(Message): ...

class Int32Value(Message):
    value: int

class DoubleValue(Message):
    value: float

class Value(Message):
    null_value: int
    boolean_value: bool
    integer_value: int
    double_value: float
    timestamp_value: Timestamp
    string_value: str
    bytes_value: bytes
    reference_value: str
    geo_point_value: LatLng
    array_value: ArrayValue
    map_value: MapValue

Fields = MessageMap[str, Value]

class MapValue(Message):
    fields: MessageMap[str, Value]

class ArrayValue(Message):
    values: Messages[Value]

class Document(Message):
    name: str
    fields: MessageMap[str, Value]
    create_time: Timestamp
    update_time: Timestamp

class DocumentMask(Message):
    field_paths: MutableSequence[str]

class Precondition(Message):
    exists: bool
    update_time: Timestamp

class TransactionOptions(Message):
    read_only: ReadOnly
    read_write: ReadWrite

class Write(Message):
    update: Document
    delete: str
    transform: DocumentTransform
    update_mask: DocumentMask
    update_transforms: Messages[FieldTransform]
    current_document: Precondition

class WriteResult(Message):
    update_time: Timestamp
    transform_results: Messages[Value]

class FieldTransform(Message):
    field_path: str
    set_to_server_value: int
    increment: Value
    maximum: Value
    minimum: Value
    append_missing_elements: ArrayValue
    remove_all_from_array: ArrayValue

class DocumentChange(Message):
    document: Document
    target_ids: MutableSequence[int]
    removed_target_ids: MutableSequence[int]

class DocumentDelete(Message):
    document: str
    removed_target_ids: MutableSequence[int]
    read_time: Timestamp

class DocumentRemove(Message):
    document: str
    removed_target_ids: MutableSequence[int]
    read_time: Timestamp

class StructuredQuery(Message):
    class Direction:
        DESCENDING: ClassVar[int]

    select: Projection
    from_: Messages[CollectionSelector]
    where: Filter
    order_by: Messages[Order]
    start_at: Cursor
    end_at: Cursor
    offset: int
    limit: Int32Value
    find_nearest: FindNearest

class StructuredAggregationQuery(Message):
    structured_query: StructuredQuery
    aggregations: Messages[Aggregation]

class Cursor(Message):
    values: Messages[Value]
    before: bool

class FieldFilter(Message):
    class Operator:
        LESS_THAN: ClassVar[int]
        LESS_THAN_OR_EQUAL: ClassVar[int]
        GREATER_THAN: ClassVar[int]
        GREATER_THAN_OR_EQUAL: ClassVar[int]
        EQUAL: ClassVar[int]
        NOT_EQUAL: ClassVar[int]
        ARRAY_CONTAINS: ClassVar[int]
        IN: ClassVar[int]
        ARRAY_CONTAINS_ANY: ClassVar[int]
        NOT_IN: ClassVar[int]

    field: FieldReference
    op: int
    value: Value

class UnaryFilter(Message):
    class Operator:
        IS_NAN: ClassVar[int]
        IS_NULL: ClassVar[int]
        IS_NOT_NAN: ClassVar[int]
        IS_NOT_NULL: ClassVar[int]

    op: int
    field: FieldReference

class CompositeFilter(Message):
    class Operator:
        AND: ClassVar[int]
        OR: ClassVar[int]

    op: int
    filters: Messages[Filter]

class Filter(Message):
    composite_filter: CompositeFilter
    field_filter: FieldFilter
    unary_filter: UnaryFilter

class Order(Message):
    field: FieldReference
    direction: int

class FindNearest(Message):
    class DistanceMeasure:
        EUCLIDEAN: ClassVar[int]
        COSINE: ClassVar[int]
        DOT_PRODUCT: ClassVar[int]

    vector_field: FieldReference
    query_vector: Value
    distance_measure: int
    limit: Int32Value
    distance_result_field: str
    distance_threshold: DoubleValue

class Aggregation(Message):
    count: Count
    sum: Sum
    avg: Avg
    alias: str

class GetDocumentRequest(Message):
    name: str
    mask: DocumentMask
    transaction: bytes
    read_time: Timestamp

class ListDocumentsRequest(Message):
    parent: str
    collection_id: str
    page_size: int
    page_token: str
    order_by: str
    mask: DocumentMask
    transaction: bytes
    read_time: Timestamp
    show_missing: bool

class CreateDocumentRequest(Message):
    parent: str
    collection_id: str
    document_id: str
    document: Document
    mask: DocumentMask

class UpdateDocumentRequest(Message):
    document: Document
    update_mask: DocumentMask
    mask: DocumentMask
    current_document: Precondition

class DeleteDocumentRequest(Message):
    name: str
    current_document: Precondition

class BatchGetDocumentsRequest(Message):
    database: str
    documents: MutableSequence[str]
    mask: DocumentMask
    transaction: bytes
    new_transaction: TransactionOptions
    read_time: Timestamp

class BeginTransactionRequest(Message):
    database: str
    options: TransactionOptions

class BeginTransactionResponse(Message):
    transaction: bytes

class CommitRequest(Message):
    database: str
    writes: Messages[Write]
    transaction: bytes

class CommitResponse(Message):
    write_results: Messages[WriteResult]
    commit_time: Timestamp

class RollbackRequest(Message):
    database: str
    transaction: bytes

class RunQueryRequest(Message):
    parent: str
    structured_query: StructuredQuery
    transaction: bytes
    new_transaction: TransactionOptions
    read_time: Timestamp

class RunAggregationQueryRequest(Message):
    parent: str
    structured_aggregation_query: StructuredAggregationQuery
    transaction: bytes
    new_transaction: TransactionOptions
    read_time: Timestamp

class RunAggregationQueryResponse(Message):
    result: AggregationResult
    transaction: bytes
    read_time: Timestamp

class PartitionQueryRequest(Message):
    parent: str
    structured_query: StructuredQuery
    partition_count: int
    page_token: str
    page_size: int
    read_time: Timestamp

class PartitionQueryResponse(Message):
    partitions: Messages[Cursor]
    next_page_token: str

class ListenRequest(Message):
    database: str
    add_target: Target
    remove_target: int

class ListenResponse(Message):
    target_change: TargetChange
    document_change: DocumentChange
    document_delete: DocumentDelete
    document_remove: DocumentRemove

class Target(Message):
    query: QueryTarget
    documents: DocumentsTarget
    resume_token: bytes
    read_time: Timestamp
    target_id: int
    once: bool
    expected_count: Int32Value

class TargetChange(Message):
    class TargetChangeType:
        NO_CHANGE: ClassVar[int]
        ADD: ClassVar[int]
        REMOVE: ClassVar[int]
        CURRENT: ClassVar[int]
        RESET: ClassVar[int]

    target_change_type: int
    target_ids: MutableSequence[int]
    cause: Status
    resume_token: bytes
    read_time: Timestamp

class ListCollectionIdsRequest(Message):
    parent: str
    page_size: int
    page_token: str
    read_time: Timestamp

class ListCollectionIdsResponse(Message):
    collection_ids: MutableSequence[str]
    next_page_token: str

class BatchWriteRequest(Message):
    database: str
    writes: Messages[Write]

class BatchWriteResponse(Message):
    write_results: Messages[WriteResult]
    status: Messages[Status]

class LatLng(Message):
    latitude: float
    longitude: float

class ReadOnly(Message):
    read_time: Timestamp

class ReadWrite(Message):
    retry_transaction: bytes
    concurrency_mode: int

class DocumentTransform(Message):
    document: str
    field_transforms: Messages[FieldTransform]

class Projection(Message):
    fields: Messages[FieldReference]

class CollectionSelector(Message):
    collection_id: str
    all_descendants: bool

class FieldReference(Message):
    field_path: str

class Count(Message):
    up_to: Int32Value

class Sum(Message):
    field: FieldReference

class Avg(Message):
    field: FieldReference

class AggregationResult(Message):
    aggregate_fields: MessageMap[str, Value]

class QueryTarget(Message):
    parent: str
    structured_query: StructuredQuery

class DocumentsTarget(Message):
    documents: MutableSequence[str]

class Status(Message):
    code: int
    message: str

def varint(number: int) -> bytes: ...
def framed(field: int, payload: bytes) -> bytes: ...
def timestamp(micros: int) -> Timestamp: ...
def micros(moment: Timestamp) -> int: ...
