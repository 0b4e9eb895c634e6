"""llama.cpp as a peer of whole processes: starts, loads a model, continues a text, ends.

argv: GGUF file, threads, file with the prompt, tokens. Tokens go to standard output as they come. The last line on standard
error names the peer and says how many tokens it read and wrote. Python is there for the binding alone: nothing is imported that
this does not need, and tokens do not go through the server's HTTP port."""
import json
import sys

import xllamacpp

settings = xllamacpp.CommonParams()
settings.model.path = sys.argv[1]
settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = int(sys.argv[2])
settings.n_gpu_layers = 0
settings.n_ctx = 1024
settings.n_parallel = 1
settings.warmup = False
settings.fit_params = False
settings.cache_ram_mib = 0
settings.port = 0
with open(sys.argv[3], encoding="utf-8", newline="") as file:
    prompt = file.read()
server = xllamacpp.Server(settings)
usage = {}


def show(piece):
    global usage
    if "error" in piece:
        sys.exit("llama.cpp: " + str(piece["error"]))
    sys.stdout.buffer.write(piece["choices"][0]["text"].encode())
    sys.stdout.buffer.flush()
    usage = piece.get("usage", usage)


server.handle_completions(
    {
        "prompt": prompt,
        "max_tokens": int(sys.argv[4]),
        "temperature": 0,
        "ignore_eos": True,
        "cache_prompt": False,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    show,
)
del server  # its threads end, and have written their last line
report = {
    "peer": "llama.cpp, xllamacpp " + xllamacpp.__version__,
    "prompt_tokens": usage["prompt_tokens"],
    "tokens": usage["completion_tokens"],
}
print(json.dumps(report), file=sys.stderr)
