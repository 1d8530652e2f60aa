package chaos

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"parley/build/chaos/check"
)

// history writes what happens, for the checker to read when all is over. Many
// may put at once; the first error is kept for close.
type history struct {
	file  *os.File
	began time.Time

	mu  sync.Mutex
	buf *bufio.Writer
	enc *json.Encoder
	err error
}

func newHistory(path string) (*history, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	buf := bufio.NewWriterSize(f, 1<<18)
	return &history{file: f, began: time.Now(), buf: buf, enc: json.NewEncoder(buf)}, nil
}

func (h *history) put(r check.Record) {
	r.At = int64(time.Since(h.began))
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enc.Encode(r); err != nil && h.err == nil {
		h.err = err
	}
}

// close writes out what was put, and reports whether all of it was.
func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(h.err, h.buf.Flush(), h.file.Close())
}

// sum is a short name for what v says.
func sum(v any) string {
	j, err := json.Marshal(v)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	sum := sha256.Sum256(j)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
