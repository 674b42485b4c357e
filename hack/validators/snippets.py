"""Snippets of code, right and wrong, by language. corpus.py adds broken forms of the right ones, and asks the real tools."""

BASH = r'''
echo hello
---
for f in *.txt; do wc -l "$f"; done
---
if [ -f a ]; then
  echo yes
elif [[ $a == b* ]]; then
  echo no
else
  exit 1
fi
---
while read -r line; do
  printf '%s\n' "$line"
done < file
---
case "$1" in
  start|stop) echo "$1" ;;
  *) echo "usage: $0" >&2; exit 2 ;;
esac
---
greet() {
  local name=${1:-world}
  echo "hello ${name^^}"
}
greet "$@"
---
cat <<'END'
text $HOME
END
---
total=$((1 + 2 * (3 - 1)))
echo $total
---
arr=(one two "three four")
for i in "${!arr[@]}"; do echo "$i: ${arr[$i]}"; done
---
diff <(sort a) <(sort b)
---
trap 'rm -f "$tmp"' EXIT
tmp=$(mktemp)
---
set -euo pipefail
grep -c foo bar | awk '{ print $1 * 2 }' || true
---
select x in a b; do break; done
---
echo "nested $(echo "inner $(date)")"
---
until (( n > 3 )); do (( n++ )); done
---
{ echo a; echo b; } > out 2>&1
---
function f { return 3; }
---
coproc cat
---
[[ "$x" =~ ^[0-9]+$ ]] && echo number
---
declare -A map=([a]=1 [b]=2)
---
if true; then echo a
---
for in a b; do echo; done
---
echo "unclosed
---
echo 'unclosed
---
case x in a) echo
---
done
---
if; then echo; fi
---
foo() {
---
echo $(ls
---
while true; echo a; done
---
a=(1 2
---
fi
---
echo ${a
---
|| echo a
---
echo a ;; echo b
---
cat <<END
unclosed here document
---
for ((i=0; i<3; i++) do echo; done
---
if [[ a == b ; then echo; fi
---
function { echo; }
---
echo a &&
---
( echo a
---
echo `date
'''

GO = r'''
package a

func f() int { return 1 }
---
func add(a, b int) int { return a + b }
---
x := 1
y := x + 2
---
package main

import "fmt"

func main() { fmt.Println("hi") }
---
type T[K comparable, V any] struct {
	m map[K]V
}

func (t *T[K, V]) Get(k K) V { return t.m[k] }
---
var (
	a = []int{1, 2, 3}
	b = map[string]int{"a": 1}
)
---
for i := range 10 {
	if i%2 == 0 {
		continue
	}
}
---
select {
case v, ok := <-ch:
	_ = v
	_ = ok
default:
}
---
switch x := v.(type) {
case int, string:
	_ = x
case nil:
}
---
go func() { defer close(done) }()
---
const (
	A = iota
	B
)
---
func f(xs ...int) (n int, err error) {
	for _, x := range xs {
		n += x
	}
	return
}
---
type I interface {
	~int | ~string
	M(x int) error
}
---
s := `raw
text`
---
label:
	for {
		break label
	}
---
if err := f(); err != nil {
	return fmt.Errorf("x: %w", err)
}
---
x := []struct{ a, b int }{{1, 2}, {3, 4}}
---
r := 'é'
---
type F func(int) func() error
---
a, b = b, a
---
package a

func f() {
---
func f( { }
---
x := := 1
---
var x int = 
---
if x { 
---
for i := 0; i < 3 { }
---
func f() int return 1
---
type T struct { a int b int }
---
x := "unclosed
---
x := 'ab'
---
switch { case: }
---
func (t T) { }
---
import fmt
---
a +
---
f(1, 2
---
x := []int{1, 2
---
package
---
else { }
---
if x == 1 { } 
else { }
---
func f() { return 1, }
---
x := 0x
---
def f(): pass
'''

