package people

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/people/nationalid"
)

func TestDocsListTheLocalesMembersAndNumbers(t *testing.T) {
	data, err := os.ReadFile("../../docs/people.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := string(data)
	wanted := []string{fmt.Sprintf("There are %d: `%s`.", len(Locales()), strings.Join(Locales(), "`, `"))}
	for _, name := range memberNames {
		wanted = append(wanted, "`"+name+"`")
	}
	for _, scheme := range nationalid.Schemes() {
		if scheme.Checked {
			wanted = append(wanted, fmt.Sprintf("%s (%s)", scheme.Country, scheme.Name))
		}
	}
	for _, text := range wanted {
		if !strings.Contains(docs, text) {
			t.Errorf("docs/people.md lacks %s", text)
		}
	}
}
