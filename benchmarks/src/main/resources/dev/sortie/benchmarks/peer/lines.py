"""Talks to the Java side: a JSON object per line, a question on standard input, an answer on what was standard output."""
import json
import os
import sys
import time

# Native libraries write to file descriptor 1; answers keep a copy of it, and it goes where errors go.
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def answer(**fields):
    _answers.write(json.dumps(fields) + "\n")
    _answers.flush()


def questions():
    for line in sys.stdin:
        yield json.loads(line)


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result
