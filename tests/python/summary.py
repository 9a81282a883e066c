"""summary.py: sizes that netc states, beside those of Keras and of PyTorch.

usage: summary.py NETC MODE, where MODE is `lenet` or `torch`; prints what differs.
"""
import json
import random
import subprocess
import sys
import tempfile

LENET = """data mnist
input 28x28x1
conv 6 5x5 tanh pad same
avgpool 2
conv 16 5x5 tanh
avgpool 2
dense 120 tanh
dense 84 tanh
dense 10 softmax
loss cross_entropy
"""

# What Keras' model.summary() prints of this network, as published in the README of
# github.com/4daJKong/Keras_LeNet-5_model: 61,706 parameters in all.
LENET_KERAS = [
    ("28x28x1", 0),
    ("28x28x6", 156),
    ("14x14x6", 0),
    ("10x10x16", 2416),
    ("5x5x16", 0),
    ("120", 48120),
    ("84", 10164),
    ("10", 850),
]
LENET_TOTAL = 61706


def summary(netc, text):
    with tempfile.NamedTemporaryFile("w", suffix=".net") as file:
        file.write(text)
        file.flush()
        run = subprocess.run([netc, "summary", "--json", file.name], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{text}\n{run.stderr}")
    return json.loads(run.stdout)


def compare(text, found, wanted, total):
    rows = [(row["output"], row["parameters"]) for row in found["layers"] if row["output"]]
    if rows != wanted:
        print(f"{text}expected {wanted}\nfound    {rows}")
    if found["total"]["parameters"] != total:
        print(f"{text}expected {total} parameters, found {found['total']['parameters']}")


class Net:
    """A random network, as a text and as PyTorch's modules, one list for each statement."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.modules = [], []
        self.shape = (28, 28, 1)
        flat = self.random.random() < 0.2
        if flat:
            self.shape = (784,)
        self.add("input " + "x".join(map(str, self.shape)), [])
        if not flat:
            for _ in range(self.random.randint(1, 6)):
                self.picture_layer()
        for _ in range(self.random.randint(0, 3)):
            self.row_layer()
        self.dense(10, "softmax")

    def add(self, line, modules):
        self.lines.append(line)
        self.modules.append(modules)

    def activation(self):
        word = self.random.choice(["", "relu", "sigmoid", "tanh"])
        module = {"": [], "relu": [nn.ReLU()], "sigmoid": [nn.Sigmoid()], "tanh": [nn.Tanh()]}
        return word, module[word]

    def size(self, most):
        return (self.random.randint(1, min(5, most[0])), self.random.randint(1, min(5, most[1])))

    def picture_layer(self):
        height, width, channels = self.shape
        kind = self.random.choice(["conv", "conv", "pool", "avgpool", "batchnorm", "dropout"])
        if kind == "batchnorm":
            return self.add("batchnorm", [nn.BatchNorm2d(channels)])
        if kind == "dropout":
            return self.add("dropout 20%", [nn.Dropout(0.2)])
        kernel = self.size((height, width))
        stride = (self.random.randint(1, 3), self.random.randint(1, 3))
        if kind != "conv":
            module = nn.MaxPool2d if kind == "pool" else nn.AvgPool2d
            self.add(f"{kind} {kernel[0]}x{kernel[1]} stride {stride[0]}x{stride[1]}",
                     [module(kernel, stride)])
        else:
            filters = self.random.randint(1, 9)
            same = self.random.random() < 0.3
            if same: # PyTorch has it without strides only
                stride = (1, 1)
            bias = self.random.random() < 0.8
            word, activation = self.activation()
            self.add(f"conv {filters} {kernel[0]}x{kernel[1]} {word} stride {stride[0]}x{stride[1]}"
                     f"{' pad same' if same else ''}{'' if bias else ' bias off'}",
                     [nn.Conv2d(channels, filters, kernel, stride, bias=bias,
                                padding="same" if same else "valid")] + activation)
        with torch.no_grad():
            out = nn.Sequential(*self.modules[-1])(torch.zeros(2, channels, height, width))
        self.shape = (out.shape[2], out.shape[3], out.shape[1])

    def row_layer(self):
        word, activation = self.activation()
        if len(self.shape) == 1 and self.random.random() < 0.3:
            self.add("batchnorm", [nn.BatchNorm1d(self.shape[0])])
        else:
            self.dense(self.random.randint(1, 40), word, activation)

    def dense(self, units, word, activation=()):
        inputs = 1
        for size in self.shape:
            inputs *= size
        self.add(f"dense {units} {word}", [nn.Flatten(), nn.Linear(inputs, units), *activation])
        self.shape = (units,)

    def expected(self):
        """The shape behind each statement, as PyTorch computes it, and its parameters."""
        flat = "x" not in self.lines[0]
        x = torch.zeros(2, 784) if flat else torch.zeros(2, 1, 28, 28)
        rows = []
        with torch.no_grad():
            for modules in self.modules:
                x = nn.Sequential(*modules)(x)
                shape = x.shape[1:] if x.dim() == 2 else (x.shape[2], x.shape[3], x.shape[1])
                rows.append(("x".join(map(str, shape)),
                             sum(p.numel() for m in modules for p in m.parameters())))
        return rows


def main():
    netc, mode = sys.argv[1:]
    if mode == "lenet":
        compare(LENET, summary(netc, LENET), LENET_KERAS, LENET_TOTAL)
        return
    for seed in range(60):
        net = Net(seed)
        text = "\n".join(net.lines) + "\nloss cross_entropy\n"
        rows = net.expected()
        compare(text, summary(netc, text), rows, sum(row[1] for row in rows))


if __name__ == "__main__":
    if sys.argv[2] == "torch":
        import warnings

        warnings.simplefilter("ignore")
        import torch
        from torch import nn

        torch.manual_seed(0)
    main()
