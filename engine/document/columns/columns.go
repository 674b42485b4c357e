// Package columns says which columns the chunks of documents have as rows. It is known before any document is read.
package columns

import "seedloom.dev/seedloom/engine/table"

// Fields are the columns in their order.
func Fields() []table.Field {
	text, number := table.Type{Kind: table.KindString}, table.Type{Kind: table.KindInt}
	return []table.Field{
		{Name: "chunk_id", Type: text}, {Name: "document", Type: text}, {Name: "chunk", Type: number}, {Name: "text", Type: text},
		{Name: "headings", Type: table.Type{Kind: table.KindList, Element: &text}}, {Name: "first_page", Type: number},
		{Name: "last_page", Type: number}, {Name: "start", Type: number}, {Name: "end", Type: number}, {Name: "hidden", Type: number},
	}
}

// Names are the names of the columns.
func Names() []string {
	var names []string
	for _, field := range Fields() {
		names = append(names, field.Name)
	}
	return names
}
