"""Optimizers: torch.optim's where its formula is Keras 3's too, otherwise Keras' written out here.

Around each lies what Keras does around its optimizers: clipping and weight decay before, the moving
average of the weights and the constraint of their norms after.
"""
import math

import torch


class Formula:
    """One of Keras 3's optimizers (keras/src/optimizers): step changes the weights."""

    def __init__(self, weights, kind, options, on):
        self.weights, self.kind, self.on, self.t = weights, kind, on, 0
        self.options = {"rho": 0.9, "momentum": 0.0, "eps": 1e-7, "beta1": 0.9, "initial": 0.1,
                        "beta2": 0.99 if kind == "lion" else 0.999, **options}
        first = self.options["initial"] if kind == "adagrad" else 0
        self.states = [[torch.full_like(w, first) for _ in range(3)] for w in weights]

    def step(self):
        self.t += 1
        for w, states in zip(self.weights, self.states):
            getattr(self, self.kind)(w, w.grad, *states)

    def rmsprop(self, w, g, v, m, mean):
        o = self.options
        v.mul_(o["rho"]).add_((1 - o["rho"]) * g * g)
        below = v + o["eps"]
        if "centered" in self.on:
            mean.mul_(o["rho"]).add_((1 - o["rho"]) * g)
            below = below - mean * mean
        m.mul_(o["momentum"]).add_(o["lr"] * g / below.sqrt())
        w.sub_(m)

    def adagrad(self, w, g, total, *_):
        total.add_(g * g)
        w.sub_(self.options["lr"] * g / (total + self.options["eps"]).sqrt())

    def adam(self, w, g, m, v, largest):
        o = self.options
        m.add_((g - m) * (1 - o["beta1"]))
        v.add_((g * g - v) * (1 - o["beta2"]))
        if "amsgrad" in self.on:
            largest.copy_(torch.maximum(largest, v))
            v = largest
        alpha = o["lr"] * (1 - o["beta2"] ** self.t) ** 0.5 / (1 - o["beta1"] ** self.t)
        w.sub_(m * alpha / (v.sqrt() + o["eps"]))

    adamw = adam

    def nadam(self, w, g, m, v, *_):
        """torch.optim.NAdam with momentum_decay 1 is the same, but multiplies in float."""
        o = self.options
        u = [o["beta1"] * (1 - 0.5 * 0.96 ** t) for t in range(1, self.t + 2)]
        so_far = math.prod(u[:-1])
        m.add_((g - m) * (1 - o["beta1"]))
        v.add_((g * g - v) * (1 - o["beta2"]))
        m_hat = u[-1] * m / (1 - so_far * u[-1]) + (1 - u[-2]) * g / (1 - so_far)
        v_hat = v / (1 - o["beta2"] ** self.t)
        w.sub_(m_hat * o["lr"] / (v_hat.sqrt() + o["eps"]))

    def lion(self, w, g, m, *_):
        o = self.options
        w.sub_(o["lr"] * torch.sign(m * o["beta1"] + g * (1 - o["beta1"])))
        m.copy_(m * o["beta2"] + g * (1 - o["beta2"]))


def inner(weights, kind, options, on, use_torch_adam):
    if kind == "sgd":
        return torch.optim.SGD(weights, nesterov="nesterov" in on, **options)
    if kind == "adadelta":
        return torch.optim.Adadelta(weights, lr=options["lr"], rho=options.get("rho", 0.95), eps=1e-7)
    if use_torch_adam:
        return torch.optim.Adam(weights, lr=options["lr"], eps=options["eps"])
    return Formula(weights, kind, options, on)


class Optimizer:
    """`limits` are those of the norms of some weights, by their place."""

    def __init__(self, weights, training, limits, use_torch_adam):
        (kind,), named = training["optimizer"]
        on = [name for name, value in named.items() if value == "on"]
        options = {name: float(value) for name, value in named.items()
                   if value not in ("on", "off") and name != "decays"}
        self.decays = named.get("decays", "all")
        self.decay = options.pop("weight_decay", 0.004 if kind == "adamw" else 0)
        self.weights, self.lr, self.limits = weights, options["lr"], limits
        self.inner = inner(weights, kind, options, on, use_torch_adam)
        self.clip = training.get("clip", ((None, 0), {}))[0]
        self.momentum = float(training.get("ema", (("0",), {}))[0][0])
        self.averages = [None for _ in weights]

    def clip_gradients(self):
        kind, limit = self.clip[0], float(self.clip[1])
        grads = [w.grad for w in self.weights]
        if kind == "value":
            for g in grads:
                g.clamp_(-limit, limit)
        elif kind == "norm":
            norm = torch.sqrt(sum((g * g).sum() for g in grads))
            for g in grads:
                g.mul_(limit / max(norm, limit))

    @torch.no_grad()
    def step(self):
        self.clip_gradients()
        for w in self.weights:
            if self.decays == "all" or w.dim() > 1:
                w.sub_(w * self.decay * self.lr)
        self.inner.step()
        for i, w in enumerate(self.weights):
            average = self.averages[i]
            self.averages[i] = w.clone() if average is None else (
                self.momentum * average + (1 - self.momentum) * w)
        for i, limit in self.limits.items():
            flat = self.weights[i].view(-1, self.weights[i].shape[-1])
            norms = torch.sqrt((flat * flat).sum(0))
            flat.mul_(torch.where(norms > limit, limit / (norms + 1e-7), torch.ones_like(norms)))

    def zero_grad(self):
        for w in self.weights:
            w.grad = None
