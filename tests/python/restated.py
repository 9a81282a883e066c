"""The same network in other words: restated.py plain|dressed FILE SEED

plain       without `repeat`: its bodies are written as often as they stand for
dressed     in lists, blocks and params, as the seed draws them; what the command line is to add
            stands in comments of `-D` and `--set`, and a param that it replaces has a wrong number
"""
import random
import re
import sys

LAYERS = ("conv", "dense")
SETTINGS = ("optimizer", "batch", "clip", "ema", "schedule", "validation", "scale")
NUMBER = r"(?<=[ (])\d+(?:\.\d+)?(?=[ ;]|$)"  # neither a size nor a percentage


def plain(text):
    while found := re.search(r"repeat (\d+) \{", text):
        depth, end = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        body = text[found.end():end - 1].strip()
        text = text[:found.start()] + "; ".join([body] * int(found[1])) + text[end:]
    return text


def in_lists(lines, draw):
    """Neighbours of one word and as many others become one statement."""
    result = []
    for words in (line.split() for line in lines):
        before = result[-1] if result else [""]
        others = [i for i, (a, b) in enumerate(zip(before, words)) if a != b]
        if (words[0] == before[0] in LAYERS and len(words) == len(before) and draw.random() < 0.9
                and all(re.match(r"\d", word[i]) for word in (before, words) for i in others)):
            for i in others or [1]:
                before[i] = f"[{before[i]} {words[i]}]"
        else:
            result.append(words)
    return [" ".join(words) for words in result]


def in_blocks(text, draw):
    """Bodies become uses of blocks, which take a number of them for an argument."""
    bodies, blocks = [], []

    def use(found):
        body = found[1].strip()
        if body and draw.random() < 0.6:
            name, number = f"part{len(blocks)}", re.search(NUMBER, body)
            if number:
                body = f"{body[:number.start()]}size{body[number.end():]}"
            blocks.append(f"block {name}{'(size)' if number else ''} {{ {body} }}")
            body = f"{name} {number[0]}" if number else name
        bodies.append(f"{{ {body} }}")
        return f"<{len(bodies) - 1}>"

    count = 1
    while count:
        text, count = re.subn(r"\{([^{}]*)\}", use, text)
    text = "\n".join(blocks + [text])
    while "<" in text:
        text = re.sub(r"<(\d+)>", lambda found: bodies[int(found[1])], text)
    return text


def with_params(text, draw):
    params = []

    def name(found):
        if draw.random() < 0.7:
            return found[0]
        params.append(f"param n{len(params)} = 7 # -D n{len(params)}={found[0]}")
        return f"n{len(params) - 1}"

    text = re.sub(NUMBER, name, text, flags=re.MULTILINE)
    return "\n".join(params + [text])


def with_settings(lines, draw):
    for line in lines:
        word, _, rest = line.partition(" ")
        yield f"# --set {word}={rest}" if word in SETTINGS and draw.random() < 0.4 else line


def dressed(text, draw):
    text = in_blocks("\n".join(in_lists(text.splitlines(), draw)), draw)
    return "\n".join(with_settings(with_params(text, draw).splitlines(), draw))


with open(sys.argv[2], encoding="utf-8") as file:
    given = file.read()
draw = random.Random(sys.argv[3])
print(plain(given) if sys.argv[1] == "plain" else dressed(given, draw))
