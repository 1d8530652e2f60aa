package main

// known are the weaknesses of Go's own library that are called with the oldest Go that parley is built with, and
// why each can wait for who builds it with an older one than SECURITY.md asks for. What is of a module has no place here: it is raised.
//
// What is called is what could be, by every way through every interface: more than what is.
var known = map[string]string{
	"GO-2026-6599": noTemplates,
	"GO-2026-6600": noTemplates,
	"GO-2026-6603": noHTTP2,
	"GO-2026-6605": "parley sends no CONNECT",
	"GO-2026-6607": noTLS,
	"GO-2026-6608": "parley reads no forms",
	"GO-2026-6609": "files are sent whole, whatever part is asked for",
	"GO-2026-6610": "parley is no proxy",
	"GO-2026-6611": noHTTP2,
	"GO-2026-6612": noHTTP2,
	"GO-2026-6613": "no route takes CONNECT",
	"GO-2026-6617": noHTTP2,
	"GO-2026-6809": "the server asks nobody over TLS",
}

const (
	noTemplates = "the programs that people run have no html/template; a library of the tests has"
	noHTTP2     = "the server speaks HTTP/2 to nobody; the proxy in front does"
	noTLS       = "the server ends no TLS; the proxy in front does"
)
