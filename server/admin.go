package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/app/chat"
	"parley/server/auth"
	"parley/server/sqlite"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Make an account. The password is read from standard input."`
	Password userPasswordCmd `cmd:"" help:"Give a user another password, read from standard input, and end their sessions. Tokens go on."`
}

type userAddCmd struct {
	Name  string `arg:"" help:"The user's name."`
	Owner bool   `help:"Make the account that owns the server, if it has none."`
}

// Run makes the account, also while the server runs.
func (a *userAddCmd) Run(ctx context.Context, c *cli, t *terminal) error {
	password, err := t.password()
	if err != nil {
		return err
	}
	return c.accounts(ctx, func(accounts *auth.Accounts) error {
		_, err := accounts.Add(ctx, a.Name, password, a.Owner)
		if a.Owner && chat.CodeOf(err) == chat.CodeGone {
			return errors.New("this server has an owner already; leave --owner out")
		}
		return err
	})
}

// password asks for one, a line on standard input.
func (t *terminal) password() (string, error) {
	fmt.Fprintln(t.err, "Password:")
	line, err := bufio.NewReader(io.LimitReader(t.in, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", errors.New("there is no password on standard input; write one, and Enter")
	}
	return password, nil
}

type userPasswordCmd struct {
	Name string `arg:"" help:"The user's name."`
}

// Run changes the password, also while the server runs.
func (a *userPasswordCmd) Run(ctx context.Context, c *cli, t *terminal) error {
	password, err := t.password()
	if err != nil {
		return err
	}
	return c.accounts(ctx, func(accounts *auth.Accounts) error {
		err := accounts.SetPassword(ctx, a.Name, password)
		if errors.Is(err, chat.ErrNotFound) {
			return fmt.Errorf("there is no user %q; \"parley user add\" makes one", a.Name)
		}
		return err
	})
}

type tokenCmd struct {
	Name string `arg:"" help:"The user's name."`
}

// Run prints a token, also while the server runs. It is shown once.
func (a *tokenCmd) Run(ctx context.Context, c *cli, t *terminal) error {
	return c.accounts(ctx, func(accounts *auth.Accounts) error {
		token, err := accounts.TokenFor(ctx, a.Name, "from the command line")
		if errors.Is(err, chat.ErrNotFound) {
			return fmt.Errorf("there is no user %q; \"parley user add\" makes one", a.Name)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(t.out, token.Token)
		return err
	})
}

// accounts opens the accounts beside a server that may be running.
func (c *cli) accounts(ctx context.Context, do func(*auth.Accounts) error) error {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: c.Data, App: version})
	if err != nil {
		return err
	}
	return errors.Join(do(auth.New(store, auth.Options{})), store.Close()) //nolint:contextcheck // closing is not given up half-way
}
