package client

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// A Disk keeps a few records. One user of one device has one, whatever number of tabs.
type Disk interface {
	// Load returns a record, nil when there is none.
	Load(ctx context.Context, key string) ([]byte, error)
	// Save replaces a record, wholly or not at all.
	Save(ctx context.Context, key string, record []byte) error
	// SaveAll replaces several records in one piece. One that is nil is removed.
	SaveAll(ctx context.Context, records map[string][]byte) error
	// Keys lists the records whose keys begin so, in order.
	Keys(ctx context.Context, prefix string) ([]string, error)
	// Clear forgets all that is personal: every record, but not the choice.
	Clear(ctx context.Context) error

	// LoadChoice and SaveChoice are for the choice of the transport, which belongs to the device. They are done at once,
	// whatever else the disk is doing: whoever chooses may leave the page the next moment.
	LoadChoice() ([]byte, error)
	SaveChoice(record []byte) error
}

// The records.
const (
	DiskKnown  = "known"  // events and the cursor past them
	DiskOwn    = "own"    // what was written and not sent; where there may be several tabs, "own/" and the tab
	DiskLearnt = "learnt" // of the network
)

// A MemoryDisk forgets when the program ends.
type MemoryDisk struct {
	mu      sync.Mutex
	records map[string][]byte
	choice  []byte
}

// NewMemoryDisk returns an empty one.
func NewMemoryDisk() *MemoryDisk { return &MemoryDisk{records: map[string][]byte{}} }

// Load implements Disk.
func (d *MemoryDisk) Load(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.records[key]), nil
}

// Save implements Disk.
func (d *MemoryDisk) Save(_ context.Context, key string, record []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.records[key] = slices.Clone(record)
	return nil
}

// SaveAll implements Disk.
func (d *MemoryDisk) SaveAll(_ context.Context, records map[string][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, record := range records {
		if record == nil {
			delete(d.records, key)
		} else {
			d.records[key] = slices.Clone(record)
		}
	}
	return nil
}

// Keys implements Disk.
func (d *MemoryDisk) Keys(_ context.Context, prefix string) (keys []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key := range d.records {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// Clear implements Disk.
func (d *MemoryDisk) Clear(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.records)
	return nil
}

// LoadChoice implements Disk.
func (d *MemoryDisk) LoadChoice() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.choice), nil
}

// SaveChoice implements Disk.
func (d *MemoryDisk) SaveChoice(record []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.choice = slices.Clone(record)
	return nil
}
