"""Writes the chat template fixtures next to this script with PyPI's transformers (5.24.0) and jinja2 (3.1.6).

renderings.json: for each template of templates.json, what transformers renders for each conversation of
conversations.json, or null where it raises an error. snippets.json: small templates that try one construct
each, and what the environment that transformers sets up makes of them; to add one, write its "template" and
"context" there and run this.

Run:  python make_fixtures.py
      python make_fixtures.py --check FOLDER   the *.jinja files of any folder, into FOLDER/renderings.json;
                                               the parity test reads it where SORTIE_CHAT_TEMPLATES names FOLDER
"""

import datetime
import json
import pathlib
import sys

from transformers.utils import chat_template_utils as hf

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2025, 3, 4, 15, 6, 7)
DEFAULT_SPECIALS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


hf.datetime = FixedTime


def render(template, specials, conversation):
    try:
        rendered, _ = hf.render_jinja_template(
            conversations=[hf._normalize_chat_messages(conversation["messages"])],
            tools=conversation.get("tools"),
            chat_template=template,
            add_generation_prompt=conversation["add_generation_prompt"],
            **specials,
            **conversation.get("variables", {}),
        )
        return rendered[0]
    except Exception as error:
        print("   ", conversation["name"], type(error).__name__, str(error)[:150].replace("\n", " "))
        return None


def renderings(templates, conversations):
    result = {}
    for name, (text, specials) in templates.items():
        print(name)
        result[name] = {c["name"]: render(text, specials, c) for c in conversations}
    return result


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def snippets():
    # compiled through the function that transformers itself uses
    result = []
    for source in read(HERE / "snippets.json"):
        context = source["context"]
        try:
            output = hf._compile_jinja_template(source["template"]).render(**context)
        except Exception as error:
            print("   ", source["template"][:80].replace("\n", "\\n"), "=>", type(error).__name__, str(error)[:90])
            output = None
        result.append({"template": source["template"], "context": context, "output": output})
    write(HERE / "snippets.json", result)


conversations = read(HERE / "conversations.json")
if len(sys.argv) == 3 and sys.argv[1] == "--check":
    folder = pathlib.Path(sys.argv[2])
    files = sorted(folder.glob("*.jinja"))
    found = {f.name: (f.read_text(encoding="utf-8"), DEFAULT_SPECIALS) for f in files}
    write(folder / "renderings.json", renderings(found, conversations))
else:
    listed = read(HERE / "templates.json")
    files = {t["file"]: ((HERE / "templates" / t["file"]).read_text(encoding="utf-8"), t["specials"]) for t in listed}
    write(HERE / "renderings.json", renderings(files, conversations))
    snippets()
