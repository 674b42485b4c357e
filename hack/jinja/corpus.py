"""Writes snippets with Jinja2's own answers, to which the template engine is held: engine/jinja/testdata/grammar-cases.json.

Most come from a random grammar with a fixed seed; some, about the filters that pages and prompts share, are written by hand. It needs
Jinja2 (Debian: python3-jinja2):

    python3 hack/jinja/corpus.py > engine/jinja/testdata/grammar-cases.json
"""
import json
import random
import sys

import jinja2
from jinja2.sandbox import SandboxedEnvironment

CONTEXT = json.load(open("engine/jinja/testdata/more-cases.json"))["ctx"]
COUNT = 450
draw = random.Random(15)

METHODS = ["upper()", "split()", "strip()", "swapcase()", "startswith('a')", "count('a')", "find('l')"]


def pick(*choices):
    choice = draw.choice(choices)
    return choice() if callable(choice) else choice


def integer(depth=0):
    leaf = [lambda: str(draw.randint(-3, 12)), "n", "nums|length", "person.age", "items|length", "nums[0]", "js.a", "nums|sum", "name|length"]
    if depth > 2:
        return pick(*leaf)
    return pick(*leaf, lambda: f"({integer(depth + 1)} {pick('+', '-', '*', '//', '%')} {integer(depth + 1)})",
                lambda: f"({integer(depth + 1)}|abs)", lambda: f"{numbers(depth + 1)}|max", lambda: f"{numbers(depth + 1)}|first",
                lambda: f"{numbers(depth + 1)}|length", lambda: f"({integer(depth + 1)} if {truth(depth + 1)} else {integer(depth + 1)})")


def numbers(depth=0):
    leaf = ["nums", "[3, 1, 2]", "range(4)|list", "empty", "items|map(attribute='v')|list", "[n, 2]"]
    if depth > 2:
        return pick(*leaf)
    return pick(*leaf, lambda: f"({numbers(depth + 1)}|sort{pick('', '(reverse=true)')})", lambda: f"({numbers(depth + 1)}|reverse|list)",
                lambda: f"({numbers(depth + 1)}|unique|list)", lambda: f"({numbers(depth + 1)} + {numbers(depth + 1)})",
                lambda: f"({numbers(depth + 1)}|{pick('select', 'reject')}({pick(repr('odd'), repr('even'), chr(39) + 'gt' + chr(39) + ', 1')})|list)",
                lambda: f"{numbers(depth + 1)}[{draw.randint(-2, 2)}:{pick('', '2', '-1')}]")


def text(depth=0):
    leaf = ["name", "person.first", "s", "long", "html", "uni", "'a-b'", "''", "d", "person.address.city", "items[1].n", "'x' ~ n"]
    if depth > 2:
        return pick(*leaf)
    filters = ["upper", "lower", "title", "capitalize", "trim", "e", "length", "replace('o', '0')", "truncate(9)", "truncate(9, true)", "center(12)",
               "wordcount", "first", "last", "list|join('/')", "indent(2)", "striptags", "urlencode", "wordwrap(8)", "reverse", "string", "urlize",
               "replace('a', 'b', 1)", "default('?')", "trim('ha ')", "forceescape", "truncate(12, false, '~', 0)", "tojson", "int(7)", "batch(3)|list"]
    return pick(*leaf, lambda: f"({text(depth + 1)}|{draw.choice(filters)})", lambda: f"({text(depth + 1)} ~ {text(depth + 1)})",
                lambda: f"({numbers(depth + 1)}|join({pick(repr(','), repr(' '), repr(''))}))", lambda: f"({text(depth + 1)} if {truth(depth + 1)} else {text(depth + 1)})",
                lambda: f"({text(depth + 1)}|string)[{draw.randint(-3, 3)}:]", lambda: f"({text(depth + 1)}|string).{draw.choice(METHODS)}",
                lambda: f"({integer(depth + 1)}|string)", lambda: f"('%s:%s'|format({integer(depth + 1)}, {text(depth + 1)}))")


def truth(depth=0):
    leaf = ["t", "none", "empty", "nums", "n is odd", "missing is defined", "name is string", "items[0].ok", "true", "false", "none is none"]
    if depth > 2:
        return pick(*leaf)
    return pick(*leaf, lambda: f"{integer(depth + 1)} {pick('<', '>', '==', '!=', '<=', '>=')} {integer(depth + 1)}",
                lambda: f"not ({truth(depth + 1)})", lambda: f"({truth(depth + 1)} {pick('and', 'or')} {truth(depth + 1)})",
                lambda: f"{integer(depth + 1)} in {numbers(depth + 1)}", lambda: f"{text(depth + 1)} is {pick('string', 'number', 'sequence', 'mapping', 'upper', 'lower')}",
                lambda: f"'a' in ({text(depth + 1)}|string)", lambda: f"{integer(depth + 1)} is {pick('odd', 'even', 'divisibleby 3', 'number', 'float')}")