SCRIPT = r'''
const a = 1;
---
export const add = (a, b) => a + b;
---
async function f() { await g(); for await (const x of y) console.log(x); }
---
class A extends B { #p = 1; static s = 2; get x() { return this.#p; } constructor() { super(); } }
---
const { a, b: [c = 1, ...d], ...rest } = obj;
---
label: for (;;) { continue label; }
---
try { f(); } catch { g(); } finally { h(); }
---
const t = `a ${b + `c ${d}`} e`;
---
const r = /a(b|c)[d/]+/gi.test(s);
---
switch (x) { case 1: { break; } default: y(); }
---
const x = a ?? (b || c);
---
const y = a?.b?.[c]?.(d);
---
function* g() { const x = yield* h(); return x; }
---
import a, { b as c } from "d"; export * as e from "f"; export default class {}
---
if (a) b(); else if (c) d(); else e();
---
var f = function g() { return new.target; };
---
const o = { a, [b]: 1, get c() { return 1; }, async *d() {}, "e-f": 2 };
---
do { x--; } while (x > 0)
---
const n = 1_000n ** 2n;
---
x ||= 1; y &&= 2; z ??= 3;
---
const = 1;
---
function f( { }
---
if (a { b(); }
---
let x = ;
---
const a = 1; const a = 2;
---
for (let i = 0; i < 3; i++ { }
---
return_value = { a: 1, b: };
---
class A { constructor( { } }
---
const s = "unclosed;
---
const t = `unclosed ${a`;
---
}
---
a => { return
---
import { a from "b";
---
const x = a ?? b || c;
---
await = 1; async () => { const await = 2; }
---
var 1a = 2;
---
x = [1, 2;
---
switch (x) { case 1 break; }
---
try { f(); }
---
new.target;
---
function f() { break; }
---
let let = 1;
'''

TYPES = r'''
interface A { b?: string; readonly c: number; [key: string]: unknown }
---
type U<T extends object = {}> = { [K in keyof T]?: T[K] extends string ? 1 : 0 };
---
const f = <T,>(x: T): T => x;
---
enum E { A = 1, B = A << 1 }
---
function f(this: Window, a: number, b = 2, ...c: string[]): asserts a is 1 {}
---
abstract class A<T> implements B { private constructor(protected readonly x: T) {} abstract m(): void; }
---
declare module "m" { export const x: number; }
---
const x = y as const satisfies Z;
---
let v = a!.b!;
---
namespace N { export type T = string }
---
type L = `a${string}` | [x: number, y?: string, ...rest: boolean[]];
---
function o(x: string): void; function o(x: number): void; function o(x: any) {}
---
import type { A } from "b"; export type { A };
---
let u: unique symbol; let k: keyof typeof x;
---
type C = abstract new (...args: any[]) => object;
---
const g = function <const T>(x: T) { return x; };
---
class D { declare x: number; accessor y = 1; override z?(): void; }
---
type I = A extends infer X extends string ? X : never;
---
interface A { b: 
---
type T = ;
---
const x: = 1;
---
function f(a: ): void {}
---
enum { A }
---
let x: number string = 1;
---
interface { a: string }
---
class A { private private x = 1 }
---
type T<> = string;
---
const f = (x: number => x;
---
let a: [string, number;
---
type X = { a: string b: number };
---
function f<T(x: T) {}
---
abstract x = 1;
---
let x = <T>;
---
type T = keyof;
---
import type A, from "b";
---
declare const;
---
let x: string | = "a";
---
namespace { }
---
type F = (x: number) = string;
---
interface A extends { }
'''

