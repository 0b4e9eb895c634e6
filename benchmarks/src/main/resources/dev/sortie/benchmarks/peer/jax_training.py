"""JAX as a peer of training and tuning: the steps of torch_training.py, in F32, compiled by XLA.

argv: folder with model.json, weights.f32, tokens.i32 and maybe exits.f32; number of threads.
A question runs one step, of the exits where there are any, and is answered with its seconds and losses.
"""
import functools
import math
import pathlib

# XLA has as many threads as the process may use processors; macOS has no call for that.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])

import jax
import jax.numpy as jnp
import numpy as np

folder = pathlib.Path(sys.argv[1])
plan = json.loads((folder / "model.json").read_text())
C, H, V, EPS, T = (plan[k] for k in ("hidden", "heads", "vocab", "eps", "tokens"))
D = C // H
tokens = np.fromfile(folder / "tokens.i32", "<i4").reshape(-1, T + 1)
angles = np.outer(np.arange(T), plan["theta"] ** (-np.arange(0, D, 2) / D))
cos, sin = (jnp.asarray(f(angles)[:, None, :], jnp.float32) for f in (np.cos, np.sin))


def load(tensors, file):
    """Sortie's tensors by name; they lie one after the other."""
    data, at, loaded = np.fromfile(folder / file, "<f4"), 0, {}
    for name, shape in tensors:
        size = math.prod(shape)
        loaded[name], at = jnp.asarray(data[at : at + size].reshape(shape)), at + size
    return loaded


def norm(p, name, x):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + EPS) * p[name + ".weight"]


def linear(p, name, x):
    return x @ p[name + ".weight"].T


def mlp(p, name, x):
    return linear(p, name + ".down_proj", jax.nn.silu(linear(p, name + ".gate_proj", x)) * linear(p, name + ".up_proj", x))


def rotate(x):
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate((a * cos - b * sin, b * cos + a * sin), -1)


def attention(p, name, x):
    q, k, v = (linear(p, f"{name}.{part}_proj", x).reshape(*x.shape[:2], H, D) for part in "qkv")
    y = jax.nn.dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
    return linear(p, name + ".o_proj", y.reshape(x.shape))


def hidden(p, ids, depth):
    """Residual after attention and output, of each of the first layers."""
    x, seen = p["model.embed_tokens.weight"][ids], []
    for i in range(depth):
        layer = f"model.layers.{i}"
        a = x + attention(p, layer + ".self_attn", norm(p, layer + ".input_layernorm", x))
        x = a + mlp(p, layer + ".mlp", norm(p, layer + ".post_attention_layernorm", a))
        seen.append((a, x))
    return seen


def loss_of(logits, targets):
    logits = logits.reshape(-1, V)
    chosen = jnp.take_along_axis(logits, targets.reshape(-1, 1), 1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, -1) - chosen)


def losses_of_model(trained, frozen, ids, targets):
    x = hidden(trained, ids, plan["layers"])[-1][1]
    return {"final": loss_of(linear(trained, "lm_head", norm(trained, "model.norm", x)), targets)}


def losses_of_exits(trained, frozen, ids, targets):
    seen, losses = jax.lax.stop_gradient(hidden(frozen, ids, plan["depths"][-1])), {}
    for i, depth in enumerate(plan["depths"]):
        a, _ = seen[depth - 1]
        z = a + mlp(trained, f"{i}.mlp", norm(frozen, f"model.layers.{depth - 1}.post_attention_layernorm", a))
        losses[str(depth)] = loss_of(linear(trained, f"{i}.head", norm(trained, f"{i}.norm", z)), targets)
    return losses


def adamw(p, gradient, m, v, count):
    """Decay on matrices only, no clipping: what the Java side is set to."""
    m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient * gradient
    kept = 1 - plan["rate"] * plan["decay"] if p.ndim > 1 else 1.0
    change = m / (1 - 0.9**count) / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-8)
    return kept * p - plan["rate"] * change, m, v


@functools.partial(jax.jit, donate_argnums=(0, 1, 2))
def step(trained, m, v, frozen, count, ids, targets):
    def total(trained):
        losses = (losses_of_exits if "exits" in plan else losses_of_model)(trained, frozen, ids, targets)
        return sum(losses.values()), losses

    gradients, losses = jax.grad(total, has_aux=True)(trained)
    new = {name: adamw(p, gradients[name], m[name], v[name], count) for name, p in trained.items()}
    return *({name: n[i] for name, n in new.items()} for i in range(3)), losses


class Run:
    def __init__(self):
        weights = load(plan["tensors"], "weights.f32")
        exits = "exits" in plan
        self.trained = load(plan["exits"], "exits.f32") if exits else weights
        self.frozen = weights if exits else {}
        self.m, self.v = ({name: jnp.zeros_like(p) for name, p in self.trained.items()} for _ in range(2))
        self.at = 0

    def step(self):
        rows = np.arange(self.at * plan["batch"], (self.at + 1) * plan["batch"]) % len(tokens)
        self.at += 1
        self.trained, self.m, self.v, losses = step(
            self.trained, self.m, self.v, self.frozen, jnp.float32(self.at), tokens[rows, :-1], tokens[rows, 1:]
        )
        jax.block_until_ready(self.trained)
        return {name: float(loss) for name, loss in losses.items()}


run = Run()
answer(peer="JAX " + jax.__version__)
for _ in questions():
    seconds, losses = timed(run.step)
    answer(seconds=seconds, losses=losses)