def value():
    return pick(integer, text, numbers, truth)


def output():
    return pick("{{ ", "{{- ") + value() + pick(" }}", " -}}", " }}", " }}")


def body(depth):
    parts = [pick(output, "words ", "\n", "- ", lambda: statement(depth + 1)) for _ in range(draw.randint(1, 2))]
    return "".join(parts)


def statement(depth=0):
    if depth > 2:
        return output()
    return pick(lambda: f"{{% if {truth()} %}}{body(depth)}{{% elif {truth()} %}}{body(depth)}{{% else %}}{body(depth)}{{% endif %}}",
                lambda: f"{{% for i in {numbers()} %}}{{{{ loop.{pick('index', 'index0', 'first', 'last', 'revindex', 'length')} }}}}{{{{ i }}}}{body(depth)}{{% else %}}none{{% endfor %}}",
                lambda: f"{{% for i in items if i.{pick('ok', 'v > 1')} %}}{{{{ i.n }}}}{body(depth)}{{% endfor %}}",
                lambda: f"{{% set x = {value()} %}}{{{{ x }}}}{body(depth)}", lambda: f"{{% with y = {value()} %}}{{{{ y }}}}{{% endwith %}}",
                lambda: f"{{% filter {pick('upper', 'trim', 'title', 'indent(2)')} %}}{body(depth)}{{% endfilter %}}",
                lambda: f"{{% macro m(a, b={integer()}) %}}{{{{ a }}}}/{{{{ b }}}}{{% endmacro %}}{{{{ m({value()}) }}}}",
                lambda: f"{{% for k, v in {pick('js', 'person.address', 'items[0]')}|dictsort %}}{{{{ k }}}}={{{{ v }}}};{{% endfor %}}",
                lambda: f"{{% for r in nums|batch({draw.randint(1, 3)}, 'x') %}}{{{{ r }}}}{{% endfor %}}",
                lambda: f"{{% for g in items|groupby('ok') %}}{{{{ g.grouper }}}}:{{{{ g.list|map(attribute='n')|join }}}} {{% endfor %}}")


BY_HAND = [
    "{{ 'see http://example.com/a?b=c&d, and www.example.org.'|urlize }}", "{{ '(https://example.com/x_(y))'|urlize }}",
    "{{ 'write to me@example.com or mailto:you@example.org!'|urlize }}", "{{ 'https://example.com/a/very/long/path'|urlize(20) }}",
    "{{ 'http://a.de'|urlize(nofollow=true) }}", "{{ 'http://a.de'|urlize(none, true, '_blank') }}", "{{ 'example.com and example.de'|urlize }}",
    "{{ 'http://a.de'|urlize(rel='b a', target='_top') }}", "{{ 'ftp://a.de tel:1'|urlize(extra_schemes=['ftp:', 'tel:']) }}",
    "{{ 'x'|urlize(extra_schemes=['1']) }}", "{{ '<http://1.2.3.4:80/>, @a@b.de'|urlize }}", "{{ 'a\\n\\nhttp://b.com\\n'|urlize }}",
    "{{ 'HTTP://A.COM http://localhost http://a'|urlize }}", "{{ html|urlize }}", "{{ 7|urlize }}", "{{ none|urlize }}", "{{ uni|urlize }}",
    "{{ '&lt;http://a.com&gt; [http://b.com]'|urlize }}", "{{ 'http://[::1]/ http://xn--a.xn--p1ai'|urlize }}",
]


def answer(source, undefined):
    environment = SandboxedEnvironment(undefined=undefined, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])
    try:
        return True, environment.from_string(source).render(json.loads(json.dumps(CONTEXT)))
    except Exception:
        return False, ""


def main():
    cases, seen = [], set()
    sources = iter(BY_HAND)
    while len(cases) < COUNT + len(BY_HAND):
        source = next(sources, None) or "".join(pick(output, statement, "text ") for _ in range(draw.randint(1, 2)))
        if source in seen or len(source) > 400 or "{" not in source:
            continue
        seen.add(source)
        ok, out = answer(source, jinja2.Undefined)
        strict_ok, strict_out = answer(source, jinja2.StrictUndefined)
        # Of the snippets that fail, every one is kept that is written by hand, and a few of the others.
        if not ok and source not in BY_HAND and draw.random() < 0.9:
            continue
        if len(out) > 600:
            continue
        cases.append({"src": source, "ok": ok, "out": out, "sok": strict_ok, "sout": strict_out})
    note = (f"Snippets of a random grammar, made by hack/jinja/corpus.py, with the answers of Jinja2 {jinja2.__version__}'s SandboxedEnvironment: "
            "out/ok with the default undefined, sout/sok with StrictUndefined.")
    json.dump({"note": note, "ctx": CONTEXT, "cases": cases}, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