PYTHON = r'''
def add(a: int, b: int) -> int:
    return a + b
---
x = [i for i in range(10) if i % 2]
print(x)
---
import os


def main():
    print(os.getcwd())


if __name__ == "__main__":
    main()
---
class A:
    def __init__(self, x):
        self.x = x

    @property
    def y(self):
        return self.x * 2
---
async def f(session):
    async with session.get("u") as response:
        return await response.json()
---
match x:
    case {"a": 1, **rest}:
        pass
    case [1, *_] | (2, 3):
        pass
    case _:
        pass
---
try:
    pass
except* ValueError as error:
    print(error)
---
name = "x"
print(f"{name!r:>{10}} {1 + 1=}")
---
def f(a, /, b, *, c=1, **d):
    return a, b, c, d
---
with (open("a") as a, open("b") as b):
    print(a, b)
---
lam = lambda x, y=1: x + y
print(lam(1))
---
def g():
    total = yield
    while (n := total) > 0:
        yield n
        total -= 1
---
type Point[T] = tuple[T, T]
---
from typing import Generic, TypeVar

T = TypeVar("T")


class Box(Generic[T]):
    item: T
---
numbers = {1, 2, 3}
squares = {n: n**2 for n in numbers}
print(squares[1:2] if False else squares)
---
def f():
    try:
        return 1
    finally:
        print("done")
---
import sys, json
---
import os
---
def f():
    x = 1
    return y
---
print(undefined_name)
---
def f(x):
    if x == None:
        return True
    return False
---
def f(a=[]):
    a.append(1)
    return a
---
assert (1, "always true")
---
x = 1
if x is 1:
    print("one")
---
"%s %s" % (1,)
---
def f():
    return
    print("x")
---
raise NotImplemented
---
def f():
    return 1
def f():
    return 2
---
print "a"
---
def f(x)
    return x
---
return 5
---
def f(a, a): pass
---
1 = x
---
if True:
print("a")
---
x = (1, 2
---
class A
    pass
---
for i in range(3) print(i)
---
def f():
        x = 1
    y = 2
---
x = "unclosed
---
break
---
f(a=1, a=2)
---
yield 1
---
import
---
def f(*, **k): pass
---
x = 5 +
---
from . import *; del x; y := 1
'''

SQL_POSTGRES = r'''
SELECT 1;
---
SELECT a, count(*) FILTER (WHERE b > 1) FROM t GROUP BY a HAVING count(*) > 2 ORDER BY 2 DESC NULLS LAST LIMIT 5;
---
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r;
---
INSERT INTO t (a, b) VALUES (1, 'x') ON CONFLICT (a) DO UPDATE SET b = EXCLUDED.b RETURNING *;
---
CREATE TABLE t (id bigserial PRIMARY KEY, v jsonb NOT NULL DEFAULT '{}', CHECK (v ? 'a'));
---
SELECT v->>'a', v @> '{"b": 1}'::jsonb FROM t;
---
CREATE FUNCTION f(a int) RETURNS int AS $$ SELECT a + 1 $$ LANGUAGE sql;
---
SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t;
---
UPDATE t SET a = s.a FROM s WHERE s.id = t.id;
---
DELETE FROM t USING s WHERE s.id = t.id;
---
SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b;
---
SELECT * FROM t CROSS JOIN LATERAL (SELECT 1) x;
---
CREATE INDEX CONCURRENTLY i ON t USING gin (v jsonb_path_ops) WHERE a IS NOT NULL;
---
MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT VALUES (1);
---
SELECT ARRAY[1, 2][1], '2020-01-01'::date + interval '1 day';
---
BEGIN; SELECT 1; COMMIT;
---
SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t;
---
ALTER TABLE t ADD COLUMN c text, DROP COLUMN d;
---
SELECT E'a\nb', $tag$ text $tag$;
---
EXPLAIN ANALYZE SELECT 1;
---
SELECT FROM WHERE;
---
SELECT * FORM t;
---
SELECT a b c FROM t;
---
INSERT INTO t VALUES (1, 2;
---
CREATE TABLE t (a int b int);
---
SELECT 'unclosed;
---
UPDATE SET a = 1;
---
SELECT * FROM t WHERE;
---
SELECT a, FROM t;
---
DELETE t WHERE a = 1;
---
SELECT `a` FROM t;
---
SELECT TOP 5 * FROM t;
---
SELECT * FROM t LIMIT 1, 2;
---
CREATE TABLE (a int);
---
SELECT * FROM t GROUP a;
---
SELECT count( FROM t;
---
WITH x SELECT 1;
---
INSERT t VALUES (1);
---
SELECT CASE WHEN a THEN 1 FROM t;
---
ALTER t ADD c int;
---
SELECT * FROM t ORDER a;
---
SELECT [a] FROM t;
'''

