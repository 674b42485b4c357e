"""Writes snippets with the verdicts of the real tools, to which the validators are held: engine/column/validation/testdata/corpus/*.json.

    pip install ruff==0.17.3 pglast google-re2 pyyaml html5lib 'jsonschema[format]'; npm install typescript@5.9
    TYPESCRIPT=node_modules/typescript python3 hack/validators/corpus.py

bash, gofmt and node must be there too, and for MySQL a MariaDB server on its default socket with the database test. A language whose tool is missing keeps the file that it has; with arguments, so do all
that they do not name.
"""
import json
import os
import pathlib
import random
import re
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import snippets

TARGET = pathlib.Path("engine/column/validation/testdata/corpus")
RULES = "E,F6,F7,F8,SIM,PLC,PLE,PLR,PLW"
FEWEST = 60
draw = random.Random(15)


def run(*command, text=""):
    return subprocess.run(command, input=text, capture_output=True, text=True)


def bash(code):
    done = run("bash", "-n", text=code)
    # bash reads a here document up to the end of the file, and warns.
    return done.returncode == 0, done.stderr


def go(code):
    done = run("gofmt", "-e", text=code)
    return done.returncode == 0, done.stderr


# Errors of tsc that speak of syntax, and of names that are declared twice; types are not judged.
SCRIPT_CHECK = """
const ts = require(require('path').resolve(process.env.TYPESCRIPT)), fs = require('fs');
const cases = JSON.parse(fs.readFileSync(0, 'utf8')), name = process.argv[1];
const answers = cases.map(code => {
  const options = { allowJs: true, checkJs: true, noEmit: true, noLib: true, target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, jsx: 1 };
  const host = ts.createCompilerHost(options), read = host.getSourceFile;
  host.getSourceFile = (file, target) => file === name ? ts.createSourceFile(file, code, target, true) : undefined;
  host.fileExists = file => file === name;
  const program = ts.createProgram([name], options, host);
  const found = [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()]
    .filter(d => d.file && (d.code >= 1000 && d.code < 2000 || d.code === 2451 || d.code >= 8002 && d.code < 8020));
  return found.map(d => 'TS' + d.code + ' ' + ts.flattenDiagnosticMessageText(d.messageText, ' '));
});
console.log(JSON.stringify(answers));
"""


def script(name):
    def all_of(codes):
        done = run("node", "-e", SCRIPT_CHECK, name, text=json.dumps(codes))
        return [(not found, "; ".join(found)) for found in json.loads(done.stdout)]
    return all_of


def ruff_errors(found):
    return [d for d in found if not d["code"] or d["code"] == "invalid-syntax" or d["code"].startswith(("F", "PLE"))]


def python(code):
    done = run(sys.executable, "-m", "ruff", "check", "--isolated", "--target-version", "py313", "--select", RULES, "--output-format", "json", "-", text=code)
    found = json.loads(done.stdout)
    return not ruff_errors(found), " ".join(sorted({d["code"] or "invalid-syntax" for d in found}))


def sqlite(code):
    """Statements one by one; what is wrong only since a table or column is missing is no mistake of syntax."""
    connection = sqlite3.connect(":memory:")
    rest, part = code, ""
    for piece in re.split("(;)", code):
        part += piece
        if piece == ";" and sqlite3.complete_statement(part):
            problem = sqlite_statement(connection, part)
            if problem:
                return False, problem
            part = ""
    problem = sqlite_statement(connection, part) if part.strip() else ""
    return not problem, problem


def sqlite_statement(connection, statement):
    try:
        connection.execute("EXPLAIN " + statement)
    except sqlite3.ProgrammingError:
        return ""  # parameters without values
    except sqlite3.Error as error:
        if any(part in str(error) for part in ("syntax error", "incomplete input", "unrecognized token")):
            return str(error)
    return ""


def postgres(code):
    import pglast
    try:
        pglast.parser.parse_sql(code)
    except pglast.parser.ParseError as error:
        return False, str(error)
    return True, ""


