package datadesigner

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// folder is a folder whose files are the seed, below the claim.
type folder struct{ path, pattern string }

// place is a path of the machine of whoever wrote the configuration as one below a claim.
func place(name string) string {
	inside := path.Clean("/" + name)
	if path.IsAbs(name) || strings.HasPrefix(name, "~") || strings.HasPrefix(path.Clean(name), "..") {
		inside = path.Base(inside)
	}
	if inside == "~" {
		inside = ""
	}
	return strings.TrimLeft(inside, "/")
}

// folder reads which files of which folder a source names.
func (c *converter) folder(from *object, usualPath, usualPattern string) folder {
	found := folder{path: place(cmp.Or(from.text("path"), usualPath)), pattern: cmp.Or(from.text("file_pattern"), usualPattern)}
	isRecursive := from.truth("recursive")
	pattern := asPattern(found.pattern)
	if isRecursive == nil || *isRecursive {
		if pattern == "*" {
			pattern = "**"
		} else {
			pattern = "**/" + pattern
		}
	}
	found.pattern = pattern
	c.note(from.at("path"), "the folder is looked for as %s in the claim %s: copy it there, or name another claim in spec.seed; on the "+
		"command line it is looked for beside the manifest, or in the folder that --seed-dir names. Names that begin with a point are left out",
		cmp.Or(found.path, "the top"), c.options.ClaimName)
	return found
}

// volume are the files of the folder on a claim.
func (f folder) volume(claim string) *v1alpha1.PersistentVolumeClaimSeed {
	return &v1alpha1.PersistentVolumeClaimSeed{ClaimName: claim, Path: path.Join(literal(f.path), f.pattern)}
}

// asPattern writes a pattern of names, in which braces mean nothing, as one in which they would.
func asPattern(name string) string { return strings.NewReplacer("{", `\{`, "}", `\}`).Replace(name) }

// literal writes a path as a pattern that names it alone.
func literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`).Replace(name)
}

// encodings are the names that the encodings of files have elsewhere, by the names that Python gives them, in lower case with hyphens.
var encodings = map[string]v1alpha1.SeedEncoding{
	"utf-8": v1alpha1.EncodingUTF8, "utf8": v1alpha1.EncodingUTF8, "u8": v1alpha1.EncodingUTF8, "utf-8-sig": v1alpha1.EncodingUTF8,
	"ascii": v1alpha1.EncodingUTF8, "us-ascii": v1alpha1.EncodingUTF8, "utf-16": v1alpha1.EncodingUTF8, "utf16": v1alpha1.EncodingUTF8,
	"utf-16-le": "utf-16le", "utf-16le": "utf-16le", "utf-16-be": "utf-16be", "utf-16be": "utf-16be",
	"cp1250": "windows-1250", "windows-1250": "windows-1250", "cp1251": "windows-1251", "windows-1251": "windows-1251",
	"cp1252": "windows-1252", "windows-1252": "windows-1252", "latin-1": "windows-1252", "latin1": "windows-1252",
	"iso-8859-1": "windows-1252", "iso8859-1": "windows-1252", "iso-8859-2": "iso-8859-2", "latin2": "iso-8859-2",
	"iso-8859-15": "iso-8859-15", "latin9": "iso-8859-15", "koi8-r": "koi8-r", "shift-jis": "shift_jis", "sjis": "shift_jis",
	"cp932": "shift_jis", "euc-jp": "euc-jp", "euc-kr": "euc-kr", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "big5": "big5",
}

// folderFiles makes a row of each file of a folder, with the columns that Data Designer gives it: the first ones of the manifest say what
// only it says.
func (c *converter) folderFiles(from *object, kind string, to *v1alpha1.Seed) {
	found := c.folder(from, "", "*")
	to.PersistentVolumeClaim = found.volume(c.options.ClaimName)
	to.Files = &v1alpha1.SeedFiles{}
	to.Columns = []v1alpha1.SeedColumn{{Name: "source_path", From: "relative_path"}, {Name: "file_name"}}
	sourceKind := "directory_file"
	if kind == "file_contents" {
		sourceKind = kind
		to.Files.Content = v1alpha1.SeedFileText
		to.Columns = append(to.Columns, v1alpha1.SeedColumn{Name: "content"})
		if name := from.text("encoding"); name != "" {
			encoding, known := encodings[strings.ReplaceAll(strings.ToLower(name), "_", "-")]
			if !known {
				c.lose(from.at("encoding"), "no encoding of spec.seed.files is %q: write the files in UTF-8", name)
			}
			if encoding != v1alpha1.EncodingUTF8 {
				to.Files.Encoding = encoding
			}
		}
	}
	from.rest()
	below := 0
	if found.path != "" {
		below = utf8.RuneCountInString(found.path) + 1
	}
	c.spec.Columns = append(c.spec.Columns,
		expressionColumn("source_kind", sourceKind), expressionColumn("relative_path", fmt.Sprintf("{{ source_path[%d:] }}", below)))
}

func expressionColumn(name, expr string) v1alpha1.Column {
	return v1alpha1.Column{Name: name, Expression: &v1alpha1.Expression{Expr: expr}}
}

// rolloutFormat is how an agent records its sessions: where Data Designer looks for them, by which pattern.
type rolloutFormat struct {
	format        v1alpha1.AgentRolloutFormat
	path, pattern string
}

// rolloutFormats are those by their names in configurations. Where a file says more of the sessions, all files are named, of which those
// of the format count.
var rolloutFormats = map[string]rolloutFormat{
	"atif":            {v1alpha1.AgentRolloutATIF, "", "*.json"},
	"claude_code":     {v1alpha1.AgentRolloutClaudeCode, "~/.claude/projects", "*"},
	"codex":           {v1alpha1.AgentRolloutCodex, "~/.codex/sessions", "*.jsonl"},
	"hermes_agent":    {v1alpha1.AgentRolloutHermesAgent, "~/.hermes/sessions", "*"},
	"pi_coding_agent": {v1alpha1.AgentRolloutPiCodingAgent, "~/.pi/agent/sessions", "*.jsonl"},
}

// agentRollouts are sessions that agents have recorded. It says whether they are carried over.
func (c *converter) agentRollouts(from *object, to *v1alpha1.Seed) bool {
	name := from.text("format")
	known, isKnown := rolloutFormats[name]
	if !isKnown {
		c.lose(from.at("format"), "no format of recorded sessions is called %q, and the seed is left out", name)
		return false
	}
	found := c.folder(from, known.path, known.pattern)
	to.PersistentVolumeClaim, to.AgentRollouts = found.volume(c.options.ClaimName), &v1alpha1.SeedAgentRollouts{Format: known.format}
	from.rest()
	return true
}
