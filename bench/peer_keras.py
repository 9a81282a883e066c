"""Keras on TensorFlow, its data preloaded. `plain` and `jit`: its own `fit`; `loop`: all steps in one graph, which
compiles the step by XLA unless that has convolutions, which TensorFlow's own kernels do faster."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy
import tensorflow

from peer import serve
from workloads import RATES


def model(work):
    layers = [keras.Input(work.shape)]
    if not any(layer[0] == "conv" for layer in work.layers):
        layers.append(keras.layers.Flatten())
    for kind, *numbers in work.layers:
        layers.append({
            "conv": lambda: keras.layers.Conv2D(numbers[0], numbers[1], padding=numbers[2]),
            "dense": lambda: keras.layers.Dense(numbers[0]),
            "batchnorm": keras.layers.BatchNormalization,
            "relu": keras.layers.ReLU,
            "pool": keras.layers.MaxPooling2D,
            "flatten": keras.layers.Flatten}[kind]())
    return keras.Sequential(layers)


def optimizer_of(kind):
    if kind == "momentum":
        return keras.optimizers.SGD(RATES[kind], momentum=0.9)
    return {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}[kind](
        RATES[kind])


class Fit:
    """Keras' own loop, of up to 100 steps for each call into the graph."""

    def __init__(self, work, net, optimizer, jit, x, y):
        self.work, self.net, self.optimizer, self.jit, self.x, self.y = work, net, optimizer, jit, x, y
        self.at_once = None

    def steps(self, count):
        at_once = min(count, 100)
        if at_once != self.at_once:
            self.at_once = at_once
            self.net.compile(optimizer=self.optimizer, jit_compile=self.jit, steps_per_execution=at_once,
                             loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[])
        rows = count * self.work.batch
        self.net.fit(self.x[:rows], self.y[:rows], batch_size=self.work.batch, epochs=1, verbose=0)


class Loop:
    """Keras' guide "Writing a training loop from scratch", the loop itself inside of the graph."""

    def __init__(self, work, net, optimizer, jit, x, y):
        self.batch, self.pictures = work.batch, len(x)
        x, y = tensorflow.constant(x), tensorflow.constant(y)
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer.build(net.trainable_variables)

        @tensorflow.function(jit_compile=jit)
        def one(x, y):
            with tensorflow.GradientTape() as tape:
                loss = loss_of(y, net(x, training=True))
            optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)

        @tensorflow.function(input_signature=[tensorflow.TensorSpec((None, work.batch), tensorflow.int64)])
        def run(order):
            for step in tensorflow.range(tensorflow.shape(order)[0]):
                one(tensorflow.gather(x, order[step]), tensorflow.gather(y, order[step]))
        self.run = run
        self.random = numpy.random.default_rng(1)

    def steps(self, count):
        order = self.random.permutation(self.pictures)[:count * self.batch]
        self.run(tensorflow.constant(order.reshape(count, -1)))


class Trainer:
    def __init__(self, work, threads, variant, x, y):
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        self.net = model(work)
        loop = variant == "loop"
        jit = not any(layer[0] == "conv" for layer in work.layers) if loop else variant == "jit"
        self.steps = (Loop if loop else Fit)(work, self.net, optimizer_of(work.optimizer), jit, x, y).steps

    def accuracy(self, x, y):
        return (self.net.predict(x, batch_size=1000, verbose=0).argmax(1) == y).mean()


serve(Trainer)
