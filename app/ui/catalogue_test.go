package ui

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/app/chat"
	"parley/app/model"
)

// texts lists every text of a catalogue by the path of its field.
func texts(v reflect.Value, path string, into map[string]string) {
	switch v.Kind() {
	case reflect.String:
		into[path] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			texts(v.Field(i), path+"."+v.Type().Field(i).Name, into)
		}
	case reflect.Array: // what keeps it from being compared
	default:
		panic("a catalogue has texts only, not " + v.Kind().String())
	}
}

func all(w *Words) map[string]string {
	m := map[string]string{}
	texts(reflect.ValueOf(*w), "", m)
	return m
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// holes are the placeholders of a text. A plural may leave its number out.
func holes(s string) []string {
	found := placeholder.FindAllString(s, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestCataloguesSayTheSame(t *testing.T) {
	english, chinese := all(en()), all(zh())
	if len(english) < 200 {
		t.Fatalf("only %d texts were found", len(english))
	}
	for path, e := range english {
		z := chinese[path]
		if e == "" || z == "" {
			t.Errorf("%s: %q in English, %q in Chinese: neither may be empty", path, e, z)
		}
		if !slices.Equal(holes(e), holes(z)) {
			t.Errorf("%s: placeholders %v in English, %v in Chinese", path, holes(e), holes(z))
		}
	}
}

func TestCataloguesKeepTheirStyle(t *testing.T) {
	half := regexp.MustCompile(`\p{Han}[,;:!?]|\p{Han}\.$`)
	glued := regexp.MustCompile(`\p{Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Han}`)
	for path, s := range all(zh()) {
		if half.MatchString(s) {
			t.Errorf("%s: %q has half-width punctuation", path, s)
		}
		if glued.MatchString(s) {
			t.Errorf("%s: %q lacks the space between Han and Latin", path, s)
		}
	}
	for _, w := range []*Words{en(), zh()} {
		for path, s := range all(w) {
			if regexp.MustCompile(`[!！]`).MatchString(s) {
				t.Errorf("%s: %q shouts", path, s)
			}
		}
	}
}

func TestPlural(t *testing.T) {
	p := en().Sidebar.Unread
	for n, want := range map[int]string{0: "0 unread messages", 1: "1 unread message", 2: "2 unread messages"} {
		if got := p.N(n); got != want {
			t.Errorf("N(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestWordsFor(t *testing.T) {
	for lang, want := range map[string]string{"zh-CN": "zh-CN", "zh": "zh-CN", "ZH-hans": "zh-CN", "en-GB": "en", "de": "en", "": "en"} {
		if got := wordsFor(lang).Lang; got != want {
			t.Errorf("wordsFor(%q) is %q, want %q", lang, got, want)
		}
	}
}

// Every code of the protocol is a sentence, and none shows its name to a person.
func TestFaultsAreSentences(t *testing.T) {
	codes := []chat.Code{chat.CodeInvalid, chat.CodeUnauthorized, chat.CodeForbidden, chat.CodeNotFound, chat.CodeConflict, chat.CodeReset, chat.CodeGone,
		chat.CodeTooLarge, chat.CodeMedia, chat.CodeMisdirected, chat.CodeRateLimited, chat.CodeStorageFull, chat.CodeUnavailable, chat.CodeInternal, "unheard_of"}
	for _, w := range []*Words{en(), zh()} {
		for _, c := range codes {
			got := w.fault(&chat.Error{Code: c, Message: "the reason", RetryAfterMS: 1500, RequestID: "R1"})
			if got == "" || placeholder.MatchString(got) || len(c) > 8 && regexp.MustCompile(string(c)).MatchString(got) {
				t.Errorf("%s in %s: %q", c, w.Lang, got)
			}
			if short := w.notSent(c); short == "" || placeholder.MatchString(short) {
				t.Errorf("not sent for %s in %s: %q", c, w.Lang, short)
			}
		}
		if got := w.fault(errors.New("dial tcp: refused")); got != w.Fault.Offline {
			t.Errorf("an error that the server did not send: %q", got)
		}
	}
	if got, want := en().fault(&chat.Error{Code: chat.CodeRateLimited, RetryAfterMS: 1500}), "Too many tries. Try again in 2 s."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReasons(t *testing.T) {
	for _, c := range []struct {
		w    *Words
		conn model.Connection
		want string
	}{
		{en(), model.Connection{Via: chat.LongPoll, Reason: model.Reason{Code: model.ReasonNeverOpened, Failed: chat.WebSocket}}, "WebSocket does not open on this network, so long polling is used."},
		{en(), model.Connection{Via: chat.WebSocket, Reason: model.Reason{Code: model.ReasonBest}}, "WebSocket works here, and it is the best way there is."},
		{en(), model.Connection{Via: chat.Poll, Reason: model.Reason{Code: model.ReasonDied, Failed: chat.LongPoll}}, "Long polling went silent on this network, so polling is used."},
		{en(), model.Connection{Via: chat.LongPoll, Reason: model.Reason{Code: model.ReasonCut, Failed: chat.WebSocket, After: time.Minute}}, "Long polling: this network closes WebSocket after 60 s."},
		{en(), model.Connection{Via: chat.LongPoll, Reason: model.Reason{Code: model.ReasonHeld, Failed: chat.EventSource}}, "This network holds back what comes over EventSource, so long polling is used."},
		{en(), model.Connection{Via: chat.WebSocket, Reason: model.Reason{Code: model.ReasonKept, After: 5 * time.Second, Every: 2 * time.Second}},
			"WebSocket, with a sign of life every 2 s: this network closes silent connections after 5 s."},
		{zh(), model.Connection{Via: chat.LongPoll, Reason: model.Reason{Code: model.ReasonCut, Failed: chat.WebSocket, After: time.Minute}}, "长轮询：当前网络会在 60 秒后关闭 WebSocket。"},
		{zh(), model.Connection{Via: chat.LongPoll, Reason: model.Reason{Code: model.ReasonBlocked, Failed: chat.WebSocket}}, "当前网络拦截了 WebSocket，已改用长轮询。"},
		{zh(), model.Connection{Via: chat.EventSource, Reason: model.Reason{Code: model.ReasonCut, Failed: chat.WebSocket}}, "WebSocket 在当前网络反复中断，已改用 EventSource。"},
		{zh(), model.Connection{Via: chat.Poll, Reason: model.Reason{Code: model.ReasonChosen}}, "您选择了轮询。"},
		{zh(), model.Connection{Via: chat.WebSocket, Reason: model.Reason{Code: model.ReasonChosen}}, "您选择了 WebSocket。"},
	} {
		if got := c.w.reason(c.conn); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// A text that nothing shows would be translated for nobody.
func TestEveryTextIsUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		if f == "en.go" || f == "zh.go" || strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	for path := range all(en()) {
		path = strings.TrimSuffix(strings.TrimSuffix(path, ".One"), ".Other")
		name := path[strings.LastIndexByte(path, '.')+1:]
		if !regexp.MustCompile(`\.` + name + `\b`).MatchString(source.String()) {
			t.Errorf("nothing shows %s", path)
		}
	}
}
