// Package dialecttest owns what every dialect must prove: that its table words
// each fault, that its callers are checked completely, that no bytes bring it
// down (Run), that it says on the wire what its files say (Wire), and that an
// answer has the form of the provider's page (SameShape).
//
// It knows no dialect. The server it talks to is started by the caller, who
// also decides who exists there.
//
// # The files
//
// A file of exchanges is text. Lines beginning with # before the first section
// say where the exchange comes from. A line ">>> title" begins a request, a
// line "<<< status" the reply that is expected; the title may be left out.
//
//	# Source: page of the service, section "Sample request".
//	>>> a person who exists
//	POST /api/thing HTTP/1.1
//	Content-Type: application/json
//
//	{"id":"1"}
//	<<< 200
//	Content-Type: application/json; charset=utf-8
//
//	{"token":"{{save TOKEN}}","at":{{number}},"requestId":"{{any}}"}
//	>>> the same again
//	GET /api/other HTTP/1.1
//	Authorization: Bearer {{TOKEN}}
//	<<< 200
//
//	{"ok":true}
//
// A request is sent as it stands, its head with CRLF. Host and Content-Length
// are filled in when absent. A body ends before the line break in front of the
// next section, or in front of the end of the file; without a blank line there
// is no body.
//
// Of the reply the status, the listed headers and the whole body are compared,
// byte for byte but for the placeholders:
//
//	{{any}}        any run of characters without a double quote
//	{{number}}     a number
//	{{none}}       as a header's whole value: the header must be absent
//	{{save NAME}}  as {{any}}, and kept under NAME
//	{{NAME}}       what was kept, in this and every later section of the file
//
// HOST (127.0.0.1:port), ADDRESS (http://127.0.0.1:port) and LATER (the Unix
// seconds of an hour from now) are kept from the start.
//
// go test -update writes what the server says into the files, placeholders
// kept. Files in a folder called page show what a provider's page shows; no
// flag rewrites those.
package dialecttest
