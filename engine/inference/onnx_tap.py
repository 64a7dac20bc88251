"""Inner tensors of an ONNX graph as outputs, without any further package.

A model file is one protocol buffer message. Serialized messages can be joined by putting one
after the other: parts of the same field merge (Protocol Buffers, Encoding, "Last One Wins" and
embedded messages). So an output is added by appending a model that holds nothing else, and the
graph's other outputs stay as they are, to the bit.
"""

from collections.abc import Iterator

from engine.errors import ModelPackageError

MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_OUTPUT = 1, 12
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR = 1, 2, 4
VALUE_NAME = 1
"""Field numbers of onnx.proto (ModelProto, GraphProto, NodeProto, ValueInfoProto)."""
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
NOT_A_MODEL = "The file is not an ONNX model: its bytes do not parse"
UPSAMPLING = frozenset({"Resize", "Upsample", "ConvTranspose"})
ACTIVATIONS = frozenset({"Relu", "LeakyRelu", "PRelu", "Elu", "Gelu", "Mish", "Softplus"})


def with_output(model: bytes, tensor: str) -> bytes:
    """The same model with an inner tensor as a further, last output."""
    return model + _field(MODEL_GRAPH, _field(GRAPH_OUTPUT, _field(VALUE_NAME, tensor.encode())))


def find_bottleneck(model: bytes) -> str:
    """Name of a U-Net's bottleneck: the last activation before the first upsampling.

    Raises:
        ModelPackageError: The graph has no upsampling, or none of its activations comes before.
    """
    activation = ""
    for node in _nodes(model):
        if node.operator in UPSAMPLING and activation:
            return activation
        if node.operator in ACTIVATIONS:
            activation = node.output
    raise ModelPackageError(
        "The network has no bottleneck that can be found: no activation comes before an "
        "upsampling; use an encoder package that names its layer"
    )


class _Node:
    """Operator and first output of one node."""

    def __init__(self, message: memoryview) -> None:
        self.operator = self.output = ""
        for number, value in _fields(message):
            if number == NODE_OPERATOR and isinstance(value, memoryview):
                self.operator = bytes(value).decode()
            if number == NODE_OUTPUT and isinstance(value, memoryview) and not self.output:
                self.output = bytes(value).decode()


def _nodes(model: bytes) -> Iterator[_Node]:
    for number, graph in _fields(memoryview(model)):
        if number == MODEL_GRAPH and isinstance(graph, memoryview):
            for part, node in _fields(graph):
                if part == GRAPH_NODE and isinstance(node, memoryview):
                    yield _Node(node)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field numbers with their content; bytes are not copied.

    Raises:
        ModelPackageError: Not a protocol buffer message.
    """
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _read_varint(message, at)
            yield number, value
            continue
        size = {FIXED_64: 8, FIXED_32: 4}.get(kind, -1)
        if kind == BYTES:
            size, at = _read_varint(message, at)
        if size < 0 or at + size > len(message):
            raise ModelPackageError(NOT_A_MODEL)
        yield number, message[at : at + size]
        at += size


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message):
            raise ModelPackageError(NOT_A_MODEL)
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
