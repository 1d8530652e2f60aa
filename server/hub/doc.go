// Package hub is the server's heart: it appends drafts to the log, wakes whoever
// watches, and gives each user their feed. It knows neither HTTP nor SQL.
//
// # How an event reaches its readers
//
// One goroutine, the writer, collects drafts and commits them as a group
// (writer.go). What was committed goes, in log order, into the tail: the recent
// log in memory, each [Entry] encoded once (tail.go). For each entry the hub
// hands a pointer to the watchers of its room, and wakes them (publish.go).
//
// A [Watcher] is one reader of one user's feed (watch.go). While its cursor is
// inside the tail it never touches the store. One that lets its pointers
// pile up beyond a bound is behind: its pointers are dropped, and it reads
// the log from its cursor until it is level again. Nothing lossy is queued for anyone.
//
// # Order and locks
//
// Hub.mu guards the tail, the readers and who is in which room. Joining and
// publishing both hold it, so a watcher that joins at a place misses nothing after
// that place and is given nothing before it. Watcher.mu guards what is pending
// and is taken inside Hub.mu, never around it.
package hub
