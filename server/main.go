// Command parley is the server, and what its administrator needs beside it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is what the next release is called.
const version = "0.1.0"

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		<-signals
		cancel()
		<-signals
		os.Exit(1) // what was acknowledged is on disk
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// cli is the command line. Its tags are what help prints.
type cli struct {
	Addr    string   `env:"PARLEY_ADDR" default:":8080" placeholder:"HOST:PORT" help:"Where to listen. Without a host, on all addresses of this machine. Default: ${default}."`
	Data    string   `env:"PARLEY_DATA" default:"./parley-data" placeholder:"DIR" help:"The folder for everything that is kept. Only its owner may read it. Default: ${default}."`
	URL     string   `name:"url" env:"PARLEY_URL" placeholder:"URL" help:"The address that people use, when it is not this machine's own: with a proxy in front. It may have a path, as in https://example.org/chat; the proxy may leave it in requests or take it away. Requests must name this host, or localhost, or an address or the name of this machine with the port listened at; others are refused. With https, cookies are for TLS only."`
	Proxies []string `env:"PARLEY_PROXIES" placeholder:"CIDR" help:"Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Default: none."`
	Log     string   `env:"PARLEY_LOG" enum:"debug,info,warn,error," default:"" placeholder:"LEVEL" help:"What to log: debug, info, warn or error. Default: info, or warn on a terminal."`

	SendRate  float64 `env:"PARLEY_SEND_RATE" default:"5" placeholder:"N" help:"Messages that an account may send a second, on all ways together. Default: ${default}."`
	SendBurst int     `env:"PARLEY_SEND_BURST" default:"20" placeholder:"N" help:"Messages that it may send at once. Default: ${default}."`
	ReadRate  float64 `env:"PARLEY_READ_RATE" default:"20" placeholder:"N" help:"Other requests a second; of polls, five times as many. Default: ${default}."`
	ReadBurst int     `env:"PARLEY_READ_BURST" default:"100" placeholder:"N" help:"Other requests at once; of polls, four times as many. Default: ${default}."`

	StreamsPerAccount int `env:"PARLEY_STREAMS_PER_ACCOUNT" default:"20" placeholder:"N" help:"Streams that an account may have open. Default: ${default}."`
	StreamsPerAddress int `env:"PARLEY_STREAMS_PER_ADDRESS" default:"100" placeholder:"N" help:"Streams that may be open from one address. Default: ${default}."`
	Streams           int `env:"PARLEY_STREAMS" default:"10000" placeholder:"N" help:"Streams that may be open in all. Default: ${default}."`

	Dev bool `env:"PARLEY_DEV" help:"For trials only: let the owner make the network bad on purpose, at /api/chaos, to see what becomes of it. Serving costs more then. A restart takes every fault away."`

	Serve   serveCmd   `cmd:"" default:"withargs" help:"Run the server. This is what parley does without a command."`
	User    userCmd    `cmd:"" help:"Make accounts."`
	Token   tokenCmd   `cmd:"" help:"Print a new token, with which a program may chat as a user."`
	Backup  backupCmd  `cmd:"" help:"Make a checked backup in a directory, whether the server runs or not."`
	Restore restoreCmd `cmd:"" help:"Make a new data directory, which --data names, of a backup."`
	Doctor  doctorCmd  `cmd:"" help:"Look at the data, the disk and the server, and say what is wrong and what to do. Nothing is changed; the exit status is 1 when something is wrong."`
	Version versionCmd `cmd:"" help:"Print the version."`
	Help    struct{}   `cmd:"" help:"Print this."`
}

// terminal is what a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:], "--help")
	}
	var c cli
	left := false
	k, err := kong.New(&c, kong.Name("parley"), kong.Writers(out, errs), kong.Exit(func(int) { left = true }),
		kong.Description("A messenger for the web that you run yourself.\n\nEach flag can be set by the variable shown with it instead."),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintln(errs, "parley:", err)
		return 1
	}
	parsed, err := k.Parse(args)
	if left { // help is printed
		return 0
	}
	if err != nil {
		fmt.Fprintf(errs, "parley: %v; see \"parley help\"\n", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(&c, &terminal{in, out, errs}); err != nil {
		fmt.Fprintln(errs, "parley:", err)
		return 1
	}
	return 0
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(t *terminal) error {
	_, err := fmt.Fprintln(t.out, "parley", version)
	return err
}

// logger writes a line of JSON for each thing to log.
func (c *cli) logger(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if f, ok := w.(*os.File); ok && c.Log == "" {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			level = slog.LevelWarn // a person looks at it, who wants to go on seeing the address
		}
	}
	if c.Log != "" {
		_ = level.UnmarshalText([]byte(c.Log)) // kong has checked it
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// plain puts an error that is an answer to someone else's request in the words of a person here.
func plain(err error, of error, text string) error {
	if errors.Is(err, of) {
		return errors.New(text)
	}
	return err
}
