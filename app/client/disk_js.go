package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
)

// BrowserDisk keeps its records in the page's IndexedDB, and the choice, which is no
// secret and must not wait, in localStorage. Its records may be used by one
// goroutine at a time. root is the path below which the app is, or "": there may be one
// of another server at another path of the same origin.
func BrowserDisk(root string) Disk { return &browserDisk{name: diskName + root} }

type browserDisk struct {
	name   string
	db     js.Value
	opened bool
}

const (
	diskName  = "parley"
	diskStore = "records"
)

// Load implements Disk.
func (d *browserDisk) Load(ctx context.Context, key string) (record []byte, err error) {
	defer thrown(&err)
	_, store, err := d.store(ctx, "readonly")
	if err != nil {
		return nil, err
	}
	v, err := requested(ctx, store.Call("get", key))
	if err != nil || v.IsUndefined() {
		return nil, err
	}
	record = make([]byte, v.Get("length").Int())
	js.CopyBytesToGo(record, v)
	return record, nil
}

// Save implements Disk.
func (d *browserDisk) Save(ctx context.Context, key string, record []byte) (err error) {
	defer thrown(&err)
	return d.write(ctx, func(store js.Value) { put(store, key, record) })
}

func put(store js.Value, key string, record []byte) {
	bytes := js.Global().Get("Uint8Array").New(len(record))
	js.CopyBytesToJS(bytes, record)
	store.Call("put", bytes, key)
}

// SaveAll implements Disk.
func (d *browserDisk) SaveAll(ctx context.Context, records map[string][]byte) (err error) {
	defer thrown(&err)
	return d.write(ctx, func(store js.Value) {
		for key, record := range records {
			if record == nil {
				store.Call("delete", key)
			} else {
				put(store, key, record)
			}
		}
	})
}

// Keys implements Disk.
func (d *browserDisk) Keys(ctx context.Context, prefix string) (keys []string, err error) {
	defer thrown(&err)
	_, store, err := d.store(ctx, "readonly")
	if err != nil {
		return nil, err
	}
	all, err := requested(ctx, store.Call("getAllKeys"))
	if err != nil {
		return nil, err
	}
	for i := range all.Length() { // in order
		if key := all.Index(i).String(); strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// Clear implements Disk.
func (d *browserDisk) Clear(ctx context.Context) (err error) {
	defer thrown(&err)
	return d.write(ctx, func(store js.Value) { store.Call("clear") })
}

// LoadChoice implements Disk.
func (d *browserDisk) LoadChoice() (record []byte, err error) {
	defer thrown(&err)
	v := js.Global().Get("localStorage").Call("getItem", d.name+".choice")
	if v.Type() != js.TypeString {
		return nil, nil
	}
	return []byte(v.String()), nil
}

// SaveChoice implements Disk.
func (d *browserDisk) SaveChoice(record []byte) (err error) {
	defer thrown(&err)
	js.Global().Get("localStorage").Call("setItem", d.name+".choice", string(record))
	return nil
}

// write does f in a transaction and waits until it is on disk. A browser that clears the site's data may drop
// what it was asked meanwhile without a word, so what is not answered for a while is asked again, of a database
// that is opened anew. Should the first only have been slow, the same is written twice, in order.
func (d *browserDisk) write(ctx context.Context, f func(store js.Value)) error {
	for {
		err := d.tryWrite(ctx, f)
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		d.opened = false
	}
}

func (d *browserDisk) tryWrite(ctx context.Context, f func(store js.Value)) error {
	ctx, cancel := context.WithTimeout(ctx, diskPatience)
	defer cancel()
	tx, store, err := d.store(ctx, "readwrite")
	if err != nil {
		return err
	}
	f(store)
	tx.Call("commit") // at once: a page that is being left gets no further turn in which it would commit by itself
	return settled(ctx, tx, "complete", "error", "abort")
}

// store opens the store in a transaction of its own. The browser may have closed the
// database under us, as it does when a site's data is cleared: it is then opened again.
func (d *browserDisk) store(ctx context.Context, mode string) (tx, store js.Value, err error) {
	if d.opened {
		if tx, err = d.begin(mode); err == nil {
			return tx, tx.Call("objectStore", diskStore), nil
		}
	}
	if err = d.open(ctx); err != nil {
		return tx, store, err
	}
	if tx, err = d.begin(mode); err != nil {
		return tx, store, err
	}
	return tx, tx.Call("objectStore", diskStore), nil
}

func (d *browserDisk) begin(mode string) (tx js.Value, err error) {
	defer thrown(&err)
	return d.db.Call("transaction", diskStore, mode), nil
}

func (d *browserDisk) open(ctx context.Context) (err error) {
	request := js.Global().Get("indexedDB").Call("open", d.name, 1)
	upgrade := js.FuncOf(func(js.Value, []js.Value) any {
		request.Get("result").Call("createObjectStore", diskStore)
		return nil
	})
	defer upgrade.Release()
	request.Set("onupgradeneeded", upgrade)
	d.db, err = requested(ctx, request)
	request.Set("onupgradeneeded", js.Null())
	d.opened = err == nil
	return err
}

// requested waits for an IDBRequest.
func requested(ctx context.Context, r js.Value) (js.Value, error) {
	if err := settled(ctx, r, "success", "error", "blocked"); err != nil {
		return js.Undefined(), err
	}
	return r.Get("result"), nil
}

// settled waits until the good event, or one of the bad ones, happens to v.
func settled(ctx context.Context, v js.Value, good string, bad ...string) error {
	happened := make(chan string, len(bad)+1) // each of them happens once at most
	for _, event := range append([]string{good}, bad...) {
		f := js.FuncOf(func(js.Value, []js.Value) any {
			select {
			case happened <- event:
			default:
			}
			return nil
		})
		v.Call("addEventListener", event, f)
		defer func() {
			v.Call("removeEventListener", event, f)
			f.Release()
		}()
	}
	select {
	case event := <-happened:
		if event != good {
			return fmt.Errorf("the browser's storage: %s: %s", event, reason(v))
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the browser's storage does not answer: %w", ctx.Err())
	}
}

func reason(v js.Value) string {
	if e := v.Get("error"); e.Type() == js.TypeObject {
		return e.Call("toString").String()
	}
	return "no reason given"
}

// thrown makes what the page's functions throw an error.
func thrown(err *error) {
	switch r := recover().(type) {
	case nil:
	case js.Error:
		*err = errors.New("the browser's storage: " + r.Error())
	default:
		panic(r)
	}
}
