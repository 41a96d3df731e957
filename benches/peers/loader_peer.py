"""PyTorch's training step, fed from a mapped file in shuffled order, as `cargo xtask large` asks.

loader_peer.py rows|rows-2|batches FILE SECONDS WORKLOAD-JSON

FILE is little-endian f32, the class as the last number of a row. Prints one line of JSON.
"""

import json
import os
import sys
import time

variant, path, seconds, workload = sys.argv[1:]
work = json.loads(workload)
os.environ["OMP_NUM_THREADS"] = str(work["threads"])

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler  # noqa: E402

torch.set_num_threads(work["threads"])
torch.manual_seed(0)

features = work["layers"][0]
rows = np.memmap(path, dtype="<f4", mode="r").reshape(-1, features + 1)


class Rows(Dataset):
    """A row at a time, as the documentation has it."""

    def __len__(self):
        return len(rows)

    def __getitem__(self, index):
        row = torch.from_numpy(np.array(rows[index]))
        return row[:features], row[features:]


class Batches(Dataset):
    """A batch at a time: one indexing operation, its rows in the order of the file."""

    def __len__(self):
        return len(rows)

    def __getitem__(self, indices):
        batch = torch.from_numpy(rows[np.sort(np.asarray(indices))])
        return batch[:, :features], batch[:, features:]


def loader():
    if variant == "batches":
        # A sampler over a range draws its permutation at the start: that is not timed.
        sampler = BatchSampler(RandomSampler(range(len(rows))), work["batch"], False)
        return DataLoader(Batches(), batch_size=None, sampler=sampler)
    workers = 2 if variant == "rows-2" else 0
    return DataLoader(Rows(), work["batch"], shuffle=True, num_workers=workers)


def network():
    modules = []
    widths = work["layers"]
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        modules.append(nn.Linear(inputs, outputs))
        if layer < len(widths) - 2:
            modules.append(nn.ReLU())
    return nn.Sequential(*modules)


model = network()
updates = torch.optim.Adam(model.parameters(), work["learning_rate"], fused=True)
loss = nn.BCEWithLogitsLoss()
begun, samples = None, 0
while begun is None or time.perf_counter() - begun < float(seconds):
    for x, y in loader():
        updates.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        updates.step()
        if begun is None:
            begun = time.perf_counter()
            continue
        samples += len(x)
        if time.perf_counter() - begun >= float(seconds):
            break
print(json.dumps({"samples": samples, "seconds": time.perf_counter() - begun}))
