"""llama.cpp as a peer of prefill and decoding, through the server that xllamacpp carries.

argv: GGUF file, threads. A question {"prompt": [ids], "count": n} is answered with llama.cpp's own timings, in seconds:
"prefill" for reading the prompt, "decode" for the tokens after the first, and the greedy "ids"."""
import importlib.metadata
import urllib.request

import xllamacpp

settings = xllamacpp.CommonParams()
settings.model.path = sys.argv[1]
settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = int(sys.argv[2])
settings.n_gpu_layers = 0
settings.n_ctx = 2048
settings.n_batch = settings.n_ubatch = 512
settings.warmup = True
settings.port = 0
server = xllamacpp.Server(settings)
url = server.listening_address + "/completion"


def complete(prompt, count):
    body = json.dumps(
        {
            "prompt": prompt,
            "n_predict": count,
            "temperature": 0,
            "ignore_eos": True,
            "cache_prompt": False,
            "return_tokens": True,
        }
    ).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)


answer(peer="llama.cpp, xllamacpp " + importlib.metadata.version("xllamacpp"))
for q in questions():
    done = complete(q["prompt"], q["count"])
    times = done["timings"]
    answer(
        prefill=times["prompt_ms"] / 1e3,
        prefill_tokens=times["prompt_n"],
        decode=times["predicted_ms"] / 1e3,
        decode_tokens=times["predicted_n"],
        ids=done["tokens"],
    )
