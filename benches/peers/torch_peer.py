"""PyTorch's training step: eager or compiled, in f32 or with bf16 autocast."""

from peer import dataset, serve, start, unsupported

variant, work = start(["eager", "compile", "bf16", "compile-bf16"])

if work.network and variant.endswith("bf16"):
    unsupported("networks of other kinds are compared in f32")

import torch  # noqa: E402
from torch import nn  # noqa: E402

from torch_networks import network  # noqa: E402

torch.set_num_threads(work.threads)
torch.manual_seed(0)

LOSSES = {
    "mean-squared": nn.MSELoss,
    "mean-absolute": nn.L1Loss,
    "binary-cross-entropy": nn.BCEWithLogitsLoss,
    "softmax-cross-entropy": nn.CrossEntropyLoss,
}


def optimizer(parameters):
    rate = work.learning_rate
    if work.optimizer == "adam":
        return torch.optim.Adam(parameters, rate, fused=True)
    return torch.optim.SGD(parameters, rate, momentum=work.momentum, fused=True)


def trainer(model):
    """A function that trains one step on a batch and returns its loss, not yet read."""
    updates, loss = model.optimizers(optimizer), LOSSES[work.loss]()
    forward = torch.compile(model) if variant.startswith("compile") else model

    def plain(x, y):
        for update in updates:
            update.zero_grad(set_to_none=True)
        error = loss(forward(x), y)
        error.backward()
        for update in updates:
            update.step()
        return error

    def mixed(x, y):
        for update in updates:
            update.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            error = loss(forward(x).float(), y)
        error.backward()
        for update in updates:
            update.step()
        return error

    return mixed if variant.endswith("bf16") else plain


def losses(take, batches):
    model = network(work)
    model.load(take)
    step = trainer(model)
    arrange = lambda x: model.arrange(torch.from_numpy(x))  # noqa: E731
    return [step(arrange(x), torch.from_numpy(y)).item() for x, y in batches]


model = network(work)
x, y = (torch.from_numpy(part) for part in dataset(work))
batches = [(model.arrange(x), y) for x, y in zip(x.split(work.batch), y.split(work.batch))]
step = trainer(model)
position = 0


def advance():
    global position
    step(*batches[position])
    position = (position + 1) % len(batches)
    return work.batch


serve(work, f"torch {variant}", torch.__version__, advance, losses)
