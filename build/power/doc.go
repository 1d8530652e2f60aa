// Package power proves that what parley has acknowledged is on stable storage, with the unmodified binary.
//
// # Power
//
// A [Recording] is a run of the server under strace: every write to its files and every sync, and the moment at which it
// began to tell anybody of each message. [CheckOrder] holds that nobody heard of a message before a sync had put
// its transaction on the disk. A sweep then cuts the power at many points of the same run: it builds from the
// trace what a disk may hold at that point, opens that with the server's own store, and looks for
// every message that had been acknowledged.
//
// # Disk
//
// A drill makes the disk of a running server fail at a chosen call, as strace can make it, or makes
// it full, and holds that nothing was acknowledged that is not there afterwards, that nothing is there
// twice, and that whoever was refused was told what happened.
//
// The seed of a test replays its choices: what is sent, where the power is cut, what is left of what was not
// safe, which call fails. What meets what is up to the machine.
package power
