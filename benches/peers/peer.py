"""What every Python peer shares: the workload, its data, and the protocol of README.md.

A peer program calls `start()` before it imports its framework (thread counts are read at import),
builds its training step, and hands it to `serve()`.
"""

import json
import os
import sys
import time
from dataclasses import dataclass


@dataclass
class Workload:
    """One training step to be timed; the field names are those of the JSON on the command line."""

    name: str
    layers: list
    batch: int
    rows: int
    optimizer: str
    learning_rate: float
    momentum: float
    loss: str
    activation: str
    output: str
    threads: int
    network: str | None = None

    @property
    def links(self):
        """(inputs, outputs) of every layer."""
        return list(zip(self.layers, self.layers[1:]))

    @property
    def classes(self):
        """Whether a target is the index of a class rather than numbers."""
        return self.loss == "softmax-cross-entropy"


def start(variants):
    """Reads the command line, `VARIANT WORKLOAD-JSON`, and limits this process to its threads."""
    if len(sys.argv) != 3 or sys.argv[1] not in variants:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(variants)} WORKLOAD-JSON")
    workload = Workload(**json.loads(sys.argv[2]))
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(workload.threads)
    if hasattr(os, "sched_setaffinity"):  # jax has no other way to be told
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[: workload.threads])
    return sys.argv[1], workload


def dataset(workload):
    """Random rows, a whole number of batches."""
    import numpy as np

    random = np.random.default_rng(0)
    shape = workload.rows, workload.layers[0]
    if workload.network == "embedding":
        x = random.integers(0, 1_000_000, shape).astype(np.float32)
    else:
        x = random.standard_normal(shape, dtype=np.float32)
    if workload.classes:
        return x, random.integers(0, workload.layers[-1], workload.rows)
    y = random.integers(0, 2, (workload.rows, workload.layers[-1]))
    return x, y.astype(np.float32)


def read_trace(workload, steps, path):
    """The start parameters and batches of a `losses` request; README.md has the layout.

    Returns a function that gives the next tensor of a shape, and [(x, y), ...].
    """
    import numpy as np

    numbers = np.fromfile(path, dtype="<f4")
    targets = 1 if workload.classes else workload.layers[-1]
    first = len(numbers) - steps * workload.batch * (workload.layers[0] + targets)
    position = 0

    def take(*shape):
        nonlocal position
        count = int(np.prod(shape))
        part = numbers[position : position + count].reshape(shape)
        position += count
        return part.copy()

    def parameter(*shape):
        tensor = take(*shape)
        if position > first:
            raise ValueError(f"{path}: {first} numbers of parameters, and more are expected")
        return tensor

    position, batches = first, []
    for _ in range(steps):
        x = take(workload.batch, workload.layers[0])
        if workload.classes:
            batches.append((x, take(workload.batch).astype(np.int64)))
        else:
            batches.append((x, take(workload.batch, workload.layers[-1])))
    position = 0
    return parameter, batches


def unsupported(reason):
    """Ends the peer: it has no training step of this mathematics."""
    say({"unsupported": reason})
    sys.exit(0)


def say(message):
    print(json.dumps(message), flush=True)


def serve(workload, peer, version, advance, losses=None):
    """Warms up, says that the peer is ready, and answers requests until standard input ends.

    advance() trains at least one step, waits for its result, and returns how many rows it trained on.
    losses(take, batches) trains from the parameters that take(*shape) gives, one tensor after the other, and
    returns the loss of every batch.
    """
    for _ in range(5):
        advance()
    say({"ready": peer, "version": version})
    for line in sys.stdin:
        match line.split(maxsplit=2):
            case ["run", seconds]:
                samples, begun = 0, time.perf_counter()
                while (elapsed := time.perf_counter() - begun) < float(seconds):
                    samples += advance()
                say({"samples": samples, "seconds": elapsed})
            case ["losses", steps, path] if losses:
                trace = read_trace(workload, int(steps), path.strip())
                say({"losses": losses(*trace)})
            case _:
                say({"error": f"no such request: {line.strip()}"})