def mysql(code):
    """Statements one by one, of a server that listens on the default socket and lets root in: apt-get install mariadb-server."""
    for statement in code.split(";"):
        quoted = statement.replace("\\", "\\\\").replace("'", "''")
        if statement.strip():
            done = run("mariadb", "--skip-column-names", "test", text=f"PREPARE statement FROM '{quoted}'")
            found = re.search(r"ERROR (1064|1149) .*", done.stderr, re.S)
            if found:
                return False, " ".join(found[0].split())
            if "ERROR 2002" in done.stderr or "ERROR 1045" in done.stderr:
                raise RuntimeError(done.stderr)
    return True, ""


def json_document(code):
    def refuse(constant):
        raise ValueError(constant)
    try:
        json.loads(code, parse_constant=refuse)
    except ValueError as error:
        return False, str(error)
    return True, ""


def yaml_stream(code):
    import yaml
    try:
        list(yaml.compose_all(code, yaml.SafeLoader))
    except yaml.YAMLError as error:
        return False, str(error).replace("\n", " ")
    return True, ""


def html(code):
    import html5lib
    parser = html5lib.HTMLParser()
    (parser.parse if code.lstrip().lower().startswith("<!doctype") else parser.parseFragment)(code)
    return not parser.errors, "; ".join(name for _, name, _ in parser.errors)


def schema_cases():
    """What jsonschema says of documents and schemas. Numbers are decimals, as JSON has them."""
    import jsonschema
    cases = []
    for schema, documents in snippets.SCHEMAS:
        judge = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        for document in documents:
            try:
                found = [error.message for error in judge.iter_errors(json.loads(document))]
            except ValueError as error:
                found = [str(error)]
            cases.append({"code": document, "schema": schema, "valid": not found, "says": "; ".join(found)[:200]})
    return cases


def regex(code):
    import re2
    try:
        options = re2.Options()
        options.log_errors = False
        re2.compile(code, options)
    except re2.error as error:
        return False, str(error)
    return True, ""


def each(check):
    return lambda codes: [check(code) for code in codes]


TOOLS = {
    "bash": ("bash -n", each(bash)), "go": ("gofmt", each(go)), "javascript": ("tsc", script("a.jsx")), "typescript": ("tsc", script("a.ts")),
    "python": ("Ruff", each(python)), "json": ("Python's json", each(json_document)), "yaml": ("PyYAML", each(yaml_stream)),
    "regex": ("RE2", each(regex)), "sql:postgres": ("libpg_query", each(postgres)), "sql:sqlite": ("sqlite3", each(sqlite)),
    "html": ("html5lib", each(html)), "sql:mysql": ("MariaDB", each(mysql)),
}


def broken(code):
    """The code without a token, with one twice, or with two of them in the place of each other."""
    tokens = re.findall(r"\s+|\w+|[^\w\s]", code)
    words = [i for i, token in enumerate(tokens) if not token.isspace()]
    if len(words) < 3:
        return code + code
    way, at = draw.randrange(3), draw.choice(words)
    if way == 0:
        del tokens[at]
    elif way == 1:
        tokens.insert(at, tokens[at] + " ")
    else:
        other = draw.choice(words)
        tokens[at], tokens[other] = tokens[other], tokens[at]
    return "".join(tokens)


def write(language, tool, cases):
    path = TARGET / (language.replace(":", "-") + ".json")
    path.write_text(json.dumps({"language": language, "tool": tool, "cases": cases}, indent=1, ensure_ascii=False) + "\n")
    print(language, tool, len(cases), sum(case["valid"] for case in cases))


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    asked = sys.argv[1:] or [*snippets.ALL, "jsonSchema"]
    if "jsonSchema" in asked:
        write("jsonSchema", "Python's jsonschema", schema_cases())
    for language, text in snippets.ALL.items():
        codes = [code.strip("\n") for code in text.split("\n---\n")]
        codes = list(dict.fromkeys(code for code in codes if code.strip()))
        own = len(codes)
        while len(codes) < max(FEWEST, own + own // 2):
            code = broken(codes[draw.randrange(own)])
            if code not in codes and code.strip():
                codes.append(code)
        tool, check = TOOLS[language]
        if language not in asked:
            continue
        try:
            verdicts = check(codes)
        except Exception as error:
            print(f"{language}: {tool} can't be asked: {error}", file=sys.stderr)
            continue
        cases = [{"code": code, "valid": valid, "says": says.strip()[:200]} for code, (valid, says) in zip(codes, verdicts)]
        write(language, tool, cases)


main()
