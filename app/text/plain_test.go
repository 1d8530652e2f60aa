package text

import "testing"

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		md    string
		limit int
		want  string
	}{
		{"**bold** and\n\n- one\n- two", 40, "bold and one two"},
		{"```go\nx := 1\n```", 40, "x := 1"},
		{"[go](https://go.dev)", 40, "go"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcde…"},
		{"abcd efg", 6, "abcd…"},
		{"一二三四五六七", 4, "一二三…"},
		{"", 4, ""},
	} {
		if got := Plain(c.md, c.limit); got != c.want {
			t.Errorf("Plain(%q, %d) = %q, want %q", c.md, c.limit, got, c.want)
		}
	}
}

func TestChinese(t *testing.T) {
	for s, want := range map[string]bool{
		"你好": true, "hello": false, "用 Go 写的": true, "部署 kubernetes": true, "これは日本語です": false, "한국어": false, "123": false,
		"a long English sentence with one 字 in it": false, "": false,
	} {
		if got := Chinese(s); got != want {
			t.Errorf("Chinese(%q) = %v, want %v", s, got, want)
		}
	}
}
