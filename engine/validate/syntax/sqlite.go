package syntax

import (
	"encoding/binary"
	"errors"
	"strings"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"

	"seedloom.dev/seedloom/engine/validate"
)

// syntaxProblems are the parts of messages by which SQLite speaks of syntax: others, such as that there is no table, are about a database
// that is not here.
var syntaxProblems = []string{"syntax error", "incomplete input", "unrecognized token"}

var errNoDatabase = errors.New("no database could be opened in memory")

// sqliteMistakes takes the statements that SQLite prepares. None is run: each is prepared in an empty database.
func sqliteMistakes(code string) []validate.Message {
	if zero := strings.IndexByte(code, 0); zero >= 0 {
		return []validate.Message{at(code, zero, "a zero byte stands in the text")}
	}
	tls := libc.NewTLS()
	defer tls.Close()
	database, err := openEmpty(tls)
	if err != nil {
		return []validate.Message{{Text: err.Error()}}
	}
	defer sqlite.Xsqlite3_close_v2(tls, database)
	text, err := libc.CString(code)
	if err != nil {
		return []validate.Message{{Text: err.Error()}}
	}
	defer libc.Xfree(tls, text)
	next, end := text, text+uintptr(len(code))
	for next < end {
		problem, tail := prepare(tls, database, next)
		if problem != "" {
			offset := int(sqlite.Xsqlite3_error_offset(tls, database))
			if offset < 0 {
				offset = len(code) - int(next-text)
			}
			return append([]validate.Message{at(code, int(next-text)+offset, problem)}, looseDecimals(code)...)
		}
		if tail <= next {
			break
		}
		next = tail
	}
	return looseDecimals(code)
}

// wordBytes is the size of an address in SQLite's memory.
const wordBytes = 8

// word reads the address that stands at an address.
func word(at uintptr) uintptr {
	return uintptr(binary.NativeEndian.Uint64(libc.GoBytes(at, wordBytes)))
}

func openEmpty(tls *libc.TLS) (uintptr, error) {
	name, err := libc.CString(":memory:")
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(tls, name)
	handle := tls.Alloc(wordBytes)
	defer tls.Free(wordBytes)
	result := sqlite.Xsqlite3_open_v2(tls, name, handle, sqlite.SQLITE_OPEN_READWRITE|sqlite.SQLITE_OPEN_CREATE|sqlite.SQLITE_OPEN_MEMORY, 0)
	database := word(handle)
	if result != sqlite.SQLITE_OK {
		sqlite.Xsqlite3_close_v2(tls, database)
		return 0, errNoDatabase
	}
	return database, nil
}

// prepare prepares the first statement of a text. It returns what is wrong with its syntax, and where the next one begins.
func prepare(tls *libc.TLS, database, text uintptr) (problem string, tail uintptr) {
	const size = 2 * wordBytes
	results := tls.Alloc(size)
	defer tls.Free(size)
	libc.Xmemset(tls, results, 0, size)
	result := sqlite.Xsqlite3_prepare_v2(tls, database, text, -1, results, results+wordBytes)
	tail = word(results + wordBytes)
	if result == sqlite.SQLITE_OK {
		sqlite.Xsqlite3_finalize(tls, word(results))
		return "", tail
	}
	said := libc.GoString(sqlite.Xsqlite3_errmsg(tls, database))
	for _, part := range syntaxProblems {
		if strings.Contains(said, part) {
			return said, tail
		}
	}
	return "", tail
}
