"""PyTorch as a peer of training and tuning: a Llama-type decoder and MLP exits that begin with the weights Sortie wrote.

argv: folder with model.json, weights.f32, tokens.i32 and maybe exits.f32; number of threads.
A question {"variant": ...} runs one step, of the exits where there are any, and is answered with its seconds and losses.
Variants: eager and compiled (torch.compile), F32; bf16_autocast (eager); for tuning also exits_with_own_norm (eager, F32, exits that train a norm of their own before the MLP).
"""
import contextlib
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

folder = pathlib.Path(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]))
plan = json.loads((folder / "model.json").read_text())
C, H, FFN, V, EPS = (plan[k] for k in ("hidden", "heads", "ffn", "vocab", "eps"))
D = C // H
tokens = torch.from_numpy(np.fromfile(folder / "tokens.i32", "<i4").reshape(-1, plan["tokens"] + 1).astype(np.int64))


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * self.weight


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = linear(C, FFN), linear(C, FFN), linear(FFN, C)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (linear(C, C) for _ in range(4))

    def forward(self, x, rope):
        b, t, _ = x.shape
        q, k, v = (p(x).view(b, t, H, D).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        y = F.scaled_dot_product_attention(rotate(q, rope), rotate(k, rope), v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, C))


def rotate(x, rope):
    cos, sin = rope
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm, self.self_attn = Norm(), Attention()
        self.post_attention_layernorm, self.mlp = Norm(), Mlp()

    def forward(self, x, rope):
        a = x + self.self_attn(self.input_layernorm(x), rope)
        return a, a + self.mlp(self.post_attention_layernorm(a))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.ModuleDict(
            {
                "embed_tokens": nn.Embedding(V, C),
                "layers": nn.ModuleList(Layer() for _ in range(plan["layers"])),
                "norm": Norm(),
            }
        )
        self.lm_head = linear(C, V)
        angles = torch.outer(torch.arange(plan["tokens"]), plan["theta"] ** (-torch.arange(0, D, 2) / D))
        self.rope = angles.cos(), angles.sin()

    def hidden(self, ids, depth):
        """Residual after attention and output, of each of the first layers."""
        x, seen = self.model["embed_tokens"](ids), []
        for layer in self.model["layers"][:depth]:
            a, x = layer(x, self.rope)
            seen.append((a, x))
        return seen

    def forward(self, ids):
        return self.lm_head(self.model["norm"](self.hidden(ids, plan["layers"])[-1][1]))


class Exit(nn.Module):
    """An MLP in parallel to the layer's own, behind the layer's frozen norm; or behind a trained one, on the layer's output."""

    def __init__(self, backbone, depth, own_norm):
        super().__init__()
        self.depth, self.own_norm = depth, own_norm
        self.mlp, self.norm, self.head = Mlp(), Norm(), linear(C, V)
        self.before = [Norm()] if own_norm else [backbone.model["layers"][depth - 1].post_attention_layernorm]

    def parameters(self, recurse=True):
        yield from super().parameters(recurse)
        if self.own_norm:
            yield from self.before[0].parameters()

    def forward(self, a, x):
        z = x if self.own_norm else a
        return self.head(self.norm(z + self.mlp(self.before[0](z))))


def load(module, tensors, file):
    """Fills a module with Sortie's tensors, which lie one after the other."""
    data, at, state = torch.from_numpy(np.fromfile(folder / file, "<f4")), 0, {}
    for name, shape in tensors:
        size = math.prod(shape)
        state[name], at = data[at : at + size].view(shape), at + size
    module.load_state_dict(state)


def optimizer(parameters):
    """AdamW with decay on matrices only, no clipping: what the Java side is set to."""
    parameters = list(parameters)
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": plan["decay"]},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, plan["rate"], betas=(0.9, 0.999), eps=1e-8, fused=True)


def loss_of(logits, targets):
    return F.cross_entropy(logits.float().view(-1, V), targets.reshape(-1))


class Run:
    """A model with its optimiser; each variant has one, so that none sees another's updates."""

    def __init__(self, variant):
        self.at, self.bf16 = 0, variant == "bf16_autocast"
        self.model = Decoder()
        load(self.model, plan["tensors"], "weights.f32")
        if "exits" in plan:
            self.model.requires_grad_(False)
            self.exits = nn.ModuleList(Exit(self.model, d, variant == "exits_with_own_norm") for d in plan["depths"])
            load(self.exits, plan["exits"], "exits.f32")
            self.optimizer = optimizer(p for e in self.exits for p in e.parameters())
            self.losses = self.losses_of_exits
        else:
            self.optimizer = optimizer(self.model.parameters())
            self.losses = self.loss_of_model
        if variant == "compiled":
            self.losses = torch.compile(self.losses)

    def batch(self):
        rows = torch.arange(self.at * plan["batch"], (self.at + 1) * plan["batch"]) % len(tokens)
        self.at += 1
        return tokens[rows, :-1], tokens[rows, 1:]

    def precision(self):
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.bf16 else contextlib.nullcontext()

    def loss_of_model(self, ids, targets):
        return {"final": loss_of(self.model(ids), targets)}

    def losses_of_exits(self, ids, targets):
        with torch.no_grad():
            hidden = self.model.hidden(ids, plan["depths"][-1])
        return {str(e.depth): loss_of(e(*hidden[e.depth - 1]), targets) for e in self.exits}

    def step(self):
        ids, targets = self.batch()
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision():
            losses = self.losses(ids, targets)
        sum(losses.values()).backward()
        self.optimizer.step()
        return {name: loss.item() for name, loss in losses.items()}


runs = {}
answer(peer="PyTorch " + torch.__version__)
for q in questions():
    run = runs.setdefault(q["variant"], None) or Run(q["variant"])
    runs[q["variant"]] = run
    seconds, losses = timed(run.step)
    answer(seconds=seconds, losses=losses)
