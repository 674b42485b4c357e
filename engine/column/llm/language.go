package llm

import (
	"slices"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// language is a language of code: what people call it, how its fenced blocks are marked, and by which other names models mark them.
type language struct {
	title, tag string
	aliases    []string
}

func (l language) has(tag string) bool {
	tag = strings.ToLower(strings.Trim(tag, "{.}"))
	return tag == l.tag || slices.Contains(l.aliases, tag)
}

var languages = map[v1alpha1.CodeLanguage]language{
	"bash":         {"Bash", "bash", []string{"sh", "shell", "zsh"}},
	"c":            {"C", "c", []string{"h", "c99", "c11", "c17"}},
	"cobol":        {"COBOL", "cobol", []string{"cbl", "cob"}},
	"cpp":          {"C++", "cpp", []string{"c++", "cc", "cxx", "hpp", "c++17", "c++20"}},
	"csharp":       {"C#", "csharp", []string{"c#", "cs", "dotnet"}},
	"go":           {"Go", "go", []string{"golang"}},
	"java":         {"Java", "java", nil},
	"javascript":   {"JavaScript", "javascript", []string{"js", "jsx", "mjs", "cjs", "node", "nodejs"}},
	"kotlin":       {"Kotlin", "kotlin", []string{"kt", "kts"}},
	"python":       {"Python", "python", []string{"py", "python3", "py3"}},
	"ruby":         {"Ruby", "ruby", []string{"rb"}},
	"rust":         {"Rust", "rust", []string{"rs"}},
	"scala":        {"Scala", "scala", []string{"sc"}},
	"swift":        {"Swift", "swift", nil},
	"typescript":   {"TypeScript", "typescript", []string{"ts", "tsx"}},
	"sql:sqlite":   {"SQL in the dialect of SQLite", "sql", []string{"sqlite", "sqlite3"}},
	"sql:tsql":     {"SQL in the dialect of SQL Server (T-SQL)", "sql", []string{"tsql", "t-sql", "mssql"}},
	"sql:bigquery": {"SQL in the dialect of BigQuery", "sql", []string{"bigquery", "googlesql"}},
	"sql:mysql":    {"SQL in the dialect of MySQL", "sql", []string{"mysql", "mariadb"}},
	"sql:postgres": {"SQL in the dialect of PostgreSQL", "sql", []string{"postgres", "postgresql", "pgsql", "plpgsql"}},
	"sql:ansi":     {"standard SQL (ANSI)", "sql", []string{"ansi"}},
}
