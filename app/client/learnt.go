package client

import (
	"context"
	"encoding/json"
	"time"
)

// remembered is how long what was learnt of a network is believed.
const remembered = time.Hour

type memory struct {
	At time.Time
	learnt
}

// saveLearnt keeps what the ladder knows, so that the next start begins there.
func (e *Engine) saveLearnt() {
	record, err := json.Marshal(memory{e.c.Now(), e.ladder.learnt})
	if err != nil {
		e.c.Report(err.Error())
		return
	}
	e.spool(func(ctx context.Context) error { return e.c.Disk.Save(ctx, DiskLearnt, record) })
}

// recall begins where the last start ended, unless that was long ago.
func (e *Engine) recall(record []byte) {
	var m memory
	if json.Unmarshal(record, &m) != nil || m.Rung < 0 || m.Rung >= len(m.Why) || m.Beat < 0 {
		return
	}
	if age := e.c.Now().Sub(m.At); age >= 0 && age < remembered {
		e.ladder.learnt = m.learnt
	}
}

// moved says that the network may be another: what was learnt is of the old one.
func (e *Engine) moved() {
	e.ladder.moved()
	if e.now == nil || e.now.opened.IsZero() {
		e.ladder = ladder{}
	}
	e.saveLearnt()
	if e.set(alarmUp) {
		e.in(alarmUp, 0)
	}
}
