"""Keras on TensorFlow, `plain` or `jit`: data preloaded as arrays, many steps for each call into the graph."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
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


class Trainer:
    def __init__(self, work, threads, variant, x, y):
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        self.work, self.variant, self.x, self.y = work, variant, x, y
        self.at_once = None
        self.restart(1)

    def restart(self, at_once=None):
        keras.utils.set_random_seed(1)
        self.net = model(self.work)
        self.optimizer = optimizer_of(self.work.optimizer)
        self.compile(at_once or self.at_once or 1)

    def compile(self, at_once):
        self.at_once = at_once
        self.net.compile(optimizer=self.optimizer, jit_compile=self.variant == "jit", steps_per_execution=at_once,
                         loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[])

    def steps(self, count):
        at_once = min(count, 100)
        if at_once != self.at_once:
            self.compile(at_once)
        rows = count * self.work.batch
        self.net.fit(self.x[:rows], self.y[:rows], batch_size=self.work.batch, epochs=1, verbose=0)

    def accuracy(self, x, y):
        return (self.net.predict(x, batch_size=1000, verbose=0).argmax(1) == y).mean()


serve(Trainer)
