"""PyTorch's training step: eager or compiled, in f32 or with bf16 autocast."""

from peer import dataset, serve, start

variant, work = start(["eager", "compile", "bf16", "compile-bf16"])

import torch  # noqa: E402
from torch import nn  # noqa: E402

torch.set_num_threads(work.threads)
torch.manual_seed(0)

ACTIVATIONS = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
LOSSES = {
    "mean-squared": nn.MSELoss,
    "mean-absolute": nn.L1Loss,
    "binary-cross-entropy": nn.BCEWithLogitsLoss,
    "softmax-cross-entropy": nn.CrossEntropyLoss,
}


def network():
    modules = []
    for layer, (inputs, outputs) in enumerate(work.links):
        last = layer == len(work.links) - 1
        modules.append(nn.Linear(inputs, outputs))
        activation = ACTIVATIONS[work.output if last else work.activation]
        if activation is not nn.Identity:
            modules.append(activation())
    return nn.Sequential(*modules)


def optimizer(model):
    rate = work.learning_rate
    if work.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), rate, fused=True)
    return torch.optim.SGD(model.parameters(), rate, momentum=work.momentum, fused=True)


def trainer(model):
    """A function that trains one step on a batch and returns its loss, not yet read."""
    updates, loss = optimizer(model), LOSSES[work.loss]()
    forward = torch.compile(model) if variant.startswith("compile") else model

    def plain(x, y):
        updates.zero_grad(set_to_none=True)
        error = loss(forward(x), y)
        error.backward()
        updates.step()
        return error

    def mixed(x, y):
        updates.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            error = loss(forward(x).float(), y)
        error.backward()
        updates.step()
        return error

    return mixed if variant.endswith("bf16") else plain


def losses(parameters, batches):
    model = network()
    linear = [module for module in model if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for module, (weights, bias) in zip(linear, parameters, strict=True):
            module.weight.copy_(torch.from_numpy(weights))
            module.bias.copy_(torch.from_numpy(bias))
    step = trainer(model)
    return [step(torch.from_numpy(x), torch.from_numpy(y)).item() for x, y in batches]


x, y = (torch.from_numpy(part) for part in dataset(work))
batches = list(zip(x.split(work.batch), y.split(work.batch)))
step = trainer(network())
position = 0


def advance():
    global position
    step(*batches[position])
    position = (position + 1) % len(batches)
    return work.batch


serve(work, f"torch {variant}", torch.__version__, advance, losses)
