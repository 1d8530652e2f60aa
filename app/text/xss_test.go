package text

import (
	"strings"
	"testing"

	"parley/app/text/texttest"
)

// TestS30TagsAreText and S31: whatever is typed becomes nodes of our own
// kinds, with addresses of three schemes; angle brackets survive only as text.
func TestS30TagsAreText(t *testing.T) {
	all := texttest.Hostile()
	if len(all) < 500 {
		t.Fatalf("the corpus has %d payloads, want 500 or more", len(all))
	}
	for _, md := range all {
		nodes := Parse(md)
		check(t, md, nodes)
		if strings.Contains(md, "<script>") && !strings.Contains(flat(nodes), "<script>") {
			t.Errorf("%q: what was typed is not shown: %s", md, show(nodes))
		}
	}
}
