"""Compares exported models with what other programs make of them, and models of other programs with
what gristmill makes of them. Run by `cargo xtask check-models`, which says where everything is."""

import csv
import json
import logging
import math
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file as save_numpy

try:
    import safetensors.torch
    import torch
except ImportError:
    torch = None

GRISTMILL, DOCS, WORK = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
# As it is up to 1, beyond as a share of the prediction or of the spread of all: a number near 0 that is
# the sum of large ones has their rounding.
TOLERANCE = 1e-5
ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky-relu", "elu(0.5)", "gelu", "silu", "softplus"]
failures = []


def gristmill(*arguments):
    done = subprocess.run([GRISTMILL, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"gristmill {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def judge(what, expected, found):
    expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    if expected.shape != found.shape:
        failures.append(f"{what}: {found.shape} predictions, expected {expected.shape}")
        return
    scale = np.maximum(np.maximum(np.abs(expected), expected.std(0)), 1)
    difference = np.max(np.abs(expected - found) / scale)
    print(f"{what:<44} {difference:.1e}", flush=True)
    if not difference <= TOLERANCE:
        failures.append(f"{what}: differs by {difference:.1e}, at most {TOLERANCE:.0e} is accepted")


def predictions(text):
    """The numbers of what `gristmill predict` prints: a column of classes may come first."""
    head, *rows = csv.reader(text.splitlines())
    first = 1 if len(head) > 1 and head[1].startswith("p(") else 0
    return [[float(value) for value in row[first:]] for row in rows]


# --- models of ours, by others ------------------------------------------------------------------


def table(name, target, rows=200):
    """Two numbers, of which one may be missing, two texts, and a target."""
    lines = ["length,colour,width,shape," + ",".join(target)]
    for row in range(rows):
        length, width = row * 7919 % 1000 / 50 - 8, row * 104729 % 1000 / 300
        colour, shape = ["red", "light \"blue\"", "é"][row % 3], ["flat", "round"][row // 3 % 2]
        missing = row % 17 == 5 and name == "missing"
        values = [
            repr(length),
            '"' + colour.replace('"', '""') + '"',
            "" if missing else repr(width),
            shape,
        ]
        for column in target:
            kind = int(length + 8) // 4 + (row // 3 % 2)
            values.append({
                "kind": ["aster", "bellis", "crocus", "dahlia"][kind % 4],
                "answer": ["no", "yes"][kind % 2],
                "price": repr(300 * length + 5 * width * (row // 3 % 2) + 1000),
                "tax": repr(length * width),
            }[column])
        lines.append(",".join(values))
    path = WORK / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def cases():
    """A name, a table, and the options of a training."""
    classes = table("classes", ["kind"])
    for activation in ACTIVATIONS:
        yield activation.split("(")[0], classes, ["--activation", activation, "--hidden", "7,5"]
    two = table("two", ["answer"])
    yield "two classes", two, ["--hidden", "6", "--loss", "softmax-cross-entropy"]
    yield "one logit", two, ["--hidden", "6", "--loss", "binary-cross-entropy"]
    yield "no hidden layer", two, ["--hidden", "none", "--no-bias"]
    yield "a number", table("number", ["price"]), ["--target", "price", "--hidden", "8"]
    both = ["--target", "price", "--target", "tax", "--task", "regress"]
    yield "two numbers", table("numbers", ["price", "tax"]), [*both, "--hidden", "8,8"]
    missing = table("missing", ["answer"])
    yield "missing values", missing, ["--missing", "mean", "--hidden", "6"]
    numbers = WORK / "plain.csv"
    rows = [f"{i % 13 / 3},{i * i % 29},{'ab'[i % 13 > 6]}" for i in range(150)]
    numbers.write_text("\n".join(["x,y,kind", *rows]) + "\n")
    yield "numbers only", numbers, ["--hidden", "4", "--activation", "tanh"]


# Networks that together have every kind of layer, each in every form that its values may have.
NETWORKS = [
    (
        "images",
        "5x7x3",
        "conv 6 3x3 padding=same bias=false, batch-norm, relu, conv 6 3 padding=1 activation=tanh, "
        "add from=conv2+activation1, pool 2, conv 12 2 groups=3 activation=silu, batch-norm, "
        "dropout 0.2, global-pool, dense 9",
    ),
    (
        "images in torch",
        "8x6x4",
        "conv 4 3 groups=4 padding=same stride=2, batch-norm, gelu, conv 8 1, conv 8 3 padding=same dilation=2, "
        "concat from=conv3+conv2, pool 2 function=average padding=1, leaky-relu(0.2), flatten, dense 7",
    ),
    (
        "depthwise",
        "8x6x4",
        "conv 4 3 groups=4 padding=same stride=2, layer-norm, gelu, conv 8 1, prelu, conv 8 3 padding=same dilation=2, "
        "concat from=conv3+conv2, pool 2 function=average padding=1, global-pool function=max, leaky-relu",
    ),
    (
        "norms",
        "5x7x3",
        "pool 3 function=average stride=2 padding=1, rms-norm, pool 2 stride=1 padding=1, flatten, layer-norm, "
        "dense 17, scale, prelu, rms-norm, batch-norm",
    ),
    ("series", "35x3", "gru 7 gives=all, scale, lstm 5 direction=backward gives=all, layer-norm, gru 6, dense 4"),
    (
        "both directions",
        "20x4",
        "gru 3 gives=all from=features, gru 3 gives=all direction=backward from=features, concat from=gru1+gru2, "
        "batch-norm, lstm 4, lstm 4 direction=backward from=batch-norm1, add from=lstm1+lstm2",
    ),
    ("convolved series", "35x3", "conv 8 5 stride=2 dilation=2, relu, pool 3 stride=2, lstm 6 gives=all, conv 4 3, softplus"),
    (
        "attention",
        "20x3",
        "conv 8 3 stride=2, positions, layer-norm, conv 24 1, attention 2 causal=true rotary=true, "
        "add from=positions1+attention1, attention 4 from=conv2, add from=add1+attention2, global-pool, dense 5",
    ),
    ("attention between pixels", "4x3x6", "positions, conv 18 1, attention 3, conv 12 1, attention rotary=true, dense 5"),
    ("numbers", None, "smooth-clip, periodic, scale, dense 12, smooth-clip, periodic 3 frequencies=5, dense 7"),
    ("bins", None, "piecewise-linear, smooth-clip, dense 12"),
    ("bins of channels", "5x7x3", "piecewise-linear 4 bins=9, conv 6 3, relu, global-pool"),
    ("tokens", "30x1", "embedding 6 vocabulary=2, conv 8 3 padding=same, relu, pool 2, gru 5"),
    ("bag of tokens", None, "embedding 5 vocabulary=2 combine=mean, scale, batch-norm, dense 7"),
    (
        "plain numbers",
        None,
        "dense 16, dense 16 dropout=0.1, add from=dense1+dense2, concat from=add1+dense1+features, elu(0.5), "
        "batch-norm, sigmoid",
    ),
]


def networks():
    """A name, a table to train with, one to predict, and the options, for networks of all kinds of layers."""
    for name, shape, layers in NETWORKS:
        width = math.prod(map(int, shape.split("x"))) if shape else 12
        value = lambda row, i: (row * 7919 + i * 104729 + row * i) % 1009 / 300 - 1.5
        lines = [",".join([f"x{i}" for i in range(width)] + ["kind"])]
        for row in range(120):
            x = [value(row, i) for i in range(width)]
            kind = "abc"[int(3 * x[0] + x[1] + x[-1]) % 3]
            lines.append(",".join([f"{v:.4f}" for v in x] + [kind]))
        path = WORK / f"{name.replace(' ', '-')}.csv"
        path.write_text("\n".join(lines) + "\n")
        yield name, path, path, [*(["--shape", shape] if shape else []), "--layers", layers]
    colours, paths = ["red", 'light "blue"', "é"], []
    for name, others in [("indexed", []), ("unknown", [("green", 9), ("red", -1), ("white", 1.5)])]:
        pairs = [(colours[row % 3], row * row % 5) for row in range(90)] + others
        lines = ["length,colour,code,kind"]
        for row, (colour, code) in enumerate(pairs):
            text = '"' + colour.replace('"', '""') + '"'
            lines.append(f"{row * 7919 % 1000 / 500},{text},{code},{'ab'[(row + row // 7) % 2]}")
        paths.append(WORK / f"{name}.csv")
        paths[-1].write_text("\n".join(lines) + "\n")
    options = ["--target", "kind", "--index", "colour,code"]
    yield "index columns", *paths, [*options, "--layers", "embedding 3, dense 8, tanh, batch-norm"]
    yield "mean of categories", *paths, [*options, "--layers", "embedding 3 combine=mean, dense 8, tanh"]


def encode(about, path):
    """Raw rows as features, by the metadata."""
    rows = list(csv.DictReader(path.open()))
    columns = []
    for column in about["encoding"]["inputs"]:
        values = [row[column["name"]] for row in rows]
        if vocabulary := column.get("vocabulary"):
            names = vocabulary.get("names") or [str(code) for code in range(vocabulary["codes"])]
            columns.append([names.index(v) if v in names else len(names) for v in values])
        elif "categories" in column:
            columns += [[float(v == c) for v in values] for c in column["categories"]]
        else:
            fill = column.get("fill", math.nan)
            columns.append([float(v) if v else fill for v in values])
    return np.array(columns, np.float32).T


def by_onnx(path, rows):
    onnx.checker.check_model(onnx.load(path))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    table = list(csv.DictReader(rows.open()))
    texts = {i.name for i in session.get_inputs() if i.type == "tensor(string)"}
    metadata = session.get_modelmeta().custom_metadata_map
    inputs = json.loads(metadata["gristmill"])["encoding"]["inputs"]
    is_text = lambda column: "categories" in column or "names" in column.get("vocabulary", {})
    numbers = [column["name"] for column in inputs if not is_text(column)]
    feed = {}
    for name in (i.name for i in session.get_inputs()):
        if name in texts:
            feed[name] = np.array([[row[name]] for row in table], object)
        else:
            values = [[float(row[n] or "nan") for n in numbers] for row in table]
            feed[name] = np.array(values, np.float32)
    output = session.get_outputs()[0].name
    all_rows = session.run([output], feed)[0]
    # The batch dimension is free.
    first = session.run([output], {name: value[:1] for name, value in feed.items()})[0]
    judge("  onnxruntime, one row and all", all_rows[:1], first)
    return all_rows


def scripts():
    """The Python of the documentation about safetensors, in its order."""
    text = DOCS.read_text()
    part = text[text.index("## safetensors") :]
    return re.findall(r"```python\n(.*?)```", part[: part.index("\n## ", 1)], re.S)


def by_torch(path, features):
    scope = {"features": torch.tensor(features)}
    for script in scripts()[:2]:
        exec(script.replace("iris.safetensors", str(path)), scope)
    return scope["predictions"].detach().numpy()


def by_torch_net(path, features):
    scope = {"__name__": "documentation"}
    exec(scripts()[3], scope)
    return scope["Net"](path)(torch.tensor(features)).softmax(1).detach().numpy()


def by_numpy(path, features):
    arrays = np.load(path)
    about = json.loads(bytes(arrays["gristmill"]))
    activations = {
        "identity": lambda x: x,
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
        "leaky-relu": lambda x, slope: np.where(x > 0, x, slope * x),
        "elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
        "silu": lambda x: x / (1 + np.exp(-x)),
        "softplus": lambda x: np.logaddexp(x, 0),
    }
    x = (features.astype(np.float64) - arrays["inputs.mean"]) / arrays["inputs.deviation"]
    for node in about["nodes"]:
        name, activation = node["name"], node["attributes"]["activation"]
        x = x @ arrays[f"{name}.weight"].T
        x = x + (arrays[f"{name}.bias"] if node["attributes"]["bias"] else 0)
        parameter = [activation[key] for key in activation if key != "kind"]
        x = activations[activation["kind"]](x, *parameter)
    if about["output"] == "softmax":
        x = np.exp(x - x.max(1, keepdims=True))
        return x / x.sum(1, keepdims=True)
    if about["output"] == "sigmoid":
        p = 1 / (1 + np.exp(-x))
        return np.concatenate([1 - p, p], 1)
    return x * arrays["outputs.deviation"] + arrays["outputs.mean"]


def by_c(path, features):
    main = path.with_suffix(".c")
    main.write_text(
        f'#include <stdio.h>\n#include "{path.name}"\n'
        "int main(void) {\n"
        "    float x[GRISTMILL_FEATURES], y[GRISTMILL_OUTPUTS];\n"
        "    for (;;) {\n"
        "        for (int i = 0; i < GRISTMILL_FEATURES; i++)\n"
        '            if (scanf("%f", &x[i]) != 1) return 0;\n'
        "        gristmill_predict(x, y);\n"
        "        for (int i = 0; i < GRISTMILL_OUTPUTS; i++)\n"
        '            printf("%.9g%c", y[i], i + 1 < GRISTMILL_OUTPUTS ? \' \' : \'\\n\');\n'
        "    }\n"
        "}\n"
    )
    program = path.with_suffix(".out")
    strict = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["cc", *strict, main, "-o", program, "-lm"], check=True)
    text = "\n".join(" ".join(repr(float(v)) for v in row) for row in features)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    return [[float(v) for v in line.split()] for line in done.stdout.splitlines()]


def ours():
    for number, (name, rows, options) in enumerate(cases()):
        run = WORK / f"run-{number}"
        gristmill("train", rows, *options, "--epochs", 3, "--out", run)
        model = run / "model.gristmill"
        expected = predictions(gristmill("predict", model, rows))
        paths = {ending: run / f"m.{ending}" for ending in ["onnx", "safetensors", "npz", "h"]}
        for path in paths.values():
            gristmill("export", model, "-o", path)
        about = json.loads(bytes(np.load(paths["npz"])["gristmill"]))
        features = encode(about, rows)
        judge(f"{name}: onnxruntime", expected, by_onnx(paths["onnx"], rows))
        if torch:
            judge(f"{name}: torch + safetensors", expected, by_torch(paths["safetensors"], features))
        judge(f"{name}: numpy", expected, by_numpy(paths["npz"], features))
        judge(f"{name}: cc", expected, by_c(paths["h"], features))


def ours_of_all_kinds():
    for number, (name, known, rows, options) in enumerate(networks()):
        run = WORK / f"network-{number}"
        gristmill("train", known, *options, "--epochs", 3, "--batch-size", 20, "--out", run)
        model = run / "model.gristmill"
        expected = predictions(gristmill("predict", model, rows))
        if np.std(expected, 0).max() < 1e-2:
            failures.append(f"{name}: predictions are nearly the same for all rows, which shows nothing")
        path = run / "m.onnx"
        gristmill("export", model, "-o", path, "--verify", rows)
        judge(f"{name}: onnxruntime", expected, by_onnx(path, rows))
        header, tensors = run / "m.h", run / "m.safetensors"
        gristmill("export", model, "-o", header)
        gristmill("export", model, "-o", tensors)
        gristmill("export", model, "-o", run / "m.npz")
        features = encode(json.loads(bytes(np.load(run / "m.npz")["gristmill"])), rows)
        judge(f"{name}: cc", expected, by_c(header, features))
        if torch and name in ("images", "images in torch"):
            judge(f"{name}: torch + safetensors", expected, by_torch_net(tensors, features))


# --- models of others, by us --------------------------------------------------------------------


def imported(name, path, features, expected):
    """What gristmill predicts with a model file of another program."""
    model, rows = path.with_suffix(".gristmill"), path.with_suffix(".csv")
    gristmill("import-model", path, "-o", model)
    lines = [",".join(f"f{i}" for i in range(features.shape[1]))]
    lines += [",".join(repr(float(v)) for v in row) for row in features]
    rows.write_text("\n".join(lines) + "\n")
    judge(f"{name}: import-model", expected, predictions(gristmill("predict", model, rows)))


def softmax(x):
    x = np.exp(x - x.max(1, keepdims=True))
    return x / x.sum(1, keepdims=True)


def theirs():
    random = np.random.default_rng(7)
    draw = lambda *shape: random.standard_normal(shape).astype(np.float32)
    x = draw(50, 6)
    w0, b0, w1, b1 = draw(8, 6), draw(8), draw(3, 8), draw(3)
    hidden = np.maximum(x @ w0.T + b0, 0)
    expected = softmax(hidden @ w1.T + b1)
    about = {
        "version": 1,
        "output": "softmax",
        "activations": [{"name": "relu"}, {"name": "identity"}],
    }
    tensors = {
        "layers.0.weight": w0,
        "layers.0.bias": b0,
        "layers.1.weight": w1,
        "layers.1.bias": b1,
    }
    path = WORK / "theirs-numpy.safetensors"
    save_numpy(tensors, path, {"gristmill": json.dumps(about)})
    imported("safetensors of numpy", path, x, expected)
    for save, name in [(np.savez, "npz"), (np.savez_compressed, "npz, compressed")]:
        path = WORK / f"theirs-{save.__name__}.npz"
        save(path, gristmill=np.frombuffer(json.dumps(about).encode(), np.uint8), **tensors)
        imported(f"{name} of numpy", path, x, expected)

    from onnx import TensorProto, helper, numpy_helper

    def write(name, nodes, constants, width):
        value = lambda n, w: helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", w])
        constants = [numpy_helper.from_array(array, name) for name, array in constants.items()]
        graph = helper.make_graph(nodes, "g", [value("x", 6)], [value("y", width)], constants)
        opset = [helper.make_opsetid("", 20)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        onnx.checker.check_model(model)
        path = WORK / f"theirs-{name}.onnx"
        onnx.save(model, path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return path, session.run(["y"], {"x": x})[0]

    node = helper.make_node
    nodes = [
        node("Gemm", ["x", "w0", "b0"], ["s0"], transB=1),
        node("Relu", ["s0"], ["h"]),
        node("Gemm", ["h", "w1", "b1"], ["s1"], transB=1),
        node("Softmax", ["s1"], ["y"], axis=1),
    ]
    path, found = write("gemm", nodes, {"w0": w0, "b0": b0, "w1": w1, "b1": b1}, 3)
    imported("onnx, Gemm and Softmax", path, x, found)
    nodes = [
        node("Sub", ["x", "mean"], ["c"]),
        node("Div", ["c", "deviation"], ["z"]),
        node("MatMul", ["z", "w0"], ["p"]),
        node("Add", ["b0", "p"], ["s0"]),
        node("Sigmoid", ["s0"], ["g"]),
        node("Mul", ["s0", "g"], ["h"]),
        node("MatMul", ["h", "w1"], ["y"]),
    ]
    constants = {"mean": draw(6), "deviation": np.abs(draw(6)) + 1}
    constants |= {"w0": np.ascontiguousarray(w0.T), "b0": b0, "w1": np.ascontiguousarray(w1.T)}
    path, found = write("matmul", nodes, constants, 3)
    imported("onnx, MatMul, Add and SiLU", path, x, found)
    if torch:
        theirs_torch(x)


def theirs_torch(x):
    torch.manual_seed(3)
    net = torch.nn.Sequential(
        torch.nn.Linear(6, 9), torch.nn.GELU(), torch.nn.Dropout(0.5), torch.nn.Linear(9, 5),
        torch.nn.LeakyReLU(0.2), torch.nn.Linear(5, 2),
    ).eval()
    rows = torch.tensor(x)
    expected = net(rows).detach().numpy()
    about = {
        "version": 1,
        "output": "values",
        "activations": [
            {"name": "gelu"}, {"name": "leaky-relu", "parameter": 0.2}, {"name": "identity"},
        ],
    }
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    tensors = torch.nn.ModuleDict({"layers": torch.nn.ModuleList(linear)}).state_dict()
    path = WORK / "theirs-torch.safetensors"
    safetensors.torch.save_file(tensors, path, {"gristmill": json.dumps(about)})
    imported("safetensors of torch", path, x, expected)
    first, last = torch.nn.Linear(6, 7), torch.nn.Linear(7, 4)
    path = WORK / "theirs-documented.safetensors"
    scope = {"linear_layers": [first, last], "torch": torch, "json": json}
    exec(scripts()[2].replace("net.safetensors", str(path)), scope | {"safetensors": safetensors})
    expected_classes = last(first(rows).relu()).softmax(1).detach().numpy()
    imported("safetensors as documented", path, x, expected_classes)
    try:
        import onnxscript  # noqa: F401: what torch.onnx.export is made with
    except ImportError:
        print("skipped: torch.onnx.export, which needs onnxscript")
        return
    path = WORK / "theirs-torch.onnx"
    logging.disable(logging.WARNING)
    torch.onnx.export(
        net, (rows,), path, input_names=["x"], dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False, verbose=False,
    )
    imported("onnx of torch", path, x, expected)
    theirs_networks()


def theirs_networks():
    """Networks of PyTorch, exported by it, on images and series."""
    nn = torch.nn
    torch.manual_seed(5)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
            self.second, self.slope = nn.Conv2d(8, 8, 3, padding="same", groups=4, bias=False), nn.PReLU(8)
            self.last = nn.Linear(16 * 3 * 2, 4)

        def forward(self, x):
            x = self.norm(self.first(x)).relu()
            x = torch.cat([x + self.slope(self.second(x)), x], 1)
            return self.last(nn.functional.max_pool2d(x, 2).flatten(1)).softmax(1)

    class Recurrent(nn.Module):
        def __init__(self, kind):
            super().__init__()
            self.first = kind(5, 6, batch_first=True, bidirectional=True)
            self.norm, self.second, self.last = nn.LayerNorm(12), kind(12, 7, batch_first=True), nn.Linear(7, 2)

        def forward(self, x):
            x = self.norm(self.first(x)[0])
            state = self.second(x)[1]
            state = state[0] if isinstance(state, tuple) else state
            return self.last(state.transpose(0, 1).flatten(1))

    images = nn.Sequential(
        nn.Conv2d(1, 6, 5, stride=2, dilation=1), nn.SiLU(), nn.AvgPool2d(2, ceil_mode=True), nn.BatchNorm2d(6),
        nn.Conv2d(6, 4, 1), nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    )
    series = nn.Sequential(
        nn.Conv1d(4, 8, 3, padding=1), nn.GELU(), nn.MaxPool1d(2), nn.BatchNorm1d(8), nn.Flatten(), nn.Linear(40, 2),
    )
    cases = [
        ("residual images", Residual(), [3, 6, 4], (0, 2, 3, 1)),
        ("images", images, [1, 13, 11], (0, 2, 3, 1)),
        ("series by channels", series, [4, 10], (0, 2, 1)),
        ("gru", Recurrent(nn.GRU), [9, 5], (0, 1, 2)),
        ("lstm", Recurrent(nn.LSTM), [9, 5], (0, 1, 2)),
    ]
    for name, net, shape, order in cases:
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
        x = torch.randn(40, *shape)
        expected = net.eval()(x).detach().numpy()
        path = WORK / f"theirs-{name.replace(' ', '-')}.onnx"
        torch.onnx.export(
            net, (x,), path, input_names=["x"], dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False, verbose=False,
        )
        imported(f"onnx of torch: {name}", path, x.permute(order).flatten(1).numpy(), expected)


ours()
ours_of_all_kinds()
theirs()
if not torch:
    print("skipped: what needs torch, which is not installed")
if failures:
    sys.exit("\n".join(failures))
