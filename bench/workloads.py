"""The networks that are compared: one description of each, from which netc's text and every peer's model are made."""
from collections import namedtuple

# layers: tuples of a kind and its numbers. data: what netc's `data` says; all but mnist is random pictures of a shape.
# epochs: before the accuracies are compared. Asked are goal, % of the peak; ratio, the fastest peer's time to ours; and
# where scan_ratio is asked of whole loops, as JAX's scan, ratio is that of the fastest of the others. without: sides
# that need minutes for a step.
Workload = namedtuple(
    "Workload", "title shape layers batch optimizer epochs goal ratio data scan_ratio without",
    defaults=("mnist", None, ()))


def dense(*widths):
    return [layer for width in widths for layer in (("dense", width), ("relu",))]


def classifier(*widths):
    return dense(*widths[:-1]) + [("dense", widths[-1])]


def conv_block(filters, padding, *after):
    return [("conv", filters, 3, padding), ("batchnorm",), ("relu",), *after]


DIGITS, COLOURS = (28, 28, 1), (32, 32, 3)
DEEP = (520, 300, 250, 130, 60, 10)
WORKLOADS = {
    "50": Workload("784-50-10, batch 100, adam", DIGITS, classifier(50, 10), 100, "adam", 3, 45, 4),
    "300": Workload("784-300-10, batch 100, adam", DIGITS, classifier(300, 10), 100, "adam", 3, 55, 3),
    "deep": Workload("784-520-300-250-130-60-10, batch 100, adam", DIGITS, classifier(*DEEP), 100, "adam", 3, 50, 3),
    "deep-10000": Workload("784-520-300-250-130-60-10, batch 10000, adam", DIGITS, classifier(*DEEP), 10000, "adam", 8,
                           70, 2),
    "50-1": Workload("784-50-10, batch 1, sgd", DIGITS, classifier(50, 10), 1, "sgd", 1, None, 50, scan_ratio=8),
    "deep-1": Workload("784-520-300-250-130-60-10, batch 1, sgd", DIGITS, classifier(*DEEP), 1, "sgd", 1, None, 10),
    "conv": Workload("conv 32-64-64, batchnorm, pool, dense 520-300-250-130-60, batch 64, rmsprop", DIGITS,
                     conv_block(32, "same", ("pool",)) + conv_block(64, "valid", ("pool",)) + conv_block(64, "valid") +
                     [("flatten",)] + classifier(*DEEP), 64, "rmsprop", 1, 45, 3),
    "lenet": Workload("LeNet-5 (6, 16, 120, 84), batch 100, adam", DIGITS,
                      [("conv", 6, 5, "same"), ("relu",), ("pool",), ("conv", 16, 5, "valid"), ("relu",), ("pool",),
                       ("flatten",)] + classifier(120, 84, 10), 100, "adam", 2, 40, 4),
    "colour": Workload("conv 64-64-128-128 3x3 same on 32x32x3, batchnorm, batch 128, sgd momentum", COLOURS,
                       conv_block(64, "same") + conv_block(64, "same", ("pool",)) + conv_block(128, "same") +
                       conv_block(128, "same", ("pool",)) + [("flatten",)] + classifier(10), 128, "momentum", 1, 55,
                       1.5, data="cifar10", without=("JAX scan",)),
}
RATES = {"adam": 0.001, "rmsprop": 0.001, "sgd": 0.01, "momentum": 0.01}


def scaled(widths, batch):
    title = f"{'-'.join(map(str, (784, *widths)))}, batch {batch}, adam"
    return Workload(title, DIGITS, classifier(*widths), batch, "adam", 1, None, None)


# name: what its numbers are, and the workload of each number
CURVES = {
    "width": ("units of the hidden layer W of 784-W-10, batch 100, adam",
              {width: scaled((width, 10), 100) for width in (32, 64, 128, 256, 512, 1024, 2048, 4096)}),
    "batch": ("pictures in a batch of 784-300-10, adam",
              {batch: scaled((300, 10), batch) for batch in (1, 10, 100, 1000, 10000)}),
    "depth": ("hidden layers of 128 units between 784 and 10, batch 100, adam",
              {depth: scaled((*[128] * depth, 10), 100) for depth in (1, 2, 4, 8, 16, 32, 64)}),
}


def net_text(work):
    """The network as netc reads it."""
    lines = [f"data {work.data}", "input " + "x".join(map(str, work.shape))]
    for kind, *numbers in work.layers:
        if kind == "conv":
            filters, size, padding = numbers
            lines.append(f"conv {filters} {size}x{size} pad {padding}")
        elif kind == "pool":
            lines.append("pool 2")
        else:
            lines.append(" ".join([kind, *map(str, numbers)]))
    optimizer = "sgd lr 0.01 momentum 0.9" if work.optimizer == "momentum" else \
        f"{work.optimizer} lr {RATES[work.optimizer]}"
    return "\n".join(lines + ["softmax", "loss cross_entropy", f"optimizer {optimizer}", f"batch {work.batch}",
                              f"epochs {work.epochs}"]) + "\n"
