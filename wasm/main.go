//go:build js

// The program in the browser: an engine that keeps a model current, and a screen
// that draws it.
package main

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
)

// The engine does what the screen asks.
var _ ui.Actions = (*client.Engine)(nil)

func main() {
	root := strings.TrimSuffix(app.Getenv("GOAPP_ROOT_PREFIX"), "/")
	engine := client.New(client.Config{
		Base:    app.Window().Get("location").Get("origin").String() + root,
		Disk:    client.BrowserDisk(root),
		Tabs:    client.BrowserTabs(root),
		Version: app.Getenv("GOAPP_VERSION"),
		Report:  func(fault string) { app.Window().Get("console").Call("error", "parley: "+fault) },
	})
	ui.Routes(engine)
	// Both live as long as the page; the browser ends them with it.
	go engine.Run(context.Background())
	app.RunWhenOnBrowser()
}
