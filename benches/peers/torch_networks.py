"""The networks of README.md in PyTorch.

Each is a module with `arrange(x)`, which lays a batch of rows out as the module takes it, outside of the step, and
`load(take)`, which copies a trace into it: `take(*shape)` is its next tensor.
"""

import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


class Network(nn.Module):
    def arrange(self, x):
        return x

    def load(self, take):
        """The order of the state is that of a trace."""
        with torch.no_grad():
            for name, value in self.state_dict(keep_vars=True).items():
                if not name.endswith("num_batches_tracked"):
                    value.copy_(torch.from_numpy(take(*value.shape)))

    def optimizers(self, build):
        """How its parameters are updated, by `build(parameters)` if nothing else is said."""
        return [build(self.parameters())]


class Chain(Network):
    """Dense layers."""

    def __init__(self, work):
        super().__init__()
        modules = []
        for layer, (inputs, outputs) in enumerate(work.links):
            last = layer == len(work.links) - 1
            modules.append(nn.Linear(inputs, outputs))
            activation = ACTIVATIONS[work.output if last else work.activation]
            if activation is not nn.Identity:
                modules.append(activation())
        self.layers = nn.Sequential(*modules)

    def forward(self, x):
        return self.layers(x)


class Image(Network):
    """Rows are height x width x channels; channels last is the layout in which oneDNN trains fastest."""

    def arrange(self, x):
        return x.view(-1, *self.shape).permute(0, 3, 1, 2)


class Lenet(Image):
    shape = (28, 28, 1)

    def __init__(self, work):
        super().__init__()
        self.activation = ACTIVATIONS[work.activation]()
        self.first = nn.Conv2d(1, 16, 5, padding=2)
        self.second = nn.Conv2d(16, 32, 5)
        self.third = nn.Linear(800, 128)
        self.last = nn.Linear(128, 10)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        x = functional.max_pool2d(self.activation(self.first(x)), 2)
        x = functional.max_pool2d(self.activation(self.second(x)), 2)
        # Position by position; of channels last this copies nothing.
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.last(self.activation(self.third(x)))


def conv(inputs, outputs, size, stride):
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, activation):
        super().__init__()
        self.activation = activation
        self.first = conv(inputs, outputs, 3, stride)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = conv(outputs, outputs, 3, 1)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if stride == 1 else conv(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.activation(self.first_norm(self.first(x)))
        return self.activation(self.second_norm(self.second(y)) + self.shortcut(x))


class Residual(Image):
    shape = (32, 32, 3)

    def __init__(self, work):
        super().__init__()
        self.activation = activation = ACTIVATIONS[work.activation]()
        self.stem = conv(3, 16, 3, 1)
        self.norm = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(
            Block(16, 16, 1, activation), Block(16, 32, 2, activation), Block(32, 64, 2, activation)
        )
        self.last = nn.Linear(64, 10)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        x = self.blocks(self.activation(self.norm(self.stem(x))))
        return self.last(x.mean((2, 3)))


class Gru(Network):
    """PyTorch's own, or for the compiler, which leaves that alone, its steps written out."""

    def __init__(self, _work):
        super().__init__()
        self.gru = nn.GRU(13, 64)
        self.last = nn.Linear(64, 10)

    def arrange(self, x):
        return x.view(-1, 100, 13).transpose(0, 1).contiguous()

    def load(self, take):
        gru, last = self.gru, self.last
        with torch.no_grad():
            for value in (gru.weight_ih_l0, gru.weight_hh_l0, gru.bias_ih_l0):
                value.copy_(torch.from_numpy(take(*value.shape)))
            gru.bias_hh_l0.zero_()[128:] = torch.from_numpy(take(64))
            last.weight.copy_(torch.from_numpy(take(10, 64)))
            last.bias.copy_(torch.from_numpy(take(10)))
        # Reset and update gates have a second bias here; beside the first it would learn as fast again.
        mask = torch.arange(192) >= 128
        gru.bias_hh_l0.register_hook(lambda gradient: gradient * mask)

    def forward(self, x):
        if not torch.compiler.is_compiling():
            return self.last(self.gru(x)[1][0])
        gru = self.gru
        sums = functional.linear(x, gru.weight_ih_l0, gru.bias_ih_l0).unbind(0)
        h = x.new_zeros(x.shape[1], 64)
        for of_inputs in sums:
            of_state = functional.linear(h, gru.weight_hh_l0, gru.bias_hh_l0)
            a, b, c = of_inputs.chunk(3, 1)
            d, e, f = of_state.chunk(3, 1)
            r, z = torch.sigmoid(a + d), torch.sigmoid(b + e)
            n = torch.tanh(c + r * f)
            h = n + z * (h - n)
        return self.last(h)


class Embedding(Network):
    """Sparse gradients: a step touches the vectors that it looks up."""

    def __init__(self, work):
        super().__init__()
        self.activation = ACTIVATIONS[work.activation]()
        self.rate = work.learning_rate
        self.table = nn.Embedding(1_000_000, 16, sparse=True)
        self.first = nn.Linear(416, 64)
        self.last = nn.Linear(64, 1)

    def arrange(self, x):
        return x.long()

    def forward(self, x):
        return self.last(self.activation(self.first(self.table(x).flatten(1))))

    def optimizers(self, build):
        dense = [*self.first.parameters(), *self.last.parameters()]
        return [build(dense), torch.optim.SGD(self.table.parameters(), self.rate)]


NETWORKS = {"lenet": Lenet, "residual": Residual, "gru": Gru, "embedding": Embedding}


def network(work):
    return NETWORKS.get(work.network, Chain)(work)
