package chat

import (
	"encoding/json"
	"testing"
	"time"
)

// An event is encoded once for everyone who gets it, and decoded by each.
func BenchmarkEvent(b *testing.B) {
	e := Event{Room: NewID[RoomID](), Seq: 12_345, From: NewID[UserID](), Nonce: NewID[Nonce](), At: time.Date(2026, 3, 1, 14, 3, 0, 0, time.UTC),
		Body: Body{Message: &Message{Text: "The new build is up, and it **starts in a fifth of a second** when it was here before. 谢谢!"}}}
	text, err := json.Marshal(e)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := json.Marshal(e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var got Event
			if err := json.Unmarshal(text, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}
