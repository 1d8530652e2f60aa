// Package api is the hub over HTTP: the protocol that package chat documents.
//
// A route says who may use it and does one thing. What wraps all of them is
// in one place, [Server.ServeHTTP]: which host is asked for, from which page,
// by whom, how much, and what becomes of a panic or an error. There is no other
// way in: the WebSocket, too, is a route, and what it sends goes through the
// same function as a POST.
//
// A carrier is the server's end of one of the four transports (feed.go). The two
// that answer once begin in their handler (poll.go); long polls that wait leave it where they can, and are parked (park.go). The other two are streams
// (stream.go): on plain TCP they leave net/http, and shards (shard.go) write
// what came for a stream without blocking, all of it in one go, out of frames that were built
// once for all. A stream whose socket is full goes its own way, in a goroutine that
// blocks, until it is level with the log again. Where there is no plain TCP, as with TLS or HTTP/2,
// a stream goes its own way for good.
package api
