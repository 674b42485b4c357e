package jinja

import "strings"

// filters are the filters by name. Those of sequences are in filters_sequence.go, those of texts in filters_text.go, those
// of other values in filters_value.go, and those that only prompts have in filters_prompt.go.
var filters map[string]filterFunction

func init() {
	// Filled here, since filters such as map look others up.
	filters = map[string]filterFunction{
		"abs": filterAbs, "round": filterRound, "int": filterInt, "float": filterFloat, "string": filterString,
		"default": filterDefault, "d": filterDefault, "length": filterLength, "count": filterLength, "tojson": filterToJSON,
		"fromjson": filterFromJSON, "pprint": filterPrettyPrint, "filesizeformat": filterFileSize,
		"attr": filterAttribute, "safe": filterString,
		"items": filterItems, "list": filterList, "first": filterFirst, "last": filterLast, "reverse": filterReverse,
		"sort": filterSort, "dictsort": filterDictSort, "unique": filterUnique, "sum": filterSum, "min": filterExtreme(-1),
		"max": filterExtreme(1), "join": filterJoin, "map": filterMap, "groupby": filterGroupBy, "batch": filterBatch, "slice": filterSlice,
		"random": filterRandom,
		"select": filterSelect(false, true), "reject": filterSelect(false, false),
		"selectattr": filterSelect(true, true), "rejectattr": filterSelect(true, false),
		"upper": filterText(pythonUpper), "lower": filterText(strings.ToLower), "capitalize": filterText(capitalize),
		"title": filterText(jinjaTitle),
		"trim":  filterTrim, "replace": filterReplace, "center": filterCenter, "indent": filterIndent, "truncate": filterTruncate,
		"wordcount": filterWordCount, "wordwrap": filterWordWrap, "striptags": filterText(stripTags), "format": filterFormat,
		"escape": filterText(escapeHTML), "e": filterText(escapeHTML), "forceescape": filterText(escapeHTML), "urlencode": filterURLEncode,
		"xmlattr": filterXMLAttributes, "urlize": filterURLize,
		"regex_replace": filterRegexReplace, "regex_search": filterRegexSearch, "regex_findall": filterRegexFindAll,
		"truncate_tokens": filterTruncateTokens, "shuffle": filterShuffle, "sample": filterSample, "dedent": filterDedent,
	}
}
