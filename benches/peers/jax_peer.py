"""JAX's training step: one compiled step a call (`jit`), or an epoch of steps a call (`scan`)."""

from functools import partial

from peer import dataset, serve, start, unsupported

variant, work = start(["jit", "scan"])

if work.network in ("lenet", "residual") and variant == "scan":
    unsupported("within a loop XLA's convolutions take some ten times as long")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from jax_networks import network  # noqa: E402

tree = jax.tree_util.tree_map
net = network(work)


def loss(x, y):
    match work.loss:
        case "softmax-cross-entropy":
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))
        case "binary-cross-entropy":
            return jnp.mean(jnp.maximum(x, 0) - x * y + jnp.log1p(jnp.exp(-jnp.abs(x))))
        case "mean-squared":
            return jnp.mean((x - y) ** 2)
        case "mean-absolute":
            return jnp.mean(jnp.abs(x - y))


def begin(parameters, kept):
    """The state of a run: parameters, the optimiser's moments, the step, and what else the network keeps."""
    zeros = tree(jnp.zeros_like, parameters)
    moments = {"adam": 2, "momentum": 1, "sgd": 0}[work.optimizer]
    return parameters, [tree(jnp.copy, zeros) for _ in range(moments)], jnp.float32(0), kept


def step(state, x, y):
    parameters, moments, t, kept = state
    error, gradient, kept = net.differentiate(loss, parameters, kept, x, y)
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
    return (parameters, moments, t, kept), error


def losses(take, batches):
    state = begin(*net.load(take))
    one, curve = jax.jit(step), []
    for x, y in batches:
        state, error = one(state, net.arrange(x)[0], y)
        curve.append(float(error))
    return curve


def random_start():
    """Weights even in +- 1 / sqrt(inputs of a unit); gains and all beside them 1, biases of other networks 0."""
    random = np.random.default_rng(0)

    def take(*shape):
        if len(shape) == 1:
            return np.full(shape, float(work.network == "residual"), np.float32)
        scale = np.prod(shape[1:]) ** -0.5
        return (scale * random.uniform(-1, 1, shape)).astype(np.float32)

    return begin(*net.load(take))


x, y = dataset(work)
x, y = jnp.asarray(net.arrange(x)), jnp.asarray(y.reshape(-1, work.batch, *y.shape[1:]))
state = random_start()
position = 0


def batch_at(x, y, i):
    at = jax.lax.dynamic_index_in_dim
    return at(x, i, keepdims=False), at(y, i, keepdims=False)


@partial(jax.jit, donate_argnums=0)
def one_step(state, x, y, i):
    return step(state, *batch_at(x, y, i))[0]


@partial(jax.jit, donate_argnums=0)
def one_epoch(state, x, y):
    each = lambda state, i: (step(state, *batch_at(x, y, i))[0], None)  # noqa: E731
    return jax.lax.scan(each, state, jnp.arange(len(x)))[0]


def advance():
    global state, position
    if variant == "scan":
        state = one_epoch(state, x, y)
        jax.block_until_ready(state)
        return work.rows
    for _ in range(4):  # calls return before their work is done: let it overlap a little
        state = one_step(state, x, y, position)
        position = (position + 1) % len(x)
    jax.block_until_ready(state)
    return 4 * work.batch


serve(work, f"jax {variant}", jax.__version__, advance, losses)
