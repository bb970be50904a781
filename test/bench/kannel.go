package main

import (
	"fmt"
	"net/url"

	"dargah.dev/dargah/test/kannel"
)

// startKannel runs Kannel before a message centre, with its spool or with nothing
// stored, at our own window.
func startKannel(dir, centre string, spool bool) (*server, error) {
	k, err := kannel.Start(kannel.Options{
		Dir: dir, Centre: centre, SystemID: "bench", Password: "bench", Window: 100, Spool: spool, Quiet: true,
	})
	if err != nil {
		return nil, err
	}
	return &server{address: k.Address, processes: k.Processes, end: k.Stop}, nil
}

// kannelSends are messages to many recipients.
func kannelSends() [][]byte {
	all := make([][]byte, 10_000)
	for i := range all {
		all[i] = request("GET", "/cgi-bin/sendsms?"+url.Values{
			"username": {kannel.User}, "password": {kannel.Password}, "from": {"30001234"}, "to": {fmt.Sprintf("98912%07d", i*997)},
			"coding": {"2"}, "charset": {"UTF-8"}, "text": {fmt.Sprintf("کد ورود شما: %06d", i)},
		}.Encode(), "", "", "")
	}
	return all
}
