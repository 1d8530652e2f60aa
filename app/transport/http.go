//go:build !js

package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// Wire is how requests travel outside a browser.
type Wire struct {
	HTTP *http.Client // nil: one of its own, for each Transport. Its Timeout must be zero.
}

func (w Wire) ready() Wire {
	if w.HTTP == nil {
		w.HTTP = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 4, TLSHandshakeTimeout: 10 * time.Second,
		}}
	}
	return w
}

func (w Wire) request(ctx context.Context, token, method, url string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

func (w Wire) do(ctx context.Context, token, method, url string, body []byte) (answer, error) {
	r, err := w.request(ctx, token, method, url, body)
	if err != nil {
		return answer{}, err
	}
	resp, err := w.HTTP.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	return read(ctx, resp)
}

func read(ctx context.Context, resp *http.Response) (answer, error) {
	a := answer{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")}
	if resp.Body == nil {
		return a, nil
	}
	var err error
	a.body, err = io.ReadAll(io.LimitReader(pieces{resp.Body, func() { heard(ctx) }}, maxAnswer))
	return a, err
}

// pieces tells who is patient of what comes.
type pieces struct {
	io.Reader
	came func()
}

func (p pieces) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if n > 0 {
		p.came()
	}
	return n, err
}

// options are what a socket is opened with.
func (c *Caller) options() *dialOptions {
	o := &dialOptions{HTTPClient: c.HTTP, HTTPHeader: http.Header{}}
	if c.Token != "" {
		o.HTTPHeader.Set("Authorization", "Bearer "+c.Token)
	}
	return o
}

// refusal is what the server said instead of opening a socket, or nil.
func refusal(ctx context.Context, resp *http.Response) error {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	a, err := read(ctx, resp)
	if err != nil {
		return nil
	}
	return a.fault()
}
