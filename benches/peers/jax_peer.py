"""JAX's training step: one compiled step a call (`jit`), or an epoch of steps a call (`scan`)."""

from functools import partial

from peer import dataset, serve, start

variant, work = start(["jit", "scan"])

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "silu": jax.nn.silu,
}
tree = jax.tree_util.tree_map


def loss(parameters, x, y):
    for layer, (weights, bias) in enumerate(parameters):
        last = layer == len(parameters) - 1
        x = ACTIVATIONS[work.output if last else work.activation](x @ weights + bias)
    match work.loss:
        case "softmax-cross-entropy":
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))
        case "binary-cross-entropy":
            return jnp.mean(jnp.maximum(x, 0) - x * y + jnp.log1p(jnp.exp(-jnp.abs(x))))
        case "mean-squared":
            return jnp.mean((x - y) ** 2)
        case "mean-absolute":
            return jnp.mean(jnp.abs(x - y))


def begin(parameters):
    """The state of a run: parameters, the optimiser's moments, and the step."""
    zeros = tree(jnp.zeros_like, parameters)
    moments = {"adam": 2, "momentum": 1, "sgd": 0}[work.optimizer]
    return parameters, [tree(jnp.copy, zeros) for _ in range(moments)], jnp.float32(0)


def step(state, x, y):
    parameters, moments, t = state
    error, gradient = jax.value_and_grad(loss)(parameters, x, y)
    rate, t = work.learning_rate, t + 1
    if work.optimizer == "adam":
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradient)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradient)
        a, b = 1 - 0.9**t, 1 - 0.999**t
        parameters = tree(
            lambda p, m, v: p - rate * (m / a) / (jnp.sqrt(v / b) + 1e-8), parameters, m, v
        )
        moments = [m, v]
    elif work.optimizer == "momentum":
        v = tree(lambda v, g: work.momentum * v + g, moments[0], gradient)
        parameters = tree(lambda p, v: p - rate * v, parameters, v)
        moments = [v]
    else:
        parameters = tree(lambda p, g: p - rate * g, parameters, gradient)
    return (parameters, moments, t), error


def random_parameters():
    keys = jax.random.split(jax.random.PRNGKey(0), len(work.links))
    return [
        (jax.random.normal(key, (i, o)) / jnp.sqrt(i), jnp.zeros(o))
        for key, (i, o) in zip(keys, work.links)
    ]


def losses(parameters, batches):
    state = begin([(jnp.asarray(w.T), jnp.asarray(b)) for w, b in parameters])
    one, curve = jax.jit(step), []
    for x, y in batches:
        state, error = one(state, x, y)
        curve.append(float(error))
    return curve


x, y = (jnp.asarray(part) for part in dataset(work))
starts = list(range(0, len(x), work.batch))
state = begin(random_parameters())
position = 0


def batch_at(x, y, start):
    cut = jax.lax.dynamic_slice_in_dim
    return cut(x, start, work.batch), cut(y, start, work.batch)


@partial(jax.jit, donate_argnums=0)
def one_step(state, x, y, start):
    return step(state, *batch_at(x, y, start))[0]


@partial(jax.jit, donate_argnums=0)
def one_epoch(state, x, y):
    each = lambda state, start: (step(state, *batch_at(x, y, start))[0], None)  # noqa: E731
    return jax.lax.scan(each, state, jnp.asarray(starts))[0]


def advance():
    global state, position
    if variant == "scan":
        state = one_epoch(state, x, y)
        jax.block_until_ready(state)
        return len(starts) * work.batch
    for _ in range(4):  # calls return before their work is done: let it overlap a little
        state = one_step(state, x, y, starts[position])
        position = (position + 1) % len(starts)
    jax.block_until_ready(state)
    return 4 * work.batch


serve(work, f"jax {variant}", jax.__version__, advance, losses)
