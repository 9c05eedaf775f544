"""The raw protobuf classes of ``google.firestore.v1``, and framing of responses by hand.

The classes behind proto-plus are an order of magnitude cheaper than its wrappers. Their types are
declared in ``wire.pyi``. Documents stay serialized from disk to socket: a response is put together from
the stored bytes, because a length-delimited field is only a tag and a length.
"""

from collections.abc import MutableMapping as _MutableMapping

from google.protobuf import empty_pb2 as _empty
from google.protobuf import timestamp_pb2 as _timestamp
from google.protobuf.message import Message as Message

from infra.local.firestore.messages import module as _module

_common = _module("common")
_document = _module("document")
_firestore = _module("firestore")
_query = _module("query")
_write = _module("write")

Timestamp = _timestamp.Timestamp
Empty = _empty.Empty

Value = _document.Value.pb()
Fields = _MutableMapping  # the containers of map fields have no public class; the stub says what they do
MapValue = _document.MapValue.pb()
ArrayValue = _document.ArrayValue.pb()
Document = _document.Document.pb()

DocumentMask = _common.DocumentMask.pb()
Precondition = _common.Precondition.pb()
TransactionOptions = _common.TransactionOptions.pb()

Write = _write.Write.pb()
WriteResult = _write.WriteResult.pb()
FieldTransform = _write.DocumentTransform.pb().FieldTransform
DocumentChange = _write.DocumentChange.pb()
DocumentDelete = _write.DocumentDelete.pb()
DocumentRemove = _write.DocumentRemove.pb()

StructuredQuery = _query.StructuredQuery.pb()
StructuredAggregationQuery = _query.StructuredAggregationQuery.pb()
Cursor = _query.Cursor.pb()
FieldFilter = StructuredQuery.FieldFilter
UnaryFilter = StructuredQuery.UnaryFilter
CompositeFilter = StructuredQuery.CompositeFilter
Filter = StructuredQuery.Filter
Order = StructuredQuery.Order
FindNearest = StructuredQuery.FindNearest
Aggregation = StructuredAggregationQuery.Aggregation

GetDocumentRequest = _firestore.GetDocumentRequest.pb()
ListDocumentsRequest = _firestore.ListDocumentsRequest.pb()
CreateDocumentRequest = _firestore.CreateDocumentRequest.pb()
UpdateDocumentRequest = _firestore.UpdateDocumentRequest.pb()
DeleteDocumentRequest = _firestore.DeleteDocumentRequest.pb()
BatchGetDocumentsRequest = _firestore.BatchGetDocumentsRequest.pb()
BeginTransactionRequest = _firestore.BeginTransactionRequest.pb()
BeginTransactionResponse = _firestore.BeginTransactionResponse.pb()
CommitRequest = _firestore.CommitRequest.pb()
CommitResponse = _firestore.CommitResponse.pb()
RollbackRequest = _firestore.RollbackRequest.pb()
RunQueryRequest = _firestore.RunQueryRequest.pb()
RunAggregationQueryRequest = _firestore.RunAggregationQueryRequest.pb()
RunAggregationQueryResponse = _firestore.RunAggregationQueryResponse.pb()
PartitionQueryRequest = _firestore.PartitionQueryRequest.pb()
PartitionQueryResponse = _firestore.PartitionQueryResponse.pb()
ListenRequest = _firestore.ListenRequest.pb()
ListenResponse = _firestore.ListenResponse.pb()
Target = _firestore.Target.pb()
TargetChange = _firestore.TargetChange.pb()
ListCollectionIdsRequest = _firestore.ListCollectionIdsRequest.pb()
ListCollectionIdsResponse = _firestore.ListCollectionIdsResponse.pb()
BatchWriteRequest = _firestore.BatchWriteRequest.pb()
BatchWriteResponse = _firestore.BatchWriteResponse.pb()


def varint(number: int) -> bytes:
    """The base-128 form of a non-negative integer."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def framed(field: int, payload: bytes) -> bytes:
    """``payload`` as the length-delimited field number ``field`` of a message."""
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def timestamp(micros: int) -> Timestamp:
    """The moment ``micros`` microseconds after 1970."""
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1000)


def micros(moment: Timestamp) -> int:
    """Microseconds since 1970, rounded down."""
    return moment.seconds * 1_000_000 + moment.nanos // 1000
