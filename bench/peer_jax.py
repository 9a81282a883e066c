"""JAX, its state given away to be reused in place. `scan`: all steps in one lax.scan, compiled once; `step`: one step
compiled, called from Python, which convolutions like better: in the loop of a scan XLA computes them by one thread."""
import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
THREADS = int(sys.argv[2])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # its pool has a thread for each processor

from functools import partial

import jax
import numpy
from jax import lax
from jax import numpy as jnp

from peer import serve
from workloads import RATES

jax.config.update("jax_default_matmul_precision", "highest")


def glorot(key, shape, inputs, outputs):
    limit = (6 / (inputs + outputs)) ** 0.5
    return jax.random.uniform(key, shape, jnp.float32, -limit, limit)


def initial(work):
    """Trained parameters, a dictionary for each layer that has some, and the running statistics."""
    key, parameters, running = jax.random.PRNGKey(1), [], []
    height, _, channels = work.shape
    features = None
    for kind, *numbers in work.layers:
        key, mine = jax.random.split(key)
        if kind == "conv":
            filters, size, padding = numbers
            parameters.append({"w": glorot(mine, (size, size, channels, filters), size * size * channels,
                                           size * size * filters), "b": jnp.zeros(filters)})
            channels, height = filters, height if padding == "same" else height - size + 1
        elif kind == "batchnorm":
            parameters.append({"gamma": jnp.ones(channels), "beta": jnp.zeros(channels)})
            running.append({"mean": jnp.zeros(channels), "variance": jnp.ones(channels)})
        elif kind == "pool":
            height //= 2
        elif kind == "dense":
            features = features or height * height * channels
            parameters.append({"w": glorot(mine, (features, numbers[0]), features, numbers[0]),
                               "b": jnp.zeros(numbers[0])})
            features = numbers[0]
    return parameters, running


def apply(work, parameters, running, x, training):
    parameters, running, after = iter(parameters), iter(running), []
    if not any(layer[0] == "conv" for layer in work.layers):
        x = x.reshape(len(x), -1)
    for kind, *numbers in work.layers:
        if kind == "conv":
            p = next(parameters)
            x = lax.conv_general_dilated(x, p["w"], (1, 1), numbers[2].upper(),
                                         dimension_numbers=("NHWC", "HWIO", "NHWC")) + p["b"]
        elif kind == "batchnorm":
            p, state = next(parameters), next(running)
            if training:
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                after.append({"mean": 0.99 * state["mean"] + 0.01 * mean,
                              "variance": 0.99 * state["variance"] + 0.01 * variance})
            else:
                mean, variance = state["mean"], state["variance"]
            x = (x - mean) * lax.rsqrt(variance + 1e-3) * p["gamma"] + p["beta"]
        elif kind == "relu":
            x = jnp.maximum(x, 0)
        elif kind == "pool":
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        elif kind == "flatten":
            x = x.reshape(len(x), -1)
        else:
            p = next(parameters)
            x = x @ p["w"] + p["b"]
    return x, after


def update(kind, w, g, m, v, step):
    rate = RATES[kind]
    if kind == "adam":
        m, v = m + 0.1 * (g - m), v + 0.001 * (g * g - v)
        return w - rate * jnp.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step) * m / (jnp.sqrt(v) + 1e-7), m, v
    if kind == "rmsprop":
        v = 0.9 * v + 0.1 * g * g
        return w - rate * g / jnp.sqrt(v + 1e-7), m, v
    if kind == "momentum":
        m = 0.9 * m - rate * g
        return w + m, m, v
    return w - rate * g, m, v


class Trainer:
    def __init__(self, work, threads, variant, x, y):
        self.work, self.x, self.y = work, jnp.asarray(x), jnp.asarray(y)
        self.random = numpy.random.default_rng(1)
        kind = work.optimizer

        def loss(parameters, running, x, y):
            logits, after = apply(work, parameters, running, x, True)
            chosen = jnp.take_along_axis(logits, y[:, None], 1)[:, 0]
            return (jax.nn.logsumexp(logits, 1) - chosen).mean(), after

        def one(state, index, x, y):
            parameters, running, m, v, step = state
            gradients, running = jax.grad(loss, has_aux=True)(parameters, running, x[index], y[index])
            flat, tree = jax.tree.flatten(parameters)
            new = [update(kind, *each, step) for each in zip(flat, *map(jax.tree.leaves, (gradients, m, v)))]
            parameters, m, v = (jax.tree.unflatten(tree, part) for part in zip(*new))
            return (parameters, running, m, v, step + 1), None

        @partial(jax.jit, donate_argnums=0)
        def scan(state, order, x, y):
            return lax.scan(lambda state, index: one(state, index, x, y), state, order)[0]

        single = jax.jit(lambda *arguments: one(*arguments)[0], donate_argnums=0)

        def step(state, order, x, y):
            for index in order:
                state = single(state, index, x, y)
            return state
        self.run = {"scan": scan, "step": step}[variant]
        self.predict = jax.jit(lambda parameters, running, x: apply(work, parameters, running, x, False)[0].argmax(1))
        parameters, running = initial(work)
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        self.state = (parameters, running, zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.float32(1))

    def steps(self, count):
        order = self.random.permutation(len(self.x))[:count * self.work.batch].reshape(count, -1)
        self.state = jax.block_until_ready(self.run(self.state, order, self.x, self.y))

    def accuracy(self, x, y):
        guess = [self.predict(*self.state[:2], x[at:at + 1000]) for at in range(0, len(x), 1000)]
        return (numpy.concatenate(guess) == y).mean()


serve(Trainer)
