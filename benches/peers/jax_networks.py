"""The networks of README.md in JAX.

`arrange(x)` lays rows out as batches of what the network takes, outside of the step. `load(take)` makes (parameters, what
is kept besides) of a trace, of which `take(*shape)` is the next tensor. `apply(parameters, kept, x)` gives the outputs and
what is kept after the step, and `differentiate` the loss and the gradient of the parameters besides.
"""

import jax
import jax.numpy as jnp

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "silu": jax.nn.silu,
}


class Network:
    """Rows of this shape; nothing is kept but parameters."""

    shape = ()

    def __init__(self, work):
        self.work = work
        self.activation = ACTIVATIONS[work.activation]

    def arrange(self, x):
        return x.reshape(-1, self.work.batch, *self.shape)

    def differentiate(self, loss, parameters, kept, x, y):
        def of(parameters):
            z, after = self.apply(parameters, kept, x)
            return loss(z, y), after

        (error, kept), gradient = jax.value_and_grad(of, has_aux=True)(parameters)
        return error, gradient, kept


class Chain(Network):
    """Dense layers."""

    def __init__(self, work):
        super().__init__(work)
        self.shape = work.layers[:1]

    def load(self, take):
        return [matrix(take, inputs, outputs) for inputs, outputs in self.work.links], ()

    def apply(self, parameters, kept, x):
        for weights, bias in parameters[:-1]:
            x = self.activation(x @ weights + bias)
        weights, bias = parameters[-1]
        return ACTIVATIONS[self.work.output](x @ weights + bias), kept


def matrix(take, inputs, outputs):
    """A dense layer's weights, inputs x outputs, and bias."""
    return jnp.asarray(take(outputs, inputs).T), jnp.asarray(take(outputs))


def filters(take, inputs, outputs, size):
    """A convolution's weights: height x width x inputs x outputs."""
    return jnp.asarray(take(outputs, inputs, size, size).transpose(2, 3, 1, 0))


def conv(x, weights, stride=1, padding=0):
    return jax.lax.conv_general_dilated(
        x,
        weights,
        (stride, stride),
        [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def pool(x):
    """The largest of 2 x 2. Its gradient is elementwise; that of `reduce_window` is a scatter."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // 2, 2, w // 2, 2, c)
    rows = jnp.maximum(x[:, :, 0], x[:, :, 1])
    return jnp.maximum(rows[:, :, :, 0], rows[:, :, :, 1])


class Lenet(Network):
    shape = (28, 28, 1)

    def load(self, take):
        first = filters(take, 1, 16, 5), jnp.asarray(take(16))
        second = filters(take, 16, 32, 5), jnp.asarray(take(32))
        return (first, second, matrix(take, 800, 128), matrix(take, 128, 10)), ()

    def apply(self, parameters, kept, x):
        (w1, b1), (w2, b2), (w3, b3), (w4, b4) = parameters
        x = pool(self.activation(conv(x, w1, padding=2) + b1))
        x = pool(self.activation(conv(x, w2) + b2))
        x = self.activation(x.reshape(len(x), -1) @ w3 + b3)
        return x @ w4 + b4, kept


# Filters that come in and go out, stride, of each block.
BLOCKS = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]


class Residual(Network):
    """Kept are the running statistics of the batch norms."""

    shape = (32, 32, 3)

    def load(self, take):
        statistics = []

        def layer(inputs, outputs):
            """Convolution, gain and bias of a batch norm; its statistics apart."""
            weights = filters(take, inputs, outputs, 3)
            gain, bias, mean, variance = (jnp.asarray(take(outputs)) for _ in range(4))
            statistics.append((mean, variance))
            return weights, gain, bias

        stem, blocks = layer(3, 16), []
        for inputs, outputs, stride in BLOCKS:
            two = layer(inputs, outputs), layer(outputs, outputs)
            shortcut = filters(take, inputs, outputs, 1) if stride > 1 else None
            blocks.append((*two, shortcut))
        return (stem, blocks, matrix(take, 64, 10)), statistics

    def apply(self, parameters, statistics, x):
        old, new = iter(statistics), []

        def layer(x, parameters, stride=1):
            weights, gain, bias = parameters
            x = conv(x, weights, stride, 1)
            mean = x.mean((0, 1, 2))
            variance = (x * x).mean((0, 1, 2)) - mean * mean
            count = x.size // x.shape[-1]
            before, spread = next(old)
            new.append(
                (
                    0.9 * before + 0.1 * mean,
                    0.9 * spread + 0.1 * variance * (count / (count - 1)),
                )
            )
            scale = gain * jax.lax.rsqrt(variance + 1e-5)
            return x * scale + (bias - mean * scale)

        stem, blocks, (weights, bias) = parameters
        x = self.activation(layer(x, stem))
        for (first, second, shortcut), (_, _, stride) in zip(blocks, BLOCKS, strict=True):
            y = layer(self.activation(layer(x, first, stride)), second)
            x = x if shortcut is None else conv(x, shortcut, stride)
            x = self.activation(x + y)
        return x.mean((1, 2)) @ weights + bias, new


# Steps of a series that are compiled side by side.
UNROLLED = 4


class Gru(Network):
    """All inputs are multiplied at once, the states step by step."""

    shape = (100, 13)

    def arrange(self, x):
        """Steps x rows x channels."""
        return super().arrange(x).transpose(0, 2, 1, 3)

    def load(self, take):
        of_inputs, of_states = (jnp.asarray(take(192, n).T) for n in (13, 64))
        bias, of_new = jnp.asarray(take(192)), jnp.asarray(take(64))
        return (of_inputs, of_states, bias, of_new, matrix(take, 64, 10)), ()

    def apply(self, parameters, kept, x):
        of_inputs, of_states, bias, of_new, (weights, last) = parameters

        def step(h, sums):
            products = h @ of_states
            gates = jax.nn.sigmoid(sums[:, :128] + products[:, :128])
            r, z = gates[:, :64], gates[:, 64:]
            n = jnp.tanh(sums[:, 128:] + r * (products[:, 128:] + of_new))
            return n + z * (h - n), None

        sums = x @ of_inputs + bias
        h, _ = jax.lax.scan(step, jnp.zeros((x.shape[1], 64)), sums, unroll=UNROLLED)
        return h @ weights + last, kept


class Embedding(Network):
    """Kept is the table. The vectors that a step looks up are differentiated, and only they are updated."""

    shape = (26,)

    def arrange(self, x):
        return super().arrange(x).astype("int32")

    def load(self, take):
        table = jnp.asarray(take(1_000_000, 16))
        return (matrix(take, 416, 64), matrix(take, 64, 1)), table

    def differentiate(self, loss, parameters, table, x, y):
        def of(parameters, vectors):
            (w1, b1), (w2, b2) = parameters
            a = self.activation(vectors.reshape(len(vectors), -1) @ w1 + b1)
            return loss(a @ w2 + b2, y)

        error, (gradient, errors) = jax.value_and_grad(of, argnums=(0, 1))(parameters, table[x])
        return error, gradient, table.at[x].add(-self.work.learning_rate * errors)


NETWORKS = {"lenet": Lenet, "residual": Residual, "gru": Gru, "embedding": Embedding}


def network(work):
    return NETWORKS.get(work.network, Chain)(work)
