package chattest_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/app/chat/chattest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The reference does what it is the reference of.
func TestMemory(t *testing.T) {
	m := chattest.NewMemory()
	m.Beat = 50 * time.Millisecond
	chattest.TestLink(t, m.World())
}
