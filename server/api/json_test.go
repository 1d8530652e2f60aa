package api

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/app/chat"
	"parley/app/chat/chattest"
)

// FuzzDecode: what a stranger sends never panics, and what is taken is what any reader takes: it
// says the same when it is written again. Neither takes more memory than 20 times the body and what any takes.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"a":[{"b":{}}],"c":"d"}`, `{"a":1,"a":2}`, `{"A":1,"a":2}`, "\xff", `{"id":1,"send":{"room":"x"}}`,
		strings.Repeat("[", 40), `{"a":{"b":1},"b":[1,{"b":2}]}`, ` "x" `, `1 2`,
		`{"id":1e999}`, `{"id":-0}`, `{"id":1.5}`, `{"send":{"message":{"text":"\ud800"}}}`, `{"\u0061":1,"a":2}`, `{"K":1,"\u212a":2}`, "\ufeff{}", `{"id":1,"ID":2}`, `[[[[{"a":[{}]}]]]]`,
		`{"send":{"nonce":"n","room":"AAAAAAAAAAAAAAAAAAAAAAAAAA","message":{"text":"\u0000<script>"}}}`, "{\"a\":\"" + strings.Repeat("\\u0041", 500) + "\"}", "[" + strings.Repeat("{},", 500) + "0]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q chat.Request
		var err error
		if n := chattest.Allocated(func() { err = decode(b, &q) }); n > 20*uint64(len(b))+64<<10 {
			t.Errorf("%d bytes for a body of %d", n, len(b))
		}
		if err != nil {
			if chat.CodeOf(err) != chat.CodeInvalid {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var r chat.Request
		if err := decode(again, &r); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

func TestInspect(t *testing.T) {
	for body, good := range map[string]bool{
		`{}`: true, `[]`: true, `1`: true, `"x"`: true, `null`: true, ` {"a": [1, {"a": "a"}], "b": {"a": "b"}} `: true,
		`{"a":"a","b":"a"}`: true, `{"a":1,"a":1}`: false, `{"a":{"b":1,"b":2}}`: false, `[{"a":1,"A":2}]`: false, `{"a":[],"a":[]}`: false,
		`{"a":{},"a":{}}`: false, `{} x`: false, `{`: false, ``: false, `{"a"}`: false, `[1,]`: false,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth):     true,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1): false,
	} {
		if err := inspect([]byte(body)); (err == nil) != good {
			t.Errorf("%.60s: %v", body, err)
		}
	}
}
