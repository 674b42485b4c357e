package sandbox_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/sandbox"
)

func TestCodeThatIsMeantForAllRowsIsKnown(t *testing.T) {
	for source, want := range map[string]string{
		"def f(rows):\n  seen = {}\n  kept = []\n  for r in rows:\n    if r['x'] not in seen:\n      seen[r['x']] = 1\n      kept.append(r)\n  return kept": "seen knows the rows of one row group",
		"def f(rows):\n  seen = set()\n  return [r for r in rows if not (r['x'] in seen or seen.add(r['x']))]":                                              "seen knows the rows",
		"def f(rows):\n  n = dict()\n  for r in rows:\n    n[r['x']] = n.get(r['x'], 0) + 1\n  return [r for r in rows if n[r['x']] == 1]":                  "n knows the rows",
		"seen = []\ndef f(rows):\n  return [r for r in rows if keep(r)]\ndef keep(r):\n  seen.append(r['x'])\n  return True":                                "seen begins anew",
		"count = {'n': 0}\ndef f(rows):\n  for r in rows:\n    count['n'] += 1\n  return rows":                                                              "count begins anew",
		"def f(rows):\n  return sorted(rows, key = lambda r: r['x'])":                                                                                       "sorted(rows) is of one row group",
		"def f(rows):\n  return [dict(r, n = i) for i, r in enumerate(rows)]":                                                                               "enumerate(rows) is of one",
		"def f(rs):\n  return rs[:100]": "rs[…] takes rows of each row group",
		// What looks at one row at a time.
		"def f(rows):\n  return [r for r in rows if len(r['x']) > 3]":               "",
		"ok = ['a', 'b']\ndef f(rows):\n  return [r for r in rows if r['x'] in ok]": "",
		"def f(rows):\n  out = []\n  for r in rows:\n    words = {}\n    for w in r['x'].split():\n      if w not in words:\n        words[w] = 1\n    out.append(dict(r, n = len(words)))\n  return out": "",
		"def f(rows):\n  if len(rows) == 0:\n    return []\n  return rows": "",
		"def f(rows":                      "",
		"def f(rows, more):\n  return []": "",
	} {
		remembers, arranges := sandbox.AcrossRows(source, "f")
		found := strings.Join(append(remembers, arranges...), "; ")
		if want == "" && found != "" || !strings.Contains(found, want) {
			t.Errorf("%s\ngot %q, want %q", source, found, want)
		}
	}
}