SQL_SQLITE = r'''
SELECT 1;
---
SELECT name FROM sqlite_schema WHERE type = 'table';
---
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT NOT NULL, b REAL DEFAULT 1.5) STRICT;
---
INSERT OR REPLACE INTO t (id, a) VALUES (1, 'x') RETURNING *;
---
WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT x FROM c;
---
SELECT `a`, [b], "c" FROM t LIMIT 1, 2;
---
SELECT sum(a) OVER (ORDER BY b ROWS UNBOUNDED PRECEDING) FROM t;
---
CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = 1 WHERE id = NEW.id; END;
---
UPDATE t SET a = 1 WHERE b GLOB 'x*';
---
SELECT json_extract(a, '$.b'), a ->> '$.c' FROM t;
---
CREATE VIEW v AS SELECT * FROM t WHERE a IS NOT NULL;
---
PRAGMA table_info(t);
---
DELETE FROM t WHERE id IN (SELECT id FROM s);
---
SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END FROM t;
---
INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = excluded.a;
---
CREATE INDEX i ON t (a COLLATE NOCASE DESC) WHERE b > 1;
---
SELECT * FROM t NATURAL LEFT JOIN s USING (a);
---
BEGIN; SELECT 1; COMMIT;
---
SELECT x'ab', 1e3, :name, ?1, @p;
---
ALTER TABLE t RENAME COLUMN a TO b;
---
SELECT * FORM t;
---
SELECT FROM t;
---
SELECT a, FROM t;
---
INSERT INTO t VALUES (1;
---
CREATE TABLE t (a int,);
---
SELECT 'unclosed;
---
UPDATE SET a = 1;
---
SELECT * FROM t WHERE;
---
DELETE t;
---
SELECT TOP 5 * FROM t;
---
SELECT a::int FROM t;
---
CREATE TABLE (a int);
---
SELECT * FROM t GROUP a;
---
SELECT count( FROM t;
---
WITH x SELECT 1;
---
INSERT t VALUES (1);
---
SELECT CASE WHEN a THEN 1 FROM t;
---
SELECT DISTINCT ON (a) b FROM t;
---
SELECT * FROM t ORDER a;
---
SELECT $$ text $$;
---
SELECT * FROM a RIGHT JOIN FROM b;
---
SELEC 1;
'''

ALL = {
    "bash": BASH, "go": GO, "javascript": SCRIPT, "typescript": SCRIPT + "---" + TYPES, "python": PYTHON,
    "sql:postgres": SQL_POSTGRES, "sql:sqlite": SQL_SQLITE,
}

JSON = r'''
{}
---
[1, 2.5e-3, -0, true, false, null, "a\u00e9\n"]
---
{"a": {"b": [{"c": []}]}, "d": ""}
---
"text"
---
 [ ]
---
{"a": 1, "a": 2}
---
123
---
{"a": [1, 2], "b": {"c": "d, e: f"}}
---
["\\", "\/", "\""]
---
{"name": "Emma", "tags": ["x", "y"], "age": 21, "ok": true}
---
-1.0E+2
---
[[[[1]]]]
---
null
---
{"": 0}
---
[{"id": 1}, {"id": 2}]
---
{"a": 1,}
---
[1, 2
---
{a: 1}
---
{'a': 1}
---
{"a": 01}
---
{"a": .5}
---
[1 2]
---
{"a" 1}
---
{"a": "line
break"}
---
{"a": NaN}
---
// comment
{}
---
{} {}
---
["a\x41"]
---
True
---
{"a": +1}
---
{"a": 1.}
---
"\ud83d\ude00"
---
["	"]
---
[,1]
---
{"a":: 1}
---
{"a": }
---
undefined
---
{"a": 'b'}
---
```json
{}
```
---
["a" "b"]
'''

