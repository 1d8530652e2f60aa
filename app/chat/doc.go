// Package chat is the vocabulary of parley: the types that both programs, the
// one in the browser and the one on the server, say to each other.
//
// # The words
//
// A [Room] is members and a log. An [Event] is one entry of a room's log, named
// by (Room, Seq); Seq is 1, 2, 3 … without gaps. A signal (typing, presence) is
// an event without a Seq: it is never stored and may be lost. A [Draft] is an
// event not appended yet, named by its sender's [Nonce]: the same nonce twice
// appends once.
//
// A [Feed] is one user's merged view of the logs they may read. A [Cursor] is a
// place in a feed; only the server looks inside. A [Batch] is a run of events
// and the cursor past them; an empty batch is a heartbeat. A [Link] is a feed
// that also takes drafts: what a client has of a server, whatever the transport.
//
// # The protocol
//
// All paths are below the server's address; bodies are JSON with the fields of
// the types here; times are RFC 3339 in UTC. A browser is known by its session
// cookie, a program by "Authorization: Bearer TOKEN". An error is the JSON of
// [Error] under the status that [Code.Status] names.
//
//	POST   /api/setup      SetUp → Account         claim a new server; once
//	POST   /api/signup     SignUp → Account        join by invite
//	POST   /api/session    SignIn → Account        sign in
//	DELETE /api/session    → 204                   sign out
//	GET    /api/server     → Server                version, whether set up, whether its owner may make the network bad, the way that the question came; for anyone
//	GET    /api/snapshot   → Snapshot              where a client without a cursor begins
//	GET    /api/feed?via=poll|longpoll|eventsource|websocket&after=CURSOR
//	POST   /api/send       Draft → Event           answered after the event is durable
//	GET    /api/rooms      → []Room                public rooms one may join
//	POST   /api/rooms      NewRoom → Room          create a room, or find a direct one
//	GET    /api/rooms/{room}/events?before=SEQ&limit=N → History
//	GET    /api/rooms/{room}/digest?from=SEQ&to=SEQ → Digest
//	POST   /api/invites    → Invite                a link for new people (owner)
//	GET    /api/sessions   → []Session             one's own sessions and tokens
//	DELETE /api/sessions/{id} → 204                revoke one
//	POST   /api/tokens     NewToken → Token        a bearer token for a program
//	GET    /api/chaos      → Chaos                 how bad the network is made on purpose (owner, with --dev)
//	PUT    /api/chaos      Chaos → Chaos           make it so, from now on until a restart
//	POST   /api/reports    → 204                   what a browser held back because of the page's policy; for anyone
//	GET    /api/lab        → Costs                 what the four ways cost the server (owner)
//	GET    /livez, /readyz → 200 or 503            alive; fit to serve
//
// # Following
//
// GET /api/feed carries the same batches in four ways. An absent or empty
// cursor means "from now on".
//
//   - via=poll answers a [Batch] at once, possibly empty. When it holds events,
//     ask again at once; when it is empty, the feed is level.
//   - via=longpoll is the same, but an empty answer is held back until there is
//     something to say or about 25 seconds have passed.
//   - via=eventsource is a stream of server-sent events (HTML standard, section
//     "Server-sent events"). Each has "id:" the cursor and "event: batch" with
//     a Batch as data; "retry:" comes first. A reconnecting EventSource sends
//     Last-Event-ID, which wins over "after". "event: reset" and "event: bye"
//     carry an Error as data and end the stream.
//   - via=websocket is a WebSocket (RFC 6455) of JSON text frames. The server
//     sends [Frame]; the client sends [Request]. Close code 4410 is a reset,
//     4401 the end of the session, 4408 a reader too slow, 1012 a restart, before
//     which a Frame with an Error says when to come back.
//
// A stream begins with a batch, empty if there is nothing to say, so that its
// reader knows that the way is open, and an empty batch follows every 20
// seconds of silence. Where something on the way closes what is silent, "beat=N"
// asks for no silence longer than N seconds (1 to 60), of a stream as of a long
// poll. On every way each batch has the cursor to go on from,
// and any cursor works on any way. "peek=1" on a poll says that it only looks at what
// there is, beside a feed that its session has: it is not what the session follows.
//
// # Nothing missing
//
// A client that holds the events of a room from one Seq to another can ask for the
// [Digest] of what it may read there, without reading it again, and compare. from
// is 1 when absent, to the newest; from = to + 1 asks for no more than the head.
// The digest is of the events as they are now. A client whose room ends before
// Head waits until its feed has brought what is missing; one that has seen a
// deletion after Head asks again. What differs it reads again as history.
package chat
