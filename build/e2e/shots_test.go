package e2e

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

type cdpCommand[P, R any] = cdp.Command[P, R]

// shoot writes what the tab shows to the folder shots, for people to look at.
func (p *tab) shoot(name string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.ctx, 10*time.Second)
	defer stop()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Logf("no screenshot %s: %v", name, err)
		return
	}
	if err := os.MkdirAll("shots", 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("shots", name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
