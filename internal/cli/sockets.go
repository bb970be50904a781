package cli

import (
	"errors"
	"fmt"
	"net"

	"dargah.dev/dargah/internal/config"
	"dargah.dev/dargah/internal/event"
	"dargah.dev/dargah/internal/httpd"
)

// kept are the open files that are not connections of callers: the database's,
// the log, the way to other servers.
const kept = 64

// crowd bounds the connections as the settings say.
func crowd(c config.Config, log *event.Log) *httpd.Crowd {
	total := c.Limits.Connections
	if files := openFiles(); total == 0 && files > 0 {
		total = max(files-kept, 1)
	}
	proxies, _ := c.ProxyPrefixes() // the settings were checked
	return &httpd.Crowd{PerAddress: c.Limits.ConnectionsPerAddress, Total: total, Exempt: proxies, Log: log}
}

// listenAll opens every address, or none.
func listenAll(addresses []string) (all []net.Listener, err error) {
	for _, address := range addresses {
		l, err := listen(address)
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, errors.New("listen: has no address\nGive one like 127.0.0.1:8080")
	}
	return all, nil
}

func closeAll(listeners []net.Listener) error {
	faults := make([]error, 0, len(listeners))
	for _, l := range listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// plain refuses to send tokens and personal data readable over a network,
// unless somebody answers for it.
func plain(c config.Config, listeners []net.Listener) error {
	if c.TLS.On() || c.InsecureHTTP || len(c.Proxies) > 0 {
		return nil
	}
	for _, l := range listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
			return fmt.Errorf("plain HTTP is not served on %s, which other machines reach: tokens and personal data could be read on the way.\n"+
				"Give tls.certificate and tls.key; or name the proxies in front that speak TLS (proxies); or listen on 127.0.0.1; or set insecureHttp: true", l.Addr())
		}
	}
	return nil
}
