"""The official openai package against a server of Sortie: python openai_client.py URL MODEL. Exits with 0 if all is as it should be."""

import json
import sys
from typing import Annotated, Literal, Optional

import openai
from pydantic import BaseModel, Field

url, model = sys.argv[1:]
client = openai.OpenAI(base_url=url + "/v1", api_key="unused", max_retries=0)
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Once upon a time"}]


class Animal(BaseModel):
    kind: Literal["fox", "hen"]
    legs: int = Field(ge=0, le=8)
    name: Annotated[str, Field(max_length=8)]
    tame: Optional[bool]


def chat():
    plain = client.chat.completions.create(model=model, messages=MESSAGES, temperature=0, max_completion_tokens=20)
    assert plain.object == "chat.completion" and plain.model == model
    choice = plain.choices[0]
    assert choice.finish_reason in ("stop", "length") and choice.message.role == "assistant"
    assert plain.usage.completion_tokens <= 20 and plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens
    stream = client.chat.completions.create(
        model=model, messages=MESSAGES, temperature=0, max_completion_tokens=20, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == choice.message.content, (text, choice.message.content)
    assert chunks[-1].usage == plain.usage or chunks[-1].usage.completion_tokens == plain.usage.completion_tokens
    deltas = []
    try:
        with client.chat.completions.stream(model=model, messages=MESSAGES, temperature=0, max_completion_tokens=20) as events:
            for event in events:
                if event.type == "content.delta":
                    deltas.append(event.delta)
    except openai.LengthFinishReasonError:  # the helper's way to say it
        assert choice.finish_reason == "length"
    assert "".join(deltas) == text, (deltas, text)
    rich = client.chat.completions.create(
        model=model, messages=MESSAGES, seed=3, n=2, max_tokens=5, logprobs=True, top_logprobs=3, stop=["zzz"],
        logit_bias={"5": -10}, presence_penalty=0.5, frequency_penalty=0.5, user="someone",
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}], tool_choice="none",
        extra_body={"sortie": {"trace": True}},
    )
    assert len(rich.choices) == 2
    assert all(len(t.top_logprobs) == 3 and t.logprob <= 0 and t.bytes for t in rich.choices[0].logprobs.content)
    assert rich.model_extra["sortie"]["ignored"] == ["user"]
    assert len(rich.model_extra["sortie"]["trace"]) == rich.usage.completion_tokens


def completions():
    text = client.completions.create(model=model, prompt="Once upon a time", temperature=0, max_tokens=12)
    streamed = client.completions.create(model=model, prompt="Once upon a time", temperature=0, max_tokens=12, stream=True)
    assert "".join(c.choices[0].text for c in streamed) == text.choices[0].text
    echo = client.completions.create(model=model, prompt="Once upon a time", max_tokens=0, echo=True, logprobs=1).choices[0]
    assert echo.text == "Once upon a time" and echo.logprobs.token_logprobs[0] is None
    assert "".join(echo.logprobs.tokens) == echo.text and echo.logprobs.text_offset[0] == 0


def responses():
    plain = client.responses.create(model=model, instructions="Be brief.", input="Once upon a time", temperature=0, max_output_tokens=16)
    assert plain.status in ("completed", "incomplete") and plain.output_text
    events = list(client.responses.create(model=model, instructions="Be brief.", input="Once upon a time", temperature=0, max_output_tokens=16, stream=True))
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == plain.output_text
    assert events[-1].type == "response." + plain.status and events[-1].response.usage == plain.usage
    with client.responses.stream(model=model, input="Once upon a time", temperature=0, max_output_tokens=8) as stream:
        types = {event.type for event in stream}
    assert "response.output_text.done" in types, types


def structured():
    for seed in range(3):
        parsed = client.chat.completions.parse(model=model, messages=MESSAGES, response_format=Animal, seed=seed, max_completion_tokens=400)
        assert isinstance(parsed.choices[0].message.parsed, Animal) and parsed.choices[0].finish_reason == "stop"
        with client.chat.completions.stream(model=model, messages=MESSAGES, response_format=Animal, seed=seed, max_completion_tokens=400) as stream:
            assert stream.get_final_completion().choices[0].message.parsed == parsed.choices[0].message.parsed
        tool = openai.pydantic_function_tool(Animal)
        for choice in ("required", {"type": "function", "function": {"name": "Animal"}}):
            called = client.chat.completions.parse(model=model, messages=MESSAGES, tools=[tool], tool_choice=choice, seed=seed, max_completion_tokens=400)
            assert isinstance(called.choices[0].message.tool_calls[0].function.parsed_arguments, Animal), called
        response = client.responses.parse(model=model, input="A fox", text_format=Animal, max_output_tokens=400, extra_body={"seed": seed})
        assert isinstance(response.output_parsed, Animal), response
        loose = client.chat.completions.create(model=model, messages=MESSAGES, response_format={"type": "json_object"}, seed=seed, max_completion_tokens=60).choices[0]
        assert loose.finish_reason == "length" or isinstance(json.loads(loose.message.content), dict), loose
        known = client.completions.create(model=model, prompt="Is it?", extra_body={"grammar": 'root ::= " yes" | " no"'}, seed=seed).choices[0]
        assert known.text in (" yes", " no") and known.finish_reason == "stop"


def embeddings():
    vectors = client.embeddings.create(model=model, input=["a fox", "a hen"])
    assert len(vectors.data) == 2
    for item in vectors.data:
        assert abs(sum(x * x for x in item.embedding) - 1) < 1e-5
    floats = client.embeddings.create(model=model, input="a fox", encoding_format="float").data[0].embedding
    assert max(abs(a - b) for a, b in zip(floats, vectors.data[0].embedding)) < 1e-7


def models():
    assert [m.id for m in client.models.list()] == [model]
    assert client.models.retrieve(model).owned_by == "sortie"


def refused(error, param, **fields):
    try:
        client.chat.completions.create(**{"model": model, "messages": MESSAGES, **fields})
    except error as e:
        assert e.param == param, (e.param, param)
    else:
        raise AssertionError(param)


def errors():
    refused(openai.NotFoundError, "model", model="gpt-4o")
    refused(openai.BadRequestError, "temperature", temperature=9)
    refused(openai.BadRequestError, "messages", messages=[])
    refused(openai.BadRequestError, "tool_choice", tool_choice="required")
    refused(openai.BadRequestError, "tools", tools=[{"type": "function", "function": {"name": "f"}}])  # the template does not write them down
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "a+"}}}
    refused(openai.BadRequestError, "response_format.json_schema.schema", response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})


for part in (chat, completions, responses, structured, embeddings, models, errors):
    part()
    print(part.__name__, "as it should be")
