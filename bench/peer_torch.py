"""PyTorch, `eager` or `compile`: data preloaded, no loader, fused optimizers, fp32 products at the highest precision,
pictures as channels_last, which is the faster. No mode of torch.compile was faster than the default."""
import torch
from torch import nn

from peer import serve
from workloads import RATES


def model(work):
    channels, size, layers = work.shape[2], work.shape[0], []
    features = None
    for kind, *numbers in work.layers:
        if kind == "conv":
            layers.append(nn.Conv2d(channels, numbers[0], numbers[1],
                                    padding=numbers[1] // 2 if numbers[2] == "same" else 0))
            channels, size = numbers[0], size if numbers[2] == "same" else size - numbers[1] + 1
        elif kind == "batchnorm":
            layers.append(nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01))
        elif kind == "pool":
            layers.append(nn.MaxPool2d(2))
            size //= 2
        elif kind == "relu":
            layers.append(nn.ReLU())
        elif kind == "flatten":
            layers.append(nn.Flatten())
        else:
            if features is None:
                features = channels * size * size
            layers.append(nn.Linear(features, numbers[0]))
            features = numbers[0]
    for layer in layers:  # as Keras and netc begin
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def optimizer_of(kind, parameters):
    if kind == "adam":
        return torch.optim.Adam(parameters, lr=RATES[kind], eps=1e-7, fused=True)
    if kind == "rmsprop":  # has no fused form
        return torch.optim.RMSprop(parameters, lr=RATES[kind], alpha=0.9, eps=1e-7, foreach=True)
    return torch.optim.SGD(parameters, lr=RATES[kind], momentum=0.9 if kind == "momentum" else 0, fused=True)


class Trainer:
    def __init__(self, work, threads, variant, x, y):
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision("highest")
        self.work = work
        self.convolves = any(layer[0] == "conv" for layer in work.layers)
        self.x, self.y = self.tensor(x), torch.from_numpy(y).long()
        torch.manual_seed(1)
        self.net = model(work)
        if self.convolves:
            self.net = self.net.to(memory_format=torch.channels_last)
        self.net.train()
        self.optimizer = optimizer_of(work.optimizer, self.net.parameters())
        net, loss_of = self.net, nn.CrossEntropyLoss()

        def loss(x, y):
            return loss_of(net(x), y)
        self.loss = torch.compile(loss) if variant == "compile" else loss

    def tensor(self, x):
        x = torch.from_numpy(x)
        if not self.convolves:
            return x.reshape(len(x), -1)
        return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def steps(self, count):
        batch = self.work.batch
        order = torch.randperm(len(self.x))
        for step in range(count):
            index = order[step * batch:(step + 1) * batch]
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.x[index], self.y[index]).backward()
            self.optimizer.step()

    def accuracy(self, x, y):
        self.net.eval()
        with torch.no_grad():
            guess = torch.cat([self.net(part).argmax(1) for part in self.tensor(x).split(1000)])
        return (guess.numpy() == y).mean()


serve(Trainer)