YAML = r'''
a: 1
b: [1, 2]
c: {d: e}
---
- a
- b:
    - c
- {d: e}
---
text: |
  two
  lines
folded: >-
  one
  line
---
base: &b {x: 1}
more:
  <<: *b
  y: 2
---
"quoted: key": 'it''s'
? complex
: value
---
# only a comment
---
%YAML 1.1
--- # a document
a: 1
...
---
a: !!str 1
b: !own {c: d}
---
list:
- a
- b
---
plain text over
two lines
---
a: "\u00e9\t"
---
empty:
null: ~
---
a: b: c
---
a: [1, 2
---
a: {b: c
---
a: "unclosed
---
a:
	- tab
---
a: *nothing
---
- a
b: c
---
a: 1
 b: 2
---
a: 'x' y
---
[a, b]: c
---
key: @at
---
key: `tick`
---
a: %b
---
- - a
  - b
 - c
---
a: "\q"
---
{a: 1}}
---
a: &
---
!!
---
a: |
text
---
? a
? b
---
- [a, [b, {c: d}]]
---
a: 'multi
  line'
---
"a" : b
---
a:b
---
a: - b
---
- a: 1
  b: 2
- a: 3
---
one: 1 # comment
two: "2 # none"
---
{a: [b, c], d: {e: f}}
'''

REGEX = r'''
^\d{3}-\d{4}$
---
[A-Za-z_][A-Za-z0-9_]*
---
(?P<year>\d{4})-(?P<month>\d{2})
---
(?i)hello|world
---
a*b+c?d{2,5}
---
(?:ab)+?
---
\bword\b
---
[^\s,;]+
---
\p{Greek}+
---
\x41\t\n
---
(a(b(c)))
---
^$
---
[[:alpha:]]+
---
.*?end
---
\Qa.b\E
---
[\w.-]+@[\w-]+\.\w+
---
x{0,1000}
---
(|a)
---
[a\]b]
---
\.\*\?
---
(unclosed
---
unopened)
---
[unclosed
---
*a
---
a**
---
a{2,1}
---
a{1001}
---
(?<=look)behind
---
look(?=ahead)
---
not(?!ahead)
---
(a)\1
---
\
---
[z-a]
---
(?P<1a>x)
---
(?P<a>x)(?P<a>y)
---
\p{Nothing}
---
(?x)a b
---
a++
---
(?>atomic)
---
[[:nothing:]]
---
(?P>name)
'''

ALL.update({"json": JSON, "yaml": YAML, "regex": REGEX})

HTML = r'''
<p>Hello</p>
---
<!DOCTYPE html>
<html lang="en"><head><title>T</title></head><body><h1>Hi</h1></body></html>
---
<ul><li>one<li>two</ul>
---
<ul><li>one</li><li>two</li></ul>
---
<table><thead><tr><th>a<th>b<tbody><tr><td>1<td>2</table>
---
<div class="a b" id='c' hidden>text<br>more<img src="x.png" alt=""></div>
---
<a href="https://example.com/?a=1&amp;b=2">link</a>
---
<script>if (a < b && c > d) { document.write("<p>x</p>"); }</script>
---
<style>p > b { color: red }</style>
---
<textarea><div></textarea>
---
<!-- a comment with <b>tags</b> --><p>after</p>
---
<dl><dt>term<dd>meaning<dt>other<dd>one</dl>
---
<select><option value=1 selected>one<option value=2>two</select>
---
<p>first<p>second
---
<form action="/send" method="post"><label for="n">Name</label> <input id="n" name="n" required> <button>Send</button></form>
---
<svg viewBox="0 0 10 10"><circle cx="5" cy="5" r="4"/><path d="M0 0"/></svg>
---
<video controls><source src="a.mp4" type="video/mp4">none</video>
---
<h1>Tea &lt;green&gt; &mdash; &#8364; 5</h1>
---
<pre>
  a &lt; b
</pre>
---
<figure><img src="a.png" alt="a"><figcaption>A <em>picture</em></figcaption></figure>
---
<b><i>both</i></b> and <code>x = 1</code>
---
<section><header><h2>A</h2></header><p>B</p><footer>C</footer></section>
---
<details open><summary>More</summary><p>text</p></details>
---
<ol start="3"><li><p>a</p></li></ol>
---
just text
---
<b><i>crossed</b></i>
---
<div><p>never ends</p>
---
</div>
---
<p>text</span></p>
---
<span>open
---
<br></br>
---
<a href="x
---
<p>cut off <b
---
<!-- never ends
---
<div></section></div>
---
<em>one <strong>two</em> three</strong>
---
<script>var a = 1;
---
<title>no end
---
<h1>one</h2>
---
<section><article></section>
---
<button>a</button></button>
---
<i><b></i>
---
<ul><li>a</li></ol></ul>
---
<span><span></span>
'''

