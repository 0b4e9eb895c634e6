"""llama.cpp, built for this processor, as a peer of prefill and decoding, through llama-cpp-python's low-level functions.

argv and answers as in llama.py. Times are of llama_decode and of finding the largest logit."""
import ctypes
import importlib.metadata
import time

import llama_cpp
import numpy as np

silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()
wanted = llama_cpp.llama_model_default_params()
wanted.n_gpu_layers = 0
model = llama_cpp.llama_model_load_from_file(sys.argv[1].encode(), wanted)
settings = llama_cpp.llama_context_default_params()
settings.n_ctx = 2048
settings.n_batch = settings.n_ubatch = 512
settings.n_threads = settings.n_threads_batch = int(sys.argv[2])
context = llama_cpp.llama_init_from_model(model, settings)
vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))


def read(ids):
    """The id of the largest logit after these tokens."""
    tokens = (llama_cpp.llama_token * len(ids))(*ids)
    if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(tokens, len(ids))):
        raise RuntimeError("llama_decode failed")
    logits = llama_cpp.llama_get_logits_ith(context, -1)
    return int(np.ctypeslib.as_array(logits, (vocabulary,)).argmax())


answer(peer="llama.cpp, llama-cpp-python " + importlib.metadata.version("llama-cpp-python") + " built here")
for q in questions():
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    start = time.perf_counter()
    ids = [read(q["prompt"])]
    first = time.perf_counter()
    while len(ids) < q["count"]:
        ids.append(read(ids[-1:]))
    answer(prefill=first - start, decode=time.perf_counter() - first, ids=ids)