ALL.update({"html": HTML})

# Documents with the schemas that judge them.
SCHEMAS = [
    ({"type": "object"}, ['{}', '{"a": 1}', '[]', '"a"', '{', '', 'null']),
    ({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 5}}},
     ['{"a": 3}', '{"a": 3, "b": 1}', '{"a": 0}', '{"a": 1.5}', '{"a": 2.0}', '{"a": "3"}', '{"b": 3}', '{"a": 6}']),
    ({"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}}, ['{"a": "x"}', '{"a": "x", "b": 1}', '{"a": null}']),
    ({"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 3}, "minItems": 1, "uniqueItems": True},
     ['["ab"]', '["ab", "abc"]', '[]', '["a"]', '["abcd"]', '["ab", "ab"]', '["éé"]', '[1]']),
    ({"enum": ["red", "green", 3, None]}, ['"red"', '"blue"', '3', '3.0', 'null', '"3"']),
    ({"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$"}, ['"ABC-1"', '"abc-1"', '"ABC-"']),
    ({"type": "string", "format": "date"}, ['"2026-01-31"', '"2026-02-30"', '"31.01.2026"']),
    ({"type": "string", "format": "email"}, ['"a@example.com"', '"a example.com"']),
    ({"type": "string", "format": "ipv4"}, ['"127.0.0.1"', '"127.0.0.256"']),
    ({"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]}, ['3', '5.5', '7', '1.5']),
    ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, ['"a"', 'true', '1']),
    ({"allOf": [{"minimum": 1}, {"multipleOf": 2}], "type": "integer"}, ['2', '3', '0']),
    ({"not": {"type": "null"}}, ['1', 'null']),
    ({"if": {"properties": {"k": {"const": "a"}}, "required": ["k"]}, "then": {"required": ["x"]}, "else": {"required": ["y"]}},
     ['{"k": "a", "x": 1}', '{"k": "a", "y": 1}', '{"k": "b", "y": 1}', '{}']),
    ({"$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}, "additionalProperties": False}}, "$ref": "#/$defs/n"},
     ['{"next": {"next": {}}}', '{"next": {"last": {}}}']),
    ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False}, ['["a", 1]', '["a"]', '["a", 1, 2]', '[1, "a"]']),
    ({"type": "object", "patternProperties": {"^x_": {"type": "integer"}}, "minProperties": 1}, ['{"x_a": 1}', '{"x_a": "1"}', '{}']),
    ({"type": "array", "contains": {"const": 7}, "maxContains": 1}, ['[1, 7]', '[1]', '[7, 7]']),
    ({"type": "object", "dependentRequired": {"card": ["name"]}}, ['{"card": 1, "name": "a"}', '{"card": 1}', '{}']),
]

# Last, so that the snippets of other languages stay: what is broken by chance is drawn in this order.
SQL_MYSQL = r'''
SELECT 1;
---
SELECT a, b AS total FROM orders WHERE price > 10 ORDER BY b DESC LIMIT 5 OFFSET 2;
---
SELECT `from` FROM `order` WHERE `key` = 'x';
---
SELECT c.name, COUNT(*) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.name HAVING COUNT(*) > 3;
---
INSERT INTO t (a, b) VALUES (1, 'x'), (2, "y") ON DUPLICATE KEY UPDATE b = VALUES(b);
---
INSERT IGNORE INTO t SET a = 1, b = 2;
---
UPDATE t JOIN u ON t.id = u.id SET t.a = u.a WHERE u.b IS NOT NULL;
---
DELETE FROM t WHERE a = 1 ORDER BY b LIMIT 10;
---
CREATE TABLE t (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) CHARACTER SET utf8mb4 DEFAULT 'x', price DECIMAL(10,2), KEY k (name(10))) ENGINE=InnoDB;
---
CREATE TABLE IF NOT EXISTS a (x ENUM('a','b'), z JSON, CONSTRAINT f FOREIGN KEY (x) REFERENCES b (y) ON DELETE CASCADE);
---
ALTER TABLE t ADD COLUMN c TEXT AFTER b, DROP COLUMN d, ADD UNIQUE INDEX i (c(20));
---
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT * FROM n;
---
SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS r FROM t;
---
SELECT SUM(x) OVER w FROM t WINDOW w AS (ORDER BY y ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
---
SELECT IF(a, 1, 2), IFNULL(b, 0), DATE_ADD(NOW(), INTERVAL 3 DAY) FROM t;
---
SELECT GROUP_CONCAT(DISTINCT name ORDER BY name SEPARATOR ', ') FROM t;
---
SELECT a <=> b, a DIV b, a XOR b FROM t WHERE name REGEXP '^a' OR name RLIKE 'b$';
---
SET @a = 1, @b = 2; SELECT @a;
---
SELECT MATCH (title) AGAINST ('x' IN BOOLEAN MODE) FROM t FORCE INDEX (i);
---
SELECT CAST(a AS SIGNED), CONVERT(b USING utf8mb4) FROM t LIMIT 1, 2;
---
SELECT 1 UNION ALL SELECT 2 ORDER BY 1;
---
START TRANSACTION; UPDATE t SET a = 1; COMMIT;
---
SELECT X'4D', b'101', 0x41, 1e3, 'it''s';
---
CREATE TABLE p (id INT, d DATE) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
---
CREATE TABLE g (a INT, b INT GENERATED ALWAYS AS (a * 2) STORED, CHECK (a > 0));
---
CREATE OR REPLACE VIEW v AS SELECT a FROM t;
---
CREATE PROCEDURE p() SELECT 1;
---
CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;
---
DELETE a FROM a INNER JOIN b ON a.id = b.id;
---
SELECT * FORM t;
---
SELECT FROM t;
---
SELECT a, FROM t;
---
INSERT INTO t VALUES (1;
---
INSERT INTO t VALUES 1, 2;
---
CREATE TABLE t (a INT,);
---
SELECT 'unclosed;
---
UPDATE SET a = 1;
---
SELECT * FROM t WHERE;
---
DELETE t WHERE a = 1;
---
SELECT TOP 5 * FROM t;
---
SELECT a::int FROM t;
---
SELECT [a] FROM t;
---
SELECT a ILIKE 'x' FROM t;
---
SELECT * FROM t FULL OUTER JOIN u ON t.a = u.a;
---
SELECT * FROM t GROUP a;
---
SELECT count( FROM t;
---
WITH x SELECT 1;
---
SELECT CASE WHEN a THEN 1 FROM t;
---
ALTER t ADD c INT;
---
SELECT ARRAY[1, 2];
---
MERGE INTO t USING u ON (t.a = u.a) WHEN MATCHED THEN UPDATE SET a = 1;
---
SELECT a FROM t LIMIT 5 OFFSET;
'''
ALL["sql:mysql"] = SQL_MYSQL
